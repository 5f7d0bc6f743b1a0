import type { CSSProperties } from "react";

interface Props {
  /** Decides the colour, and the letter unless another is given. */
  name: string;
  letter?: string | undefined;
}

/** A disc with a letter. It is decoration: the name stands beside it. */
export function Avatar({ name, letter = [...name][0] ?? "" }: Props) {
  const hue = [...name].reduce((hash, character) => (hash * 31 + (character.codePointAt(0) ?? 0)) % 360, 0); // degrees
  return (
    <span className="avatar" style={{ "--hue": hue } as CSSProperties} aria-hidden="true">
      {letter.toUpperCase()}
    </span>
  );
}
