import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { describeCalls, readScriptHead } from "../src/redis/script-head.js";
import { scriptNames, scriptSource } from "../src/redis/scripts.js";
import { errors } from "../src/util/errors.js";

const folder = new URL("../src/redis/lua/", import.meta.url);

/** The names that a script's first lines unpack from KEYS or ARGV. */
const unpacked = (source: string, list: "KEYS" | "ARGV") =>
  new RegExp(`^local (.*) = unpack\\(${list}\\)$`, "m").exec(source)?.[1]?.split(", ") ?? [];

describe("the head of a script", () => {
  it("[LUA1] is the source of the types of its calls", async () => {
    const sources = readdirSync(folder).flatMap((file) => (file.endsWith(".lua") ? [readFileSync(new URL(file, folder), "utf8")] : []));
    await expect(describeCalls(sources.map(readScriptHead))).toMatchFileSnapshot("../src/redis/script-calls.ts");
  });

  it.each(scriptNames)("[LUA2] %s declares the keys and arguments that its code takes", (name) => {
    const source = scriptSource(name);
    const head = readScriptHead(source);
    expect(head.name).toBe(name);
    expect(unpacked(source, "KEYS")).toEqual(head.keys);
    expect(unpacked(source, "ARGV")).toEqual(head.args.filter(({ rest }) => !rest).map((arg) => arg.name));
    expect(head.args.findIndex(({ rest }) => rest)).toBeOneOf([-1, head.args.length - 1]);
  });

  it.each(scriptNames)("[LUA3] %s takes every key from KEYS, and fails with the declared codes of the catalog", (name) => {
    const source = scriptSource(name);
    const { keys, fails } = readScriptHead(source);
    const calls = [...source.matchAll(/redis\.p?call\(('\w+'|\w+)(?:, *'(?:CONSUMERS|DELCONSUMER)')?(?:, *([^,)]+))?/g)];
    expect(calls.length).toBeGreaterThan(0);
    for (const [call, command, key] of calls)
      expect(command === "'TIME'" || [...keys, "today", "yesterday"].includes(key ?? ""), call).toBe(true);
    for (const [, code = ""] of source.matchAll(/error_reply\('([A-Z_]{3,})/g)) expect(Object.keys(errors)).toContain(code);
    for (const code of fails) expect(Object.keys(errors)).toContain(code);
  });

  it("[LUA2] is refused at start in any other form", () => {
    expect(() => readScriptHead("--[[ nothing: does nothing.\n     ARGV  user\n     RETURNS  1 ]]\n")).toThrow(/lacks/);
    expect(() => readScriptHead("--[[ odd: is odd.\n     KEYS  key\n     ARGV  two words\n     RETURNS  1 ]]\n")).toThrow(/two words/);
  });

  it("[LUA1] may type arguments, with notes and commas in types", () => {
    const head = readScriptHead(`--[[ some_script: adds
     a thing, once.
     KEYS  room, total_users   (of the room)
     ARGV  user, how_many: number (things), others: Map<string, number>, ...fields: Array<string | number> (the rest)
     RETURNS  [ok: 0 | 1, members: Array<[id: string, name: string]>] | null; nothing new is null
     FAILS  NOT_FOUND if gone, FORBIDDEN ]]
local x = 1`);
    expect(head).toEqual({
      name: "some_script",
      summary: "adds a thing, once.",
      keys: ["room", "total_users"],
      args: [
        { name: "user", type: "string", rest: false },
        { name: "how_many", type: "number", rest: false },
        { name: "others", type: "Map<string, number>", rest: false },
        { name: "fields", type: "Array<string | number>", rest: true },
      ],
      returns: "[ok: 0 | 1, members: Array<[id: string, name: string]>] | null",
      fails: ["NOT_FOUND", "FORBIDDEN"],
    });
  });
});
