import { badInput } from "../errors.js";

const LONGEST = 64; // bytes; two people who kiss, each with a colour of their own, take 35

/** One emoji: a flag, a keycap, or pictures with their colour or tags, joined or alone. Those that Unicode has kept places for are among them. */
const EMOJI = (() => {
  const picture = "\\p{Extended_Pictographic}(?:\\p{Emoji_Modifier}|\\uFE0F)?(?:[\\u{E0020}-\\u{E007E}]+\\u{E007F})?";
  return new RegExp(`^(?:\\p{RI}{2}|[0-9#*]\\uFE0F?\\u20E3|${picture}(?:\\u200D${picture})*)$`, "u");
})();

const characters = new Intl.Segmenter("en", { granularity: "grapheme" });

/**
 * An emoji in the one form in which it is kept: keyboards leave out the selector that makes a character a picture, or put it where none is
 * needed.
 * @throws ChatError BAD_USER_INPUT unless it is exactly one emoji
 */
export function readEmoji(text: string): string {
  const isOne = Buffer.byteLength(text) <= LONGEST && EMOJI.test(text) && [...characters.segment(text)].length === 1;
  if (!isOne) throw badInput("emoji", "must be one emoji.");
  return text
    .replace(/(\p{Emoji_Presentation})\uFE0F/gu, "$1")
    .replace(/((?!\p{Emoji_Presentation})\p{Extended_Pictographic}|^[0-9#*])(?![\uFE0F\p{Emoji_Modifier}])/gu, "$1\uFE0F");
}
