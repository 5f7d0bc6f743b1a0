import { memo, type ReactNode } from "react";

interface Props {
  text: string;
  /** The ranges that mention someone, in order, from the server. */
  mentions: readonly { start: number; length: number; user: { id: string } }[];
  me: string;
}

const LINK = /(https?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]])/g;

/** A message's text, always shown as plain text. URLs become links, and mentions are highlighted. */
export const Text = memo(function Text({ text, mentions, me }: Props) {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const { start, length, user } of mentions) {
    parts.push(
      ...linked(text.slice(at, start), at),
      <mark key={start} className={user.id === me ? "mention me" : "mention"}>
        {text.slice(start, start + length)}
      </mark>,
    );
    at = start + length;
  }
  return (
    <p className="text" dir="auto">
      {[...parts, ...linked(text.slice(at), at)]}
    </p>
  );
});

/** A part of a text, with its URLs as links. @param at where the part begins */
function linked(part: string, at: number): ReactNode[] {
  return part.split(LINK).map((piece, index) => {
    if (index % 2 === 0) return piece;
    const key = `${at} ${index}`; // the pieces of a text never change their order
    return (
      <a key={key} href={piece} target="_blank" rel="noopener noreferrer nofollow">
        {piece}
      </a>
    );
  });
}
