import { useState } from "react";
import type { Reply } from "../hooks/useReply";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";
import { Text } from "./Text";

interface Props {
  reply: Reply;
  /** The assistant's name in this room. */
  name: string;
  /** Whether the user asked the question, and so can stop the answer. */
  isMine: boolean;
  onCancel: () => Promise<void>;
  onDismiss: () => void;
  onRetry: (messageId: string, goOn: boolean) => void;
}

/** The assistant's answer while it is being written. */
export function ReplyRow({ reply: { replyTo, text, state, problem }, name, isMine, onCancel, onDismiss, onRetry }: Props) {
  const [trouble, setTrouble] = useState("");
  return (
    <div className="message reply">
      <div className="face">
        <Avatar name={name} />
      </div>
      <div className="said">
        <p className="meta">
          <strong>
            <bdi>{name}</bdi>
          </strong>
          {state === "WRITING" && <span className="quiet">is writing…</span>}
        </p>
        {text !== "" && (
          <div className="bubble">
            <Text text={text} mentions={[]} me="" />
          </div>
        )}
        {state === "FAILED" && (
          <p className="meta" role="alert">
            <span className="problem">{problem}</span>
            {isMine && (
              <button type="button" className="link" onClick={() => onRetry(replyTo, false)}>
                Try again
              </button>
            )}
            <button type="button" className="link" onClick={onDismiss}>
              Dismiss
            </button>
          </p>
        )}
        {state === "WRITING" && isMine && (
          <button
            type="button"
            className="stop"
            onClick={() => {
              onCancel().catch((error: Error) => setTrouble(error.message));
            }}
          >
            <Icon name="stop" /> Stop
          </button>
        )}
        <p className="problem" role="alert">
          {trouble}
        </p>
      </div>
    </div>
  );
}
