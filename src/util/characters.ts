/**
 * The characters that texts and names may have, by Unicode property. A character is a code point, here and in every limit that counts
 * characters: a letter of two code points counts as two, a family emoji as seven.
 */

/**
 * Characters without a glyph that no Unicode property identifies: BRAILLE PATTERN BLANK, MUSICAL SYMBOL NULL NOTEHEAD, EGYPTIAN HIEROGLYPH
 * FULL BLANK and HALF BLANK.
 */
const BLANKS = "\\u2800\\u{1D159}\\u{13441}\\u{13442}";

/** Emoji that are newer than this program's Unicode data are unassigned there, but already have the property Extended_Pictographic. */
const VISIBLE = new RegExp(`[^\\s\\p{C}\\p{M}\\p{Default_Ignorable_Code_Point}${BLANKS}]|\\p{Extended_Pictographic}`, "u");

/** Whether a text is invisible: empty, or only white space, invisible characters and marks without a letter. */
export const isBlank = (text: string) => !VISIBLE.test(text);

/** Whether a text has more than `most` characters. */
export const isLonger = (text: string, most: number) => text.length > most && (text.length > 2 * most || [...text].length > most);

// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression looks for them
const CONTROLS = /(?!\t|\n|\r\n)[\0-\x1f\x7f-\x9f]/g;

/** Whether a text has control characters other than tabs and line breaks (LF or CRLF). */
export const hasControls = (text: string) => text.search(CONTROLS) >= 0;

/** Removes these control characters. A CR without LF, which some programs use to end a line, becomes a line break. */
export const withoutControls = (text: string) => text.replace(CONTROLS, (found) => (found === "\r" ? "\n" : ""));

/** Scripts in which a joiner between two letters changes their shape. */
const JOINED =
  "Arabic Syriac Mongolian Nko Mandaic Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Khmer Myanmar Tibetan Balinese Javanese Sundanese Chakma Grantha Tirhuta Newa"
    .split(" ")
    .map((script) => `\\p{Script=${script}}`)
    .join("");

/**
 * Invisible characters that are needed: joiners between letters of these scripts, and in an old spelling of Malayalam's final consonants;
 * variation selectors after characters with variants; and the characters that join the parts of an emoji.
 */
const NEEDED = new RegExp(
  [
    `(?<=[${JOINED}])[\\u200C\\u200D](?=[${JOINED}])`,
    "(?<=\\p{Script=Malayalam}\\p{M})\\u200D",
    "(?<=[\\p{Emoji}\\p{Extended_Pictographic}])[\\uFE0E\\uFE0F]",
    "(?<=\\p{Ideographic})[\\uFE00-\\uFE02\\u{E0100}-\\u{E01EF}]",
    "(?<=\\p{Script=Mongolian})[\\u180B-\\u180D\\u180F]",
    "(?<=\\p{Extended_Pictographic}[\\p{Emoji_Modifier}\\uFE0F]?)\\u200D(?=\\p{Extended_Pictographic})",
    "(?<=\\u{1F3F4})[\\u{E0020}-\\u{E007E}]{1,8}\\u{E007F}", // flags of subdivisions, such as Scotland
  ].join("|"),
  "gu",
);

const IN_NO_NAME = /[\p{C}\p{Default_Ignorable_Code_Point}]/u;

/** Emoji, including unassigned ones. */
const PICTURES = /\p{Extended_Pictographic}/gu;

/**
 * Whether a name can be displayed unchanged: it is visible, and contains no unneeded invisible characters, no characters that reverse the
 * text direction, and no leading mark that would combine with the text before it.
 */
export function isShowable(name: string): boolean {
  return (
    !isBlank(name) && name === name.trim() && !/^\p{M}/u.test(name) && !IN_NO_NAME.test(name.replace(NEEDED, "").replace(PICTURES, ""))
  );
}
