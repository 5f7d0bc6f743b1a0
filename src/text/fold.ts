import anyAscii from "any-ascii";

/** What shows nothing, or only chooses between variants of a letter. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/** Without letter case, in all scripts: ß is ss, every sigma and every i is one. */
const uncased = (text: string) => text.toUpperCase().toLowerCase().replaceAll("ς", "σ").replaceAll("i\u0307", "i");

/**
 * A username as mentions compare it: whatever the letter case, the Unicode form, and what does not show. Accents count, as `jose` and
 * `josé` can be two users.
 */
export function mentionKey(username: string): string {
  return uncased(username.toWellFormed().normalize("NFKC").replace(INVISIBLE, "")).normalize("NFKC");
}

/** Marks above and below letters of these scripts are often left out. In others, as in Devanagari or Thai, they are vowels. */
const OPTIONAL_MARKS =
  /([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}])\p{Mn}+/gu;

/** Letters that no decomposition takes apart, as đ, ø and ł, and the digits of all scripts. */
const TO_ASCII = /(?!\p{ASCII})[\p{Script=Latin}\p{Nd}]/gu;

/** Letters of Arabic script that are typed for one another, on Persian, Urdu and Arabic keyboards. */
const ARABIC: Record<string, string> = { ی: "ي", ى: "ي", ې: "ي", ے: "ي", ک: "ك", ڪ: "ك", ہ: "ه", ھ: "ه", ە: "ه", ة: "ه", ٱ: "ا" };
const ARABIC_VARIANTS = new RegExp(`[${Object.keys(ARABIC).join("")}]`, "g");

/** In O’Brien and Hawaiʻi, whichever key was at hand. They do not end a word. */
const APOSTROPHES = /(?<=[\p{L}\p{M}])['’‘`´ʼʻʾʿ＇](?=\p{L})/gu;

/** A text as it is searched by, but for the words that it has: letter case, accents and variants of letters do not count. */
function folded(text: string): string {
  return uncased(
    text
      .toWellFormed()
      .normalize("NFKD")
      .replace(INVISIBLE, "")
      .replaceAll("ـ", "") // only makes a word longer
      .replace(OPTIONAL_MARKS, "$1")
      .replace(TO_ASCII, (letter) => anyAscii(letter) || letter)
      .replace(ARABIC_VARIANTS, (letter) => ARABIC[letter] as string),
  ).normalize("NFKC");
}

const SEPARATORS = /[\s\p{P}\p{Cc}]+/gu;

/**
 * A text as it is searched by: its words, with a space between. Punctuation counts only where there is nothing else, as in a name of a
 * demo app's.
 */
export function searchKey(text: string): string {
  const plain = folded(text);
  const words = plain.replace(APOSTROPHES, "").replace(SEPARATORS, " ").trim();
  return words || plain.replace(/[\s\p{Cc}]+/gu, " ").trim();
}

/** What begins with a letter of these scripts, whose words follow each other without a space: each letter may begin one, or end one. */
export const UNSPACED =
  /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]/u;

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The search key of a name from each of its words on, and from what follows an apostrophe; in scripts without spaces from each letter on. */
export function wordBeginnings(name: string): string[] {
  const plain = folded(name);
  const keys = new Set<string>();
  for (const text of [plain.replace(APOSTROPHES, ""), plain]) {
    const words = text.replace(SEPARATORS, " ").trim().split(" ");
    for (const [index, word] of words.entries()) {
      const rest = words.slice(index).join(" ");
      keys.add(rest);
      for (const { segment, index: at } of graphemes.segment(word)) if (UNSPACED.test(segment)) keys.add(rest.slice(at));
    }
  }
  keys.delete("");
  return keys.size > 0 ? [...keys] : [searchKey(name)];
}
