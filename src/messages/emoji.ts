import { badInput } from "../util/errors.js";

const LONGEST = 64; // bytes; a kiss between two people with different skin tones takes 35

/** One emoji: a flag, a keycap, or pictographs with skin tones or tags, single or joined. Code points reserved for emoji match too. */
const EMOJI = (() => {
  const picture = "\\p{Extended_Pictographic}(?:\\p{Emoji_Modifier}|\\uFE0F)?(?:[\\u{E0020}-\\u{E007E}]+\\u{E007F})?";
  return new RegExp(`^(?:\\p{RI}{2}|[0-9#*]\\uFE0F?\\u20E3|${picture}(?:\\u200D${picture})*)$`, "u");
})();

const characters = new Intl.Segmenter("en", { granularity: "grapheme" });

/**
 * Normalizes an emoji to the one form that is stored: some keyboards omit the selector that turns a character into a picture, others add it
 * where it is not needed.
 * @throws ChatError BAD_USER_INPUT unless it is exactly one emoji
 */
export function readEmoji(text: string): string {
  const isOne = Buffer.byteLength(text) <= LONGEST && EMOJI.test(text) && [...characters.segment(text)].length === 1;
  if (!isOne) throw badInput("emoji", "must be one emoji.");
  return text
    .replace(/(\p{Emoji_Presentation})\uFE0F/gu, "$1")
    .replace(/((?!\p{Emoji_Presentation})\p{Extended_Pictographic}|^[0-9#*])(?![\uFE0F\p{Emoji_Modifier}])/gu, "$1\uFE0F");
}
