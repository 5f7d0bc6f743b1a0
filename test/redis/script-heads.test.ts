import "reflect-metadata"; // for the modules loaded here
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { features } from "../../src/features.js";
import { scriptFolders } from "../../src/program/platform.js";
import { describeCalls, readScriptHead } from "../../src/redis/script-head.js";
import { readScripts } from "../../src/redis/scripts.js";
import { errors } from "../../src/util/errors.js";

const scripts = readScripts(scriptFolders);
const scriptNames = [...scripts.keys()];
const scriptSource = (name: (typeof scriptNames)[number]) => scripts.get(name) as string;

/** The names that a script's first lines unpack from KEYS or ARGV. */
const unpacked = (source: string, list: "KEYS" | "ARGV") =>
  new RegExp(`^local (.*) = unpack\\(${list}\\)$`, "m").exec(source)?.[1]?.split(", ") ?? [];

describe("the head of a script", () => {
  it.each(scriptFolders.map((folder) => folder.pathname.replace(/^.*\/src\//, "src/")))(
    "[LUA1] is the source of the types of its calls: %s",
    async (folder) => {
      const heads = [...readScripts([new URL(`../../${folder}`, import.meta.url)], scriptFolders)].map(([, source]) =>
        readScriptHead(source),
      );
      await expect(describeCalls(heads, "../../redis/scripts.js")).toMatchFileSnapshot(`../../${folder}calls.ts`);
    },
  );

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
    const { keys, restKeys, fails } = readScriptHead(source);
    const calls = [...source.matchAll(/redis\.p?call\(('\w+'|\w+)(?:, *'(?:CONSUMERS|DELCONSUMER)')?(?:, *([^,)]+))?/g)];
    expect(calls.length).toBeGreaterThan(0);
    for (const [call, command, key] of calls)
      expect(
        ["'TIME'", "'PUBLISH'"].includes(command ?? "") || [...keys, "today", "yesterday", restKeys && "KEYS[index]"].includes(key ?? ""),
        call,
      ).toBe(true);
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
     KEYS  room, total_users   (of the room), ...other_keys
     ARGV  user, how_many: number (things), others: Map<string, number>, ...fields: Array<string | number> (the rest)
     RETURNS  [ok: 0 | 1, members: Array<[id: string, name: string]>] | null; nothing new is null
     FAILS  NOT_FOUND if gone, FORBIDDEN ]]
local x = 1`);
    expect(head).toEqual({
      name: "some_script",
      summary: "adds a thing, once.",
      keys: ["room", "total_users"],
      restKeys: "other_keys",
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

it("[LUA5] DATABASE.md lists every key and every operation on the database", async () => {
  const folders = ["redis", "log", "consumers", ...features.map(({ name }) => name)];
  const keys = folders.flatMap((folder) => {
    const file = new URL(`../../src/${folder}/keys.ts`, import.meta.url);
    if (!existsSync(file)) return [];
    return [...readFileSync(file, "utf8").matchAll(/^ \* (\| `.*\|)$/gm)].map(([, row = ""]) => row.replace(/^\|/, `| ${folder} |`));
  });
  const operations = scriptFolders.flatMap((folder) =>
    [...readScripts([folder], scriptFolders).values()].map((source) => {
      const { name, summary, keys } = readScriptHead(source);
      const part = folder.pathname.replace(/^.*\/src\/|\/lua\/$/g, "");
      return `| [\`${name}\`](../src/${part}/lua/${name}.lua) | ${summary} | ${keys.map((key) => `\`${key}\``).join(" ")} |`;
    }),
  );
  const page = `# The database

<!-- Written by \`npm run scripts\` from the tables in src/*/keys.ts and the heads of the scripts in src/*/lua/. -->

Redis is the database. The braces in some names of keys are Redis Cluster hash tags: keys that one operation writes together share a slot.
In a database other than 0, the names of channels begin with the number of the database and a bar: \`1|room:ID\`.

## Keys

The keys of redis-developer's Basic Redis Chat demos, which Palaver shares with them: \`total_users\`, \`username:NAME\`, \`user:ID\`,
\`user:ID:rooms\`, \`room:ID\`, \`room:ID:name\` and \`online_users\`. The demos do not read the others.

| part | key | type | holds |
|---|---|---|---|
${keys.join("\n")}

## Operations

Each is a Lua script, which Redis runs atomically. Besides them, code writes single keys, in an order in which a crash leaves nothing half
done.

| operation | what it does | keys |
|---|---|---|
${operations.join("\n")}
`;
  await expect(page).toMatchFileSnapshot("../../docs/DATABASE.md");
  // Every key that code can build is in the table.
  const built = folders.flatMap((folder) => {
    const file = new URL(`../../src/${folder}/keys.ts`, import.meta.url);
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    return [...text.slice(text.indexOf("export const")).matchAll(/["`]([a-z_-]+)[:"`]/g)].map(([, first = ""]) => first);
  });
  const undocumented = new Set(built.filter((first) => !keys.some((row) => row.includes(`\`${first}`))));
  expect([...undocumented]).toEqual(["MESSAGES"].filter((name) => undocumented.has(name)));
});
