import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { asOurs, OURS } from "../../src/messages/ours.js";
import { errors } from "../../src/util/errors.js";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const sources = readdirSync(new URL("src", root), { recursive: true, encoding: "utf8" })
  .filter((file) => /\.(?:ts|lua)$/.test(file))
  .map((file) => `src/${file}`);

/** The files of src with such a text. */
const filesWith = (text: RegExp) => sources.filter((file) => text.test(read(file))).sort();

it("[FACT1] marks Palaver's messages in the same way in TypeScript and in Lua", () => {
  const [, inLua] = /^local OURS = '(.+)'$/m.exec(read("src/messages/lua/shared/ours.lua")) ?? [];
  expect(inLua).toBe(OURS);
  expect(asOurs({ message: "{}" })).toBe('{"message":"{}" }');
  // In quotes, at the end of a format or pattern, or as the length of the end of a member.
  expect(filesWith(/(["'`]) \}\1|[^'"`{ ,] \}\$?'|sub\(member\w*(?:\[\w+\])?, -2\)/)).toEqual([
    "src/messages/lua/shared/ours.lua",
    "src/messages/ours.ts",
  ]);
});

/** The limits of docs/SECURITY.md, as rows of cells. */
const limits = read("docs/SECURITY.md")
  .split("\n## ")
  .find((section) => section.startsWith("Limits\n"))
  ?.split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| limit |"))
  .map((line) => line.split("|").map((cell) => cell.trim())) as string[][];

/** All numbers that a text has, products such as `64 * 1024` included. */
const numbersIn = (text: string): number[] =>
  [...text.matchAll(/\d[\d_.]*(?:e-?\d+)?(?: \* \d[\d_]*)*/g)].map(([number]) =>
    number.split(" * ").reduce((product, factor) => product * Number(factor.replaceAll("_", "")), 1),
  );

/** What code may write for a number of the table: the number, or the same in a smaller unit. */
const UNITS = { "": [1], s: [1, 1_000], min: [60, 60_000], hour: [3_600], days: [86_400], ms: [1], KiB: [1_024], MiB: [1_048_576] };
const SETTINGS = sources.filter((file) => file.endsWith("settings.ts"));

it.each(limits)("[FACT2] documents the limits that the code has: %#", (_, limit, value, setting, __, where) => {
  const files = [...(where ?? "").matchAll(/`([^`]+)`/g)].flatMap(([, path]) => {
    const found = sources.filter((file) => [`src/${path}.ts`, `src/${path}.lua`].includes(file));
    expect(found, `${limit}: ${path}`).toHaveLength(1);
    return found;
  });
  const named = [...(setting ?? "").matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name as string);
  const settings = SETTINGS.filter((file) => named.some((name) => read(file).includes(name)));
  if (named.length > 0) expect(settings.length, limit).toBeGreaterThan(0);
  const written = [...files, ...settings].flatMap((file) => numbersIn(read(file)));
  if (where === "graphql-js") return;
  for (const [, digits = "", unit = ""] of (value ?? "").matchAll(/(\d[\d,.]*\d|\d) ?(s|min|hour|days|ms|KiB|MiB)?(?![\w-])/g)) {
    const number = Number(digits.replaceAll(",", ""));
    const may = UNITS[unit as keyof typeof UNITS].map((factor) => number * factor);
    expect(
      written.some((one) => may.includes(one)),
      `${limit}: ${digits} ${unit}`,
    ).toBe(true);
  }
});

/** A file's code without strings of several words, and without comments. */
const codeOf = (path: string): string =>
  read(path)
    .replaceAll(/\/\*\*[\s\S]*?\*\/|^\s*--\[\[[\s\S]*?\]\]/gm, "")
    .replaceAll(/(["`])(?:(?!\1)[^\\\n]|\\.)* (?:(?!\1)[^\\\n]|\\.)*\1/g, '""')
    .replaceAll(/\/\/ .*/g, "");

const API_TEXTS = sources.filter((file) => /\.(?:resolver|type)\.ts$|-event\.ts$|api\/relay\.ts$/.test(file));

it.each(API_TEXTS)("[FACT3] describes the API with the numbers and the error codes of the code: %s", (file) => {
  const texts = [...read(file).matchAll(/"(?:[^"\\\n]|\\.)* (?:[^"\\\n]|\\.)*"/g)].map(([text]) => text);
  const folder = file.replace(/[^/]+$/, "");
  const code = sources.filter((one) => one.startsWith(folder));
  const written = new Set(code.flatMap((one) => numbersIn(codeOf(one))));
  for (const text of texts) {
    for (const [, digits = "", unit = ""] of text.matchAll(/(?<![\w#-])(\d[\d,]*\d)(?: (ms|bytes|hours|days|digits))?(?![\w-])/g)) {
      const number = Number(digits.replaceAll(",", ""));
      const may = { hours: [3_600 * number], days: [86_400 * number] }[unit] ?? [number];
      expect(unit === "digits" || may.some((one) => written.has(one)), `${digits} ${unit} in ${text}`).toBe(true);
    }
    const [, listed = ""] = /Errors: (.*)/.exec(text) ?? [];
    for (const [, code = ""] of listed.matchAll(/`([A-Z]{3,}[A-Z_]*)`/g))
      expect(code in errors || code === "FAILED", `${code} in ${text}`).toBe(true);
  }
});

it("[FACT3] documents every error code of the API, and no other", () => {
  const [, table = ""] = /\| `extensions\.code` \|.*\n((?:\|.*\n)+)/.exec(read("docs/DELIVERY.md")) ?? [];
  const documented = [...table.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, codes = ""]) => codes.replaceAll("`", "").split(", "));
  expect(documented.sort()).toEqual(Object.keys(errors).sort());
});
