import { memo } from "react";
import type { MessagePartsFragment as Message } from "../gql/graphql";
import { asMoment, asTime } from "../time";
import { Avatar } from "./Avatar";
import { MessageTools } from "./MessageTools";
import { asText, Marks } from "./PersonName";
import { Text } from "./Text";

interface Props {
  message: Message;
  /** The same sender's previous message is recent, so the name is above. */
  follows: boolean;
  me: string;
  mayDelete: boolean;
  /** Whether the message is pinned; undefined where messages cannot be pinned. */
  isPinned: boolean | undefined;
  /** The names of members who have read up to here and no further. */
  readers: string | undefined;
  /** The message has, or was the last to have, the focus in the list: the Tab key leads on to its buttons. */
  isFocused: boolean;
  /** The user has jumped to this message. */
  isTarget: boolean;
  /** The user asked the question, and this is the last answer to it. */
  mayRetry: boolean;
  onFocus: (id: string) => void;
  onJump: (id: string) => void;
  onReply: (message: Message) => void;
  onEdit: (message: Message) => void;
  onDelete: (id: string) => unknown;
  onPin: (id: string, on: boolean) => unknown;
  onReact: (message: Message, emoji: string, on: boolean) => unknown;
  onRetry: (messageId: string, goOn: boolean) => unknown;
}

/** A message and its actions. */
export const MessageRow = memo(function MessageRow(props: Props) {
  const { message, follows, me, readers, isTarget, isFocused, onFocus, onJump, onReact } = props;
  const { id, from, text, sentAt, editedAt, replyToId, replyTo, reactions } = message;
  const isMine = from.id === me;
  const tabIndex = isFocused ? 0 : -1;
  const classes = ["message", isMine && "mine", follows && "follows", isTarget && "target"].filter(Boolean).join(" ");
  const time = (
    <time dateTime={sentAt} title={asMoment(sentAt)}>
      {asTime(sentAt)}
    </time>
  );
  return (
    <article
      className={classes}
      data-id={id}
      tabIndex={tabIndex}
      aria-label={`${isMine ? "You" : asText(from)}, ${asTime(sentAt)}`}
      onFocus={() => onFocus(id)}
    >
      {!isMine && <div className="face">{!follows && <Avatar name={from.name} />}</div>}
      <div className="said">
        {!follows && (
          <p className="meta">
            {!isMine && (
              <>
                <strong className="ellipsis">
                  <bdi>{from.name}</bdi>
                </strong>
                <Marks person={from} />
              </>
            )}
            {time}
          </p>
        )}
        <MessageTools {...props} isMine={isMine} time={follows ? time : undefined}>
          <div className="bubble">
            {replyToId !== null &&
              (replyTo ? (
                <button type="button" className="quote" tabIndex={tabIndex} onClick={() => onJump(replyTo.id)}>
                  <strong>
                    <bdi>{replyTo.from.id === me ? "You" : replyTo.from.name}</bdi>
                  </strong>{" "}
                  {replyTo.from.id !== me && <Marks person={replyTo.from} />}
                  <span className="ellipsis">{replyTo.text.slice(0, 200)}</span>
                </button>
              ) : (
                <p className="quote quiet">This message was deleted.</p>
              ))}
            <Text text={text} mentions={message.mentionRanges} me={me} />
            {editedAt !== null && (
              <span className="quiet edited" title={asMoment(editedAt)}>
                edited
              </span>
            )}
          </div>
        </MessageTools>
        {reactions.length > 0 && (
          <ul className="reactions" aria-label="Reactions">
            {reactions.map(({ emoji, count, users }) => {
              const isOn = users.some((user) => user.id === me);
              return (
                <li key={emoji}>
                  <button
                    type="button"
                    aria-pressed={isOn}
                    tabIndex={tabIndex}
                    title={users.map(({ name }) => name).join(", ")}
                    onClick={() => onReact(message, emoji, !isOn)}
                  >
                    {emoji} {count}
                  </button>
                </li>
              );
            })}
          </ul>
        )}
        {message.incomplete !== null && (
          <p className="unfinished quiet">
            This answer is incomplete.
            {props.mayRetry && (
              <>
                <button type="button" className="link" tabIndex={tabIndex} onClick={() => props.onRetry(id, true)}>
                  Continue
                </button>
                <button type="button" className="link" tabIndex={tabIndex} onClick={() => props.onRetry(id, false)}>
                  Try again
                </button>
              </>
            )}
          </p>
        )}
        {readers !== undefined && <p className="readers quiet">Read by {readers}</p>}
      </div>
    </article>
  );
});
