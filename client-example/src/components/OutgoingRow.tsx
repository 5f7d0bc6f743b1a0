import type { Outgoing } from "../chat/outbox";
import { useConnection } from "../hooks/useConnection";
import { Text } from "./Text";

interface Props {
  outgoing: Outgoing;
  onSendAgain: (outgoing: Outgoing) => void;
  onDiscard: (outgoing: Outgoing) => void;
}

/** A message of the user that is not yet known to be stored. */
export function OutgoingRow({ outgoing, onSendAgain, onDiscard }: Props) {
  const { state } = useConnection();
  const { text, problem, notice } = outgoing;
  return (
    <div className="message mine outgoing">
      <div className="said">
        <div className="bubble">
          <Text text={text} mentions={[]} me="" />
        </div>
        {problem === undefined ? (
          <p className="meta">
            {state === "offline"
              ? "Waiting for connection"
              : notice === undefined
                ? "Sending…"
                : `${notice} The message will be sent automatically.`}
          </p>
        ) : (
          <p className="meta" role="alert">
            <span className="problem">Not sent. {problem}</span>
            <button type="button" className="link" onClick={() => onSendAgain(outgoing)}>
              Retry
            </button>
            <button type="button" className="link" onClick={() => onDiscard(outgoing)}>
              Discard
            </button>
          </p>
        )}
      </div>
    </div>
  );
}
