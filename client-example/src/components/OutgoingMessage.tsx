import type { Outgoing } from "../hooks/useOutbox";

interface Props {
  outgoing: Outgoing;
  onSendAgain: () => void;
  onDiscard: () => void;
}

/** A message of the user's own that is not known to be stored yet. */
export function OutgoingMessage({ outgoing: { sending, failed }, onSendAgain, onDiscard }: Props) {
  return (
    <div className="message mine outgoing">
      <p className="text">{sending.text}</p>
      {failed ? (
        <p className="meta" role="alert">
          <span className="problem">Not sent. {failed.message}</span>
          <button type="button" className="link" onClick={onSendAgain}>
            Send again
          </button>
          <button type="button" className="link" onClick={onDiscard}>
            Discard
          </button>
        </p>
      ) : (
        <p className="meta">sending…</p>
      )}
    </div>
  );
}
