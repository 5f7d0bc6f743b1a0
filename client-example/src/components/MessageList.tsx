import { Fragment, memo } from "react";
import type { MessagePartsFragment as Message } from "../gql/graphql";
import { asDay, asTime } from "../time";

interface Props {
  /** Oldest first. */
  messages: Message[];
  me: string;
}

const PAUSE = 5 * 60_000; // ms after which the sender's name is repeated

/** What was said: days are told apart, and messages that follow each other closely stand together. */
export const MessageList = memo(function MessageList({ messages, me }: Props) {
  return (
    <ol className="message-list" aria-live="polite" aria-relevant="additions">
      {messages.map((message, index) => {
        const previous = messages[index - 1];
        const isNewDay = !previous || asDay(previous.sentAt) !== asDay(message.sentAt);
        const isMine = message.from.id === me;
        const follows = !isNewDay && continues(previous, message);
        return (
          <Fragment key={message.id}>
            {isNewDay && <li className="day">{asDay(message.sentAt)}</li>}
            <li className={`message${isMine ? " mine" : ""}${follows ? " follows" : ""}`}>
              {!follows && (
                <p className="meta">
                  <strong className={isMine ? "unseen" : "ellipsis"}>{isMine ? "You" : message.from.name}</strong>
                  <time dateTime={message.sentAt}>{asTime(message.sentAt)}</time>
                </p>
              )}
              <p className="text">{message.text}</p>
            </li>
          </Fragment>
        );
      })}
    </ol>
  );
});

function continues(previous: Message, { from, sentAt }: Message): boolean {
  return previous.from.id === from.id && Date.parse(sentAt) - Date.parse(previous.sentAt) < PAUSE;
}
