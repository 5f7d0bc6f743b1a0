import { Component, type ReactNode } from "react";

interface Props {
  /** Tells the user what cannot be shown. */
  sentence: string;
  children: ReactNode;
}

/** Shows a sentence and a reload button in place of content that fails to render; the rest of the page works. React logs the error. */
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
