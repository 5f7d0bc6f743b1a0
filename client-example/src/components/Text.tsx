import { memo } from "react";

interface Props {
  text: string;
  mentions: readonly { id: string; username: string }[];
  me: string;
}

const PARTS = /(https?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]]|@[\w.-]+)/g;

/** What someone said, as text whatever it contains. Addresses can be followed, and who is mentioned stands out. */
export const Text = memo(function Text({ text, mentions, me }: Props) {
  return (
    <p className="text" dir="auto">
      {text.split(PARTS).map((part, index) => {
        if (index % 2 === 0) return part;
        const key = index; // the parts of a text never change places
        if (!part.startsWith("@"))
          return (
            <a key={key} href={part} target="_blank" rel="noopener noreferrer nofollow">
              {part}
            </a>
          );
        const mentioned = mentions.find(({ username }) => part.slice(1).replace(/[.-]+$/, "") === username || part.slice(1) === username);
        if (!mentioned) return part;
        return (
          <mark key={key} className={mentioned.id === me ? "mention me" : "mention"}>
            {part}
          </mark>
        );
      })}
    </p>
  );
});
