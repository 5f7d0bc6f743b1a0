import type { CSSProperties } from "react";

interface Props {
  /** Determines the colour, and the letter unless `letter` is given. */
  name: string;
  letter?: string | undefined;
  /** Undefined for an avatar without a dot. */
  isOnline?: boolean | undefined;
}

/** A disc with a letter, and a dot for presence. The name is beside it. */
export function Avatar({ name, letter = [...name][0] ?? "", isOnline }: Props) {
  const hue = [...name].reduce((hash, character) => (hash * 31 + (character.codePointAt(0) ?? 0)) % 360, 0); // degrees
  return (
    <span className="avatar" style={{ "--hue": hue } as CSSProperties}>
      <span aria-hidden="true">{letter.toUpperCase()}</span>
      {isOnline !== undefined && (
        <span className={isOnline ? "dot online" : "dot"}>
          <span className="unseen">{isOnline ? " online" : " offline"}</span>
        </span>
      )}
    </span>
  );
}
