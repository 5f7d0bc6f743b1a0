import { Component, type ReactNode } from "react";

interface Props {
  /** What cannot be shown, as a sentence for the person in front of the page. */
  sentence: string;
  children: ReactNode;
}

/** In place of what fails to render: a sentence and a way out, while the rest of the page works on. React logs the error. */
export class ErrorBoundary extends Component<Props, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children;
    return (
      <div className="failed" role="alert">
        <p>{this.props.sentence}</p>
        <button type="button" className="primary" onClick={() => location.reload()}>
          Reload
        </button>
      </div>
    );
  }
}
