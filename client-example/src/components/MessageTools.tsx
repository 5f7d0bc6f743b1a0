import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import type { MessagePartsFragment as Message } from "../gql/graphql";
import { Icon } from "./Icon";

interface Props {
  message: Message;
  me: string;
  isMine: boolean;
  mayDelete: boolean;
  /** Whether the message is pinned; undefined where messages cannot be pinned. */
  isPinned: boolean | undefined;
  /** Whether the Tab key leads to the buttons. */
  isFocused: boolean;
  /** When the message was sent, if the row does not show it above. */
  time: ReactNode;
  onReply: (message: Message) => void;
  onEdit: (message: Message) => void;
  onDelete: (id: string) => unknown;
  onPin: (id: string, on: boolean) => unknown;
  onReact: (message: Message, emoji: string, on: boolean) => unknown;
  /** The bubble beside the buttons. */
  children: ReactNode;
}

const EMOJIS = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀"];

/** A bubble with its message's buttons beside it, and below it what a button opens. Each has its own space, so nothing is covered. */
export function MessageTools(props: Props) {
  const { message, me, isMine, mayDelete, isPinned, isFocused, time, onReply, onEdit, onDelete, onPin, onReact, children } = props;
  const [open, setOpen] = useState<"emojis" | "deleting">();
  const opened = useRef<HTMLDivElement>(null);
  const tabIndex = isFocused ? 0 : -1;

  useEffect(() => {
    if (open) opened.current?.querySelector("button")?.focus();
  }, [open]);

  function close(): void {
    opened.current?.closest<HTMLElement>(".message")?.focus({ preventScroll: true }); // the focused element is removed
    setOpen(undefined);
  }
  const onKeyDown = (event: KeyboardEvent) => event.key === "Escape" && close();

  return (
    <>
      <div className="line">
        {children}
        <div className="tools" role="toolbar" aria-label="Message actions">
          {time}
          <button type="button" className="icon-button" aria-label="React" tabIndex={tabIndex} onClick={() => setOpen("emojis")}>
            <Icon name="react" />
          </button>
          <button type="button" className="icon-button" aria-label="Reply" tabIndex={tabIndex} onClick={() => onReply(message)}>
            <Icon name="reply" />
          </button>
          {isPinned !== undefined && (
            <button
              type="button"
              className="icon-button"
              aria-label="Pin"
              aria-pressed={isPinned}
              tabIndex={tabIndex}
              onClick={() => onPin(message.id, !isPinned)}
            >
              <Icon name="pin" />
            </button>
          )}
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
      </div>
      {open === "emojis" && (
        <div className="opened" ref={opened} role="toolbar" aria-label="Choose a reaction" onKeyDown={onKeyDown}>
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
          <button type="button" className="icon-button" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        </div>
      )}
      {open === "deleting" && (
        <div className="opened" ref={opened} role="toolbar" aria-label="Delete this message?" onKeyDown={onKeyDown}>
          <button
            type="button"
            className="danger"
            onClick={({ currentTarget }) => {
              currentTarget.closest<HTMLElement>(".scroller")?.focus({ preventScroll: true }); // the row is removed
              onDelete(message.id);
            }}
          >
            Delete message
          </button>
          <button type="button" className="link" onClick={close}>
            Cancel
          </button>
        </div>
      )}
    </>
  );
}
