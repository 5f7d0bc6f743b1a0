import { mentionKey, UNSPACED } from "../users/fold.js";
import type { UserId } from "../util/ids.js";

/** A username that the text behind an `@` may denote. */
export interface PossibleName {
  /** The name as written, in Unicode's composed form, without invisible characters. */
  name: string;
  /** The form in which usernames are compared: see `mentionKey`. */
  key: string;
  /** Length of the mention in the text, including the `@`. */
  length: number;
}

/** An `@` that may start a mention. */
export interface MentionPlace {
  /** Position of the `@` in the text, in UTF-16 code units like all positions here. */
  start: number;
  /** Candidates, longest first; the first that belongs to a user is the mention. */
  names: PossibleName[];
}

/** A mention of a user, with its place in the text. */
export interface FoundMention {
  start: number;
  length: number;
  userId: UserId;
}

const MOST_PLACES = 200; // number of `@` in a text that can start a mention
const MOST_WRITTEN = 20; // different names in a text, as written
const MOST_NAMES = 200; // candidates for all of these together
const LONGEST_NAME = 32; // characters; the limit for registration, too
const LONGEST_WRITTEN = 128; // characters that are read: a decomposed letter can have three

const NAME = new RegExp(`[\\p{L}\\p{M}\\p{N}\\p{Default_Ignorable_Code_Point}._-]{1,${LONGEST_WRITTEN}}`, "uy");
const AT = /[@＠]/g;
const PUNCTUATION = /^[._-]/;
const LETTER = /^\p{L}/u;
const LETTERS =
  "Latin Greek Cyrillic Armenian Hebrew Arabic Syriac Thaana Nko Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Georgian Hangul Ethiopic Cherokee Khmer Mongolian Han Hiragana Katakana Bopomofo Yi Tifinagh"
    .split(" ")
    .map((script) => new RegExp(`^\\p{Script_Extensions=${script}}`, "u"));

const scripts = new Map<number, number>();
const MOST_REMEMBERED = 10_000; // letters

/** The script of a text's first letter, as an index into `LETTERS`; -1 for any other script. */
function scriptOf(text: string): number {
  const letter = text.codePointAt(0) as number;
  let script = scripts.get(letter);
  if (script === undefined) {
    script = LETTERS.findIndex((one) => one.test(text));
    if (scripts.size < MOST_REMEMBERED) scripts.set(letter, script);
  }
  return script;
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/**
 * The places where a text may mention a user, in the order of the text. This is the only implementation of the grammar in
 * docs/MENTIONS.md; all code that needs the mentions of a text calls it. It reads the first 200 `@`, at most 20 different names behind
 * them, and at most 200 candidates for these names. Beyond that, its cost grows only with the length of the text.
 */
export function mentionPlaces(text: string): MentionPlace[] {
  const places: MentionPlace[] = [];
  const known = new Map<string, PossibleName[]>();
  let hidden: Range[] | undefined;
  let looks = MOST_PLACES;
  let room = MOST_NAMES;
  for (const { index } of text.matchAll(AT)) {
    if (looks-- === 0) break;
    NAME.lastIndex = index + 1;
    const written = NAME.exec(text)?.[0];
    if (written === undefined || isAddress(text, index, written)) continue;
    hidden ??= hiddenRanges(text);
    while (hidden[0] && hidden[0].to <= index) hidden.shift();
    if (hidden[0] && hidden[0].from <= index) continue;
    let names = known.get(written);
    if (!names) {
      if (known.size === MOST_WRITTEN || room === 0) continue;
      names = possibleNames(written).slice(0, room);
      room -= names.length;
      known.set(written, names);
    }
    if (names.length > 0) places.push({ start: index, names });
  }
  return places;
}

/**
 * The mentions at these places.
 * @param userOf returns the id of the user with that name
 */
export function foundMentions(places: readonly MentionPlace[], userOf: (name: PossibleName) => UserId | undefined): FoundMention[] {
  return places.flatMap(({ start, names }) => {
    for (const name of names) {
      const userId = userOf(name);
      if (userId !== undefined) return { start, length: name.length, userId };
    }
    return [];
  });
}

/** A text without its leading mentions. Of the candidates at each place, the longest that is written in one script counts. */
export function withoutLeadingMentions(text: string): string {
  let rest = text.trimStart();
  for (;;) {
    const [place] = mentionPlaces(rest.slice(0, LONGEST_WRITTEN + 1));
    if (place?.start !== 0) return rest;
    const { length } = place.names.find(({ name }) => isOfOneScript(name)) ?? (place.names[0] as PossibleName);
    rest = rest.slice(length).replace(/^(?:(?![@＠])[\s\p{P}])+/u, "");
  }
}

const isOfOneScript = (name: string) => new Set((name.match(/\p{L}/gu) ?? []).map(scriptOf)).size === 1;

/** The candidates for the text behind an `@`: the whole text, and each prefix that ends where a name may end. */
function possibleNames(written: string): PossibleName[] {
  const letters = [...graphemes.segment(written)];
  const names: PossibleName[] = [];
  let script = -1; // of the last letter
  for (const [index, { segment }] of letters.entries()) {
    if (LETTER.test(segment)) script = scriptOf(segment);
    const next = letters[index + 1];
    const ends =
      !next ||
      PUNCTUATION.test(next.segment) ||
      PUNCTUATION.test(segment) ||
      UNSPACED.test(segment) ||
      (script >= 0 && LETTER.test(next.segment) && scriptOf(next.segment) !== script);
    if (!ends) continue;
    const end = next?.index ?? written.length;
    const name = written
      .slice(0, end)
      .normalize("NFC")
      .replace(/\p{Default_Ignorable_Code_Point}/gu, "");
    if (name !== "" && [...name].length <= LONGEST_NAME) names.push({ name, key: mentionKey(name), length: end + 1 });
  }
  return names.reverse();
}

/**
 * Whether the `@` at this place belongs to an address such as ada@example.com, because a letter of the same script or a digit precedes it.
 * A mention can start directly after a letter of another script, or of a script without spaces.
 */
function isAddress(text: string, at: number, written: string): boolean {
  let end = at;
  while (/[_%+-]/.test(text[end - 1] ?? "")) end--;
  const before = [...text.slice(Math.max(0, end - LONGEST_WRITTEN), end)];
  const word = before.slice(before.findLastIndex((character) => !IN_WORD.test(character)) + 1);
  const letter = word.findLast((character) => LETTER.test(character));
  if (letter === undefined) return word.some((character) => /\p{N}/u.test(character));
  if (UNSPACED.test(letter)) return false;
  return !LETTER.test(written) || scriptOf(letter) === scriptOf(written);
}

const IN_WORD = /^[\p{L}\p{M}\p{N}\p{Default_Ignorable_Code_Point}]/u;

interface Range {
  from: number;
  to: number;
}

/** The ranges without mentions, in order: code, links and web addresses. */
function hiddenRanges(text: string): Range[] {
  const fences = fencedRanges(text);
  const shown = blanked(text, fences);
  const spans = codeSpans(shown);
  const links = [...blanked(shown, spans).matchAll(LINKS)].map(({ 0: link, index }) => ({ from: index, to: index + link.length }));
  return [...fences, ...spans, ...links].sort((one, other) => one.from - other.from);
}

/** A text with these ranges replaced by spaces, so that positions stay the same. */
function blanked(text: string, ranges: readonly Range[]): string {
  let result = "";
  let at = 0;
  for (const { from, to } of ranges) {
    result += `${text.slice(at, from)}${" ".repeat(to - from)}`;
    at = to;
  }
  return result + text.slice(at);
}

const IN_URL = '[^\\s<>"`\\u3001-\\u3003\\u3008-\\u3011\\uFF01\\uFF0C\\uFF1A\\uFF1B\\uFF1F]*';

/** Markdown links and bare web addresses. No part can match in two ways, so that matching reads each character once. */
const LINKS = new RegExp(
  [
    "\\[[^\\[\\]]*\\]\\([^()\\n]*\\)",
    `(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,31}://${IN_URL}`,
    `(?<![\\p{L}\\p{N}.-])(?:[\\p{L}\\p{N}-]{1,63}\\.){1,8}\\p{L}{2,24}(?::\\d{1,5})?/${IN_URL}`,
  ].join("|"),
  "giu",
);

/** Code blocks between lines of ``` or ~~~; an unclosed block extends to the end of the text. */
function fencedRanges(text: string): Range[] {
  const ranges: Range[] = [];
  let open: { fence: string; from: number } | undefined;
  for (const { 0: line, 1: fence = "", 2: rest = "", index } of text.matchAll(/^ {0,3}(`{3,}|~{3,})(.*)$/gm)) {
    if (!open) {
      if (fence.startsWith("~") || !rest.includes("`")) open = { fence, from: index };
    } else if (fence.startsWith(open.fence) && rest.trim() === "") {
      ranges.push({ from: open.from, to: index + line.length });
      open = undefined;
    }
  }
  return open ? [...ranges, { from: open.from, to: text.length }] : ranges;
}

/** Code between two runs of backticks of the same length. */
function codeSpans(text: string): Range[] {
  const runs = [...text.matchAll(/`+/g)].map(({ 0: run, index }) => ({ length: run.length, index }));
  const byLength = new Map<number, number[]>(); // positions of the runs, last first
  for (const { length, index } of runs.toReversed()) {
    const places = byLength.get(length);
    if (places) places.push(index);
    else byLength.set(length, [index]);
  }
  const ranges: Range[] = [];
  let end = 0;
  for (const { length, index } of runs) {
    if (index < end) continue;
    const later = byLength.get(length) ?? [];
    while (later.length > 0 && (later.at(-1) as number) <= index) later.pop();
    const close = later.at(-1);
    if (close === undefined) continue;
    end = close + length;
    ranges.push({ from: index, to: end });
  }
  return ranges;
}
