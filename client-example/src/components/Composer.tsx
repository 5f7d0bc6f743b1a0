import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import type { Room } from "../chat/rooms";
import type { MessagePartsFragment as Message } from "../gql/graphql";
import { useChat } from "../hooks/useChat";
import { type Mentionable, useMentions } from "../hooks/useMentions";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";
import { PersonName } from "./PersonName";
import "./Composer.css";

/** What the user is writing. */
export type Task = { kind: "write" } | { kind: "reply"; to: Message } | { kind: "edit"; message: Message };

interface Props {
  room: Room;
  me: string;
  task: Task;
  /** @returns false if it failed; the text then stays */
  onSubmit: (text: string) => Promise<boolean>;
  /** Called to write an ordinary message instead. */
  onCancel: () => void;
  onEditLast: () => void;
}

/** The field for a message. Enter sends it, Shift+Enter starts a new line, and the up arrow edits the user's last message. */
export function Composer({ room: { id, name, kind, members }, me, task, onSubmit, onCancel, onEditLast }: Props) {
  const chat = useChat();
  const isEditing = task.kind === "edit";
  const [text, setText] = useState(isEditing ? task.message.text : (chat.drafts.get(id) ?? ""));
  const isBusy = useRef(false);
  const input = useRef<HTMLTextAreaElement>(null);
  const listId = useId();
  const mentions = useMentions(text, kind === "GENERAL" ? undefined : members?.map(({ user }) => user).filter((user) => user.id !== me));

  useEffect(() => {
    if (task.kind !== "write" || matchMedia("(hover: hover)").matches) input.current?.focus(); // on a touch screen it opens the keyboard
  }, [task]);

  function change(next: string): void {
    setText(next);
    if (isEditing) return;
    if (next === "") chat.drafts.remove(id);
    else chat.drafts.set(id, next);
    chat.setTyping(id, next.trim() !== "");
  }

  async function submit(): Promise<void> {
    if (text.trim() === "" || isBusy.current) return;
    isBusy.current = true;
    try {
      if (!(await onSubmit(text))) return;
    } finally {
      isBusy.current = false;
    }
    setText("");
    if (!isEditing) chat.drafts.remove(id);
    input.current?.focus();
  }

  function complete(person: Mentionable): void {
    change(mentions.complete(person));
    input.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.nativeEvent.isComposing) return;
    if (mentions.onKey(event.key, complete)) event.preventDefault();
    else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      void submit();
    } else if (event.key === "Escape" && task.kind !== "write") onCancel();
    else if (event.key === "ArrowUp" && text === "" && task.kind === "write") {
      event.preventDefault();
      onEditLast();
    }
  }

  const label = isEditing ? "Edit message" : `Message to ${name}`;
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {task.kind !== "write" && (
        <div className="task">
          <Icon name={task.kind} />
          <p className="ellipsis">
            {task.kind === "edit" ? (
              <strong>Editing message</strong>
            ) : (
              <>
                <strong>
                  <bdi>{task.to.from.id === me ? "You" : task.to.from.name}</bdi>
                </strong>{" "}
                <span className="quiet">{task.to.text.slice(0, 200)}</span>
              </>
            )}
          </p>
          <button type="button" className="icon-button" aria-label={isEditing ? "Cancel editing" : "Cancel reply"} onClick={onCancel}>
            <Icon name="close" />
          </button>
        </div>
      )}
      {mentions.people.length > 0 && (
        <div className="mentions" id={listId} role="listbox" aria-label="People to mention">
          {mentions.people.map((person, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the text field handles the keys
            <div
              key={person.id}
              id={`${listId}-${index}`}
              role="option"
              aria-selected={index === mentions.chosen}
              tabIndex={-1}
              className="row small"
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => complete(person)}
            >
              <Avatar name={person.name} />
              <PersonName person={person} />
            </div>
          ))}
        </div>
      )}
      <textarea
        ref={input}
        rows={1}
        dir="auto"
        aria-label={label}
        placeholder={label}
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={mentions.people.length > 0}
        aria-controls={mentions.people.length > 0 ? listId : undefined}
        aria-activedescendant={mentions.people.length > 0 ? `${listId}-${mentions.chosen}` : undefined}
        value={text}
        onChange={(event) => change(event.target.value)}
        onKeyDown={onKeyDown}
        onBlur={() => chat.setTyping(id, false)}
      />
      <button type="submit" className="primary send" aria-label={isEditing ? "Save" : "Send"} disabled={text.trim() === ""}>
        <Icon name="send" />
      </button>
    </form>
  );
}
