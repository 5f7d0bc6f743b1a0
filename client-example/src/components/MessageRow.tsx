import { memo, useState } from "react";
import type { MessagePartsFragment as Message } from "../gql/graphql";
import { asMoment, asTime } from "../time";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";
import { asText, Marks } from "./PersonName";
import { Text } from "./Text";

interface Props {
  message: Message;
  /** The same person has just said something: their name is above. */
  follows: boolean;
  me: string;
  mayDelete: boolean;
  /** The names of those who have read up to here and no further. */
  readers: string | undefined;
  /** The one message that the Tab key leads to. */
  isEntrance: boolean;
  /** The user has jumped here. */
  isTarget: boolean;
  /** The user asked for this answer, and no later one is there. */
  mayRetry: boolean;
  onFocus: (id: string) => void;
  onJump: (id: string) => void;
  onReply: (message: Message) => void;
  onEdit: (message: Message) => void;
  onDelete: (id: string) => void;
  onReact: (message: Message, emoji: string, on: boolean) => void;
  onRetry: (messageId: string, goOn: boolean) => void;
}

const EMOJIS = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀"];

/** A message, and what one may do with it. */
export const MessageRow = memo(function MessageRow(props: Props) {
  const { message, follows, me, readers, isTarget, isEntrance, onFocus, onJump, onReact } = props;
  const { id, from, text, sentAt, editedAt, replyToId, replyTo, reactions } = message;
  const isMine = from.id === me;
  const classes = ["message", isMine && "mine", follows && "follows", isTarget && "target"].filter(Boolean).join(" ");
  return (
    <article
      className={classes}
      data-id={id}
      tabIndex={isEntrance ? 0 : -1}
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
            <time dateTime={sentAt} title={asMoment(sentAt)}>
              {asTime(sentAt)}
            </time>
          </p>
        )}
        <div className="bubble">
          {replyToId !== null &&
            (replyTo ? (
              <button type="button" className="quote" tabIndex={isEntrance ? 0 : -1} onClick={() => onJump(replyTo.id)}>
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
          <Tools {...props} isMine={isMine} />
        </div>
        {reactions.length > 0 && (
          <ul className="reactions" aria-label="Reactions">
            {reactions.map(({ emoji, count, users }) => {
              const isOn = users.some((user) => user.id === me);
              return (
                <li key={emoji}>
                  <button
                    type="button"
                    aria-pressed={isOn}
                    tabIndex={isEntrance ? 0 : -1}
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
            This answer is not complete.
            {props.mayRetry && (
              <>
                <button type="button" className="link" tabIndex={isEntrance ? 0 : -1} onClick={() => props.onRetry(id, true)}>
                  Continue
                </button>
                <button type="button" className="link" tabIndex={isEntrance ? 0 : -1} onClick={() => props.onRetry(id, false)}>
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

function Tools({ message, isMine, mayDelete, isEntrance, onReply, onEdit, onDelete, onReact, me }: Props & { isMine: boolean }) {
  const [open, setOpen] = useState<"emojis" | "deleting">();
  const tabIndex = isEntrance ? 0 : -1;
  const close = () => setOpen(undefined);

  if (open === "emojis")
    return (
      <div className="tools open" role="toolbar" aria-label="Choose a reaction" onKeyDown={(event) => event.key === "Escape" && close()}>
        {EMOJIS.map((emoji) => {
          const isOn = message.reactions.some((one) => one.emoji === emoji && one.users.some(({ id }) => id === me));
          return (
            <button
              key={emoji}
              type="button"
              className="icon-button"
              onClick={() => {
                onReact(message, emoji, !isOn);
                close();
              }}
            >
              {emoji}
            </button>
          );
        })}
        <button type="button" className="icon-button" aria-label="No reaction" onClick={close}>
          <Icon name="close" />
        </button>
      </div>
    );
  if (open === "deleting")
    return (
      <div className="tools open" role="toolbar" aria-label="Delete this message?" onKeyDown={(event) => event.key === "Escape" && close()}>
        <button type="button" className="danger" onClick={() => onDelete(message.id)}>
          Delete
        </button>
        <button type="button" className="link" onClick={close}>
          Keep
        </button>
      </div>
    );
  return (
    <div className="tools" role="toolbar" aria-label="What to do with this message">
      <button type="button" className="icon-button" aria-label="React" tabIndex={tabIndex} onClick={() => setOpen("emojis")}>
        <Icon name="react" />
      </button>
      <button type="button" className="icon-button" aria-label="Reply" tabIndex={tabIndex} onClick={() => onReply(message)}>
        <Icon name="reply" />
      </button>
      {isMine && (
        <button type="button" className="icon-button" aria-label="Edit" tabIndex={tabIndex} onClick={() => onEdit(message)}>
          <Icon name="edit" />
        </button>
      )}
      {mayDelete && (
        <button type="button" className="icon-button" aria-label="Delete" tabIndex={tabIndex} onClick={() => setOpen("deleting")}>
          <Icon name="delete" />
        </button>
      )}
    </div>
  );
}
