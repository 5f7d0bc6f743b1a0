import { describe, expect, it } from "vitest";
import { foundMentions, mentionPlaces, withoutLeadingMentions } from "../../src/messages/mentions.js";
import { mentionKey, searchKey, wordBeginnings } from "../../src/users/fold.js";
import { hasControls, isBlank, isLonger, isShowable, withoutControls } from "../../src/util/characters.js";
import type { UserId } from "../../src/util/ids.js";
import { user } from "../helpers/ids.js";
import { MENTION_EXAMPLES, MENTIONABLE } from "../helpers/mention-examples.js";

const byKey = new Map(MENTIONABLE.map((username) => [mentionKey(username), username]));

function mentionsIn(text: string): string[] {
  return foundMentions(mentionPlaces(text), ({ key }) => byKey.get(key) as UserId | undefined).map(({ start, length, userId }) => {
    expect(text[start]).toMatch(/[@＠]/);
    const written = text.slice(start + 1, start + length);
    return written === userId ? userId : `${written}=${userId}`;
  });
}

describe("mentions", () => {
  it.each(MENTION_EXAMPLES)("[MENT3] %s: %j", (_rule, text, ...mentioned) => {
    expect(mentionsIn(text)).toEqual(mentioned);
  });

  it("[MENT3] are possible for every username that can be registered, whatever its characters", () => {
    for (const username of [
      "x".repeat(32),
      "..",
      "-_-",
      "名".repeat(32),
      "a.b-c_d.e",
      "9lives",
      "ế".repeat(32),
      "한".repeat(32),
      "1.2",
      "ß",
      "ǆ",
    ]) {
      const key = mentionKey(username);
      for (const text of [`@${username}`, `(@${username})`, `hi @${username.normalize("NFD")} hi`])
        expect(
          foundMentions(mentionPlaces(text), (name) => (name.key === key ? user("1") : undefined)),
          text,
        ).toHaveLength(1);
    }
  });

  it("[MENT5] need at most 200 lookups, for 20 names, however many there are, in linear time", () => {
    const hostile = [
      "@".repeat(64_000),
      "@a ".repeat(20_000),
      "a@".repeat(32_000),
      `@${"山".repeat(32)} `.repeat(1_900),
      Array.from({ length: 1_900 }, (_, n) => `@${"名".repeat(28)}${String.fromCodePoint(0x4e00 + n)}`).join(" "),
      `@${"aあ".repeat(16)} `.repeat(1_900),
      `${"`".repeat(32_000)} ${"`".repeat(31_000)}@a`,
      `${Array.from({ length: 350 }, (_, n) => "`".repeat(n + 1)).join(" ")}@a`,
      `${"[".repeat(64_000)}@a`,
      `${"[](".repeat(21_000)}@a`,
      `${"a.".repeat(32_000)}@a`,
      `${"a+".repeat(32_000)}://@a`,
      `@a${"\u0301".repeat(64_000)}`,
      "```\n".repeat(16_000).concat("@a"),
    ];
    for (const text of hostile) {
      const names = new Set(mentionPlaces(text).flatMap((place) => place.names.map(({ name }) => name)));
      expect(names.size).toBeLessThanOrEqual(200);
      expect(new Set(mentionPlaces(text).map((place) => place.names[0]?.name)).size).toBeLessThanOrEqual(20);
    }
  });

  it("[MENT3] at the beginning are a form of address, and are removed from the question", () => {
    for (const text of ["@assistant hello", "@assistant, hello", "@assistant: @ada hello", " hello", "@assistant\nhello"])
      expect(withoutLeadingMentions(text)).toBe("hello");
    expect(withoutLeadingMentions("@assistant你好")).toBe("你好");
    expect(withoutLeadingMentions("@assistant")).toBe("");
  });
});

describe("characters", () => {
  const NOTHING = [
    ["nothing", ""],
    ["white space", " \t\n\u00a0\u3000\u2028"],
    ["a zero-width space", "\u200b"],
    ["a word joiner", "\u2060"],
    ["a Hangul filler", "\u3164"],
    ["a half-width Hangul filler", "\uffa0"],
    ["jamo fillers", "\u115f\u1160"],
    ["an empty braille pattern", "\u2800"],
    ["a variation selector", "\ufe0f"],
    ["a supplementary variation selector", "\u{e0100}"],
    ["a soft hyphen", "\u00ad"],
    ["a combining mark", "\u0301"],
    ["marks of other scripts", "\u093f\u0e31\u064b\u20e3"],
    ["a combining grapheme joiner", "\u034f"],
    ["tags", "\u{e0041}\u{e007f}"],
    ["Mongolian vowel separator", "\u180e"],
    ["directions", "\u200e\u202e\u2066\u2069\u061c"],
    ["a byte order mark", "\ufeff"],
    ["NUL", "\u0000"],
    ["several such characters", " \u200b\u2800\ufe0f\u0301 "],
    ["a null notehead", "\u{1d159}"],
  ] as const;
  it.each(NOTHING)("[TEXT1] are blank if they are only %s", (_what, text) => {
    expect(isBlank(text)).toBe(true);
    expect(isShowable(text)).toBe(false);
    expect(isBlank(`${text}a`)).toBe(false);
  });

  it("[TEXT1] are visible otherwise, including punctuation and characters newer than this program", () => {
    for (const text of [".", "…", "0", "👍", "👍🏽", "♥", "❤️", "ㅋ", "\u{1faea}", "\u{1fc00}", "क्", "⠁", "¿", "´"])
      expect(isBlank(text), text).toBe(false);
  });

  it.each([
    ["Persian", "علی‌رضا"],
    ["Sinhala", "ශ්‍රී"],
    ["Hindi with a joiner", "क्‍ष"],
    ["Bengali", "র‍্যাব"],
    ["Malayalam's old final consonants", "അവന്‍"],
    ["an emoji of a profession", "👩‍💻 Ada"],
    ["a family", "👨‍👩‍👧 Family"],
    ["skin tones", "🧔🏽‍♂️ 👍🏿"],
    ["a heart on fire", "❤️‍🔥"],
    ["a keycap", "1️⃣"],
    ["the flag of a part of a country", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"],
    ["flags", "🇩🇪 🏳️‍🌈"],
    ["a variant of an ideograph", "葛\u{e0100}城"],
    ["an apostrophe", "Seán O’Brien-Smith, Jr."],
    ["Vietnamese, decomposed", "Nguyễn".normalize("NFD")],
  ])("[TEXT3] are allowed in names: %s", (_what, name) => {
    expect(isShowable(name)).toBe(true);
  });

  it.each([
    ["a joiner between Latin letters", "a\u200db"],
    ["a joiner at the end", "Ada\u200d"],
    ["a non-joiner at the beginning", "\u200cعلی"],
    ["a variation selector after a letter", "Pablo\ufe0f"],
    ["a supplementary variation selector", "Pablo\u{e0100}"],
    ["a grapheme joiner", "Pab\u034flo"],
    ["a soft hyphen", "Pab\u00adlo"],
    ["a filler", "Pablo\u3164"],
    ["a zero-width space", "Pab\u200blo"],
    ["a right-to-left override", "a\u202eb"],
    ["a mark at the beginning", "\u0301Ada"],
    ["a line break", "a\nb"],
    ["spaces around it", " Ada"],
    ["tags without a flag", "Ada\u{e0067}\u{e007f}"],
  ])("[TEXT3] are refused in names where they create look-alikes or break the line: %s", (_what, name) => {
    expect(isShowable(name)).toBe(false);
  });

  it("[TEXT2] are found and removed if controls, except tabs and line breaks; lengths are code points", () => {
    for (const text of ["\u0000", "\u0007", "\u001b[31m", "\u007f", "\u0085", "\u009f", "a\rb"]) {
      expect(hasControls(text)).toBe(true);
      expect(hasControls(withoutControls(text))).toBe(false);
    }
    expect(hasControls("a\tb\nc\r\nd")).toBe(false);
    expect(withoutControls("a\u0000b\rc\r\nd\te\u0085")).toBe("ab\nc\r\nd\te");
    expect([isLonger("👍".repeat(64), 64), isLonger("👍".repeat(65), 64), isLonger("e\u0301".repeat(32), 64)]).toEqual([
      false,
      true,
      false,
    ]);
  });
});

describe("search keys", () => {
  it.each([
    ["Müller", "muller"],
    ["François", "FRANCOIS"],
    ["İstanbul", "istanbul"],
    ["ışık", "isik"],
    ["Straße", "strasse"],
    ["Οδυσσέας", "οδυσσεασ"],
    ["ΟΔΥΣΣΕΑΣ", "Οδυσσέας"],
    ["مُحَمَّد", "محمد"],
    ["محـــمد", "محمد"],
    ["علی کریمی", "علي كريمي"],
    ["أحمد", "احمد"],
    ["שָׁלוֹם", "שלום"],
    ["O’Brien", "o'brien"],
    ["Nguyễn Đức", "nguyen duc"],
    ["Łukasz Ødegård", "lukasz odegard"],
    ["Þór Ægisson", "thor aegisson"],
    ["Ｆｕｌｌ", "full"],
    ["علی‌رضا", "علیرضا"],
    ["Café".normalize("NFD"), "café"],
    ["Й".normalize("NFD"), "Й"],
    ["３", "3"],
    ["Jean-Luc", "jean luc"],
    ["  Ada \t Lovelace ", "ada lovelace"],
  ])("[DIR1] are equal for %s and %s", (one, other) => {
    expect(searchKey(one)).toBe(searchKey(other));
    expect(searchKey(one)).not.toBe("");
  });

  it("[DIR1] keep marks that are vowels, as in Hindi and Thai, and voiced kana", () => {
    for (const [one, other] of [
      ["कि", "कु"],
      ["กี", "กู"],
      ["か", "が"],
    ] as const)
      expect(searchKey(one)).not.toBe(searchKey(other));
  });

  it.each([
    ["Jean-Luc", ["jean luc", "luc"]],
    ["mary.jane", ["mary jane", "jane"]],
    ["O’Brien", ["obrien", "o brien", "brien"]],
    ["山田太郎", ["山田太郎", "田太郎", "太郎", "郎"]],
    ["김민수", ["김민수", "민수", "수"]],
    ["👩‍💻 Ada", ["👩💻 ada", "ada"]],
    ["कुमार", ["कुमार"]],
    ["***", ["***"]],
  ])("[DIR1] find %s by each of its words", (name, keys) => {
    expect(wordBeginnings(name)).toEqual(keys);
  });
});
