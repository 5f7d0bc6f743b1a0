import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { asOurs, OURS } from "../../src/messages/ours.js";

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
