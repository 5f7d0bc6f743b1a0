import anyAscii from "any-ascii";

/** Characters that are invisible, or only select a variant of a letter. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/** Removes letter case in all scripts: ß becomes ss, all sigmas are equal, and so are all forms of i. */
const uncased = (text: string) => text.toUpperCase().toLowerCase().replaceAll("ς", "σ").replaceAll("i\u0307", "i");

/**
 * The form in which mentions compare a username, independent of letter case, Unicode form and invisible characters. Accents count,
 * because `jose` and `josé` can be two users.
 */
export function mentionKey(username: string): string {
  return uncased(username.toWellFormed().normalize("NFKC").replace(INVISIBLE, "")).normalize("NFKC");
}

/** Marks above and below letters that writers of these scripts often omit. In others, such as Devanagari or Thai, they are vowels. */
const OPTIONAL_MARKS =
  /([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}])\p{Mn}+/gu;

/** Letters without a decomposition, such as đ, ø and ł, and the digits of all scripts. */
const TO_ASCII = /(?!\p{ASCII})[\p{Script=Latin}\p{Nd}]/gu;

/** Letters of the Arabic script that differ between Persian, Urdu and Arabic keyboards and are used for one another. */
const ARABIC: Record<string, string> = { ی: "ي", ى: "ي", ې: "ي", ے: "ي", ک: "ك", ڪ: "ك", ہ: "ه", ھ: "ه", ە: "ه", ة: "ه", ٱ: "ا" };
const ARABIC_VARIANTS = new RegExp(`[${Object.keys(ARABIC).join("")}]`, "g");

/** All apostrophes that people type in O’Brien or Hawaiʻi. They do not end a word. */
const APOSTROPHES = /(?<=[\p{L}\p{M}])['’‘`´ʼʻʾʿ＇](?=\p{L})/gu;

/** Folds a text for search: removes letter case, accents and variants of letters, and keeps spaces and punctuation. */
function folded(text: string): string {
  return uncased(
    text
      .toWellFormed()
      .normalize("NFKD")
      .replace(INVISIBLE, "")
      .replaceAll("ـ", "") // tatweel, which only stretches a word
      .replace(OPTIONAL_MARKS, "$1")
      .replace(TO_ASCII, (letter) => anyAscii(letter) || letter)
      .replace(ARABIC_VARIANTS, (letter) => ARABIC[letter] as string),
  ).normalize("NFKC");
}

const SEPARATORS = /[\s\p{P}\p{Cc}]+/gu;

/**
 * The form in which a text is searched: its folded words, separated by single spaces. Punctuation counts only in a text without words,
 * such as some names of demo app users.
 */
export function searchKey(text: string): string {
  const plain = folded(text);
  const words = plain.replace(APOSTROPHES, "").replace(SEPARATORS, " ").trim();
  return words || plain.replace(/[\s\p{Cc}]+/gu, " ").trim();
}

/** Matches a text whose first letter is of a script that writes words without spaces: each letter may start or end a word. */
export const UNSPACED =
  /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]/u;

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Search keys of a name: from each word on, from each part after an apostrophe, and in scripts without spaces from each letter on. */
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
