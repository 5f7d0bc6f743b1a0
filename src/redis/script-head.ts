/** An argument of a script, as its head declares it. */
export interface ScriptArgument {
  name: string;
  /** Its TypeScript type. Booleans reach the script as 1 or 0, lists as their items with spaces between. */
  type: string;
  /** Takes all remaining arguments. */
  rest: boolean;
}

/** What the comment at the top of a script promises. */
export interface ScriptHead {
  name: string;
  /** What the script does. */
  summary: string;
  keys: string[];
  /** Takes all remaining keys; undefined if there are none. */
  restKeys: string | undefined;
  args: ScriptArgument[];
  /** The TypeScript type of its result. */
  returns: string;
  /** Codes of the error catalog with which it can fail. */
  fails: string[];
}

const SECTION = /^ +(KEYS|ARGV|RETURNS|FAILS) +/m;

/**
 * Reads the head of a script. It must not contain `]]`, which ends a comment of Lua: write `] ]` in types.
 *
 *     --[[ name: summary
 *          KEYS  key, key (a note), …, ...name   (all further keys)
 *          ARGV  name, name: type (a note), …, ...name: type   (types are TypeScript's; string where none is given)
 *          RETURNS  type; a note
 *          FAILS  CODE if …, CODE ]]
 *
 * @throws Error if the head has another form
 */
export function readScriptHead(source: string): ScriptHead {
  const [, name = "", text = ""] = /^--\[\[ (\w+): (.*?)\]\]$/ms.exec(source) ?? [];
  const [summary = "", ...parts] = text.split(SECTION);
  const sections: Record<string, string> = {};
  for (let n = 0; n < parts.length; n += 2) sections[parts[n] as string] = (parts[n + 1] ?? "").replace(/\s+/g, " ").trim();
  const { KEYS, ARGV = "", RETURNS, FAILS = "" } = sections;
  if (!name || !KEYS || !RETURNS) throw new Error(`the head of the script ${name || source.slice(0, 40)} lacks its name, KEYS or RETURNS`);
  const keys = list(KEYS);
  return {
    name,
    summary: summary.replace(/\s+/g, " ").trim(),
    keys: keys.filter((key) => !key.startsWith("...")),
    restKeys: keys.find((key) => key.startsWith("..."))?.slice("...".length),
    args: list(ARGV).map(readArgument),
    returns: (RETURNS.split(";")[0] as string).trim(),
    fails: [...FAILS.matchAll(/\b[A-Z][A-Z_]{3,}\b/g)].map(([code]) => code),
  };
}

/** Entries separated by commas, without notes in parentheses; a type may contain commas within brackets. */
function list(text: string): string[] {
  const entries: string[] = [""];
  let depth = 0;
  for (const character of text.replace(/ \([^()]*\)/g, "")) {
    if ("[<{".includes(character)) depth++;
    if ("]>}".includes(character)) depth--;
    if (character === "," && depth === 0) entries.push("");
    else entries[entries.length - 1] += character;
  }
  return entries.map((entry) => entry.trim()).filter((entry) => entry !== "");
}

function readArgument(entry: string): ScriptArgument {
  const [, rest, name, type] = /^(\.\.\.)?(\w+)(?:: (.+))?$/.exec(entry) ?? [];
  if (name === undefined) throw new Error(`${entry} is not an argument of a script`);
  return { name, type: type ?? (rest ? "string[]" : "string"), rest: rest !== undefined };
}

/** `roomId` for `room_id`. */
export const camelCase = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** The types of the calls of a folder's scripts, as its `calls.ts` has them. @param scripts the path of `scripts.js` from there */
export function describeCalls(heads: readonly ScriptHead[], scripts: string): string {
  const calls = heads.map(({ name, summary, keys, restKeys, args, returns, fails }) => {
    const failures = fails.length > 0 ? ` @throws ChatError ${fails.join(", ")}` : "";
    return `    /** ${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}${failures} */
    ${name}: {
      keys: ${keys.map((key) => JSON.stringify(camelCase(key))).join(" | ")};${restKeys === undefined ? "" : `\n      restKeys: ${JSON.stringify(camelCase(restKeys))};`}
      args: ${args.length > 0 ? `{ ${args.map((arg) => `${camelCase(arg.name)}: ${arg.type}`).join("; ")} }` : "Record<string, never>"};
      result: ${returns.replaceAll("] ]", "]]")};
    };`;
  });
  return `// Made from the heads of the scripts in this folder by \`npm run scripts\`.

declare module "${scripts}" {
  interface ScriptCalls {
${calls.join("\n")}
  }
}

export {};
`;
}
