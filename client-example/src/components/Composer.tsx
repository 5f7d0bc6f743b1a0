import { type KeyboardEvent, useEffect, useRef, useState } from "react";

interface Props {
  roomName: string;
  onSend: (text: string) => void;
}

/** Where a message is written. Enter sends it, Shift+Enter begins a new line. */
export function Composer({ roomName, onSend }: Props) {
  const [text, setText] = useState("");
  const input = useRef<HTMLTextAreaElement>(null);

  useEffect(() => {
    if (matchMedia("(hover: hover)").matches) input.current?.focus(); // on a touch screen it would raise the keyboard
  }, []);

  function send(): void {
    if (text.trim() === "") return;
    onSend(text);
    setText("");
    input.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  }

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label className="unseen" htmlFor="message">
        Message to {roomName}
      </label>
      <textarea
        id="message"
        ref={input}
        rows={1}
        placeholder={`Message to ${roomName}`}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <button type="submit" className="primary" disabled={text.trim() === ""}>
        Send
      </button>
    </form>
  );
}
