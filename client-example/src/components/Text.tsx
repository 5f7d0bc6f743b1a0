import { memo, type ReactNode } from "react";

interface Props {
  text: string;
  /** Where someone is mentioned, as the server says, in order. */
  mentions: readonly { start: number; length: number; user: { id: string } }[];
  me: string;
}

const LINK = /(https?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]])/g;

/** What someone said, as text whatever it contains. Addresses can be followed, and who is mentioned stands out. */
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

/** A part of a text, with its addresses as links. @param at where it begins */
function linked(part: string, at: number): ReactNode[] {
  return part.split(LINK).map((piece, index) => {
    if (index % 2 === 0) return piece;
    const key = `${at} ${index}`; // the pieces of a text never change places
    return (
      <a key={key} href={piece} target="_blank" rel="noopener noreferrer nofollow">
        {piece}
      </a>
    );
  });
}
