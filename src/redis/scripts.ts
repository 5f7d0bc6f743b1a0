import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { type ErrorCode, errors, refusal } from "../util/errors.js";
import { databaseOf, type RedisClient } from "./connect.js";
import { channelIn } from "./keys.js";
import { camelCase, readScriptHead } from "./script-head.js";

/**
 * What each script takes and returns. Each part of Palaver adds its own scripts: a folder `lua` with one file per script, and `calls.ts`,
 * which `npm run scripts` makes from the heads of these files.
 */
// biome-ignore lint/suspicious/noEmptyInterface: the parts add to it
export interface ScriptCalls {}

export type ScriptName = keyof ScriptCalls;

interface Call {
  keys: string;
  restKeys?: string;
  args: object;
  result: unknown;
}

type CallOf<Name extends ScriptName> = ScriptCalls[Name] extends Call ? ScriptCalls[Name] : never;

/** The keys of a call, by the names in the script's head. */
export type ScriptKeys<Name extends ScriptName> = Record<CallOf<Name>["keys"], string> & RestKeys<CallOf<Name>>;
type RestKeys<Of> = Of extends { restKeys: infer Rest extends string } ? Record<Rest, readonly string[]> : unknown;
export type ScriptArgs<Name extends ScriptName> = CallOf<Name>["args"];
export type ScriptResult<Name extends ScriptName> = CallOf<Name>["result"];

/** A script as it is sent to Redis, and the order of its keys and arguments. */
interface Loaded {
  source: string;
  sha: string;
  keys: string[];
  restKeys: string | undefined;
  args: { name: string; rest: boolean }[];
}

/**
 * Reads the scripts in folders, with their shared parts inserted.
 * @param all folders whose folders `shared` may have the parts
 * @returns the sources by name, as Redis gets them
 * @throws Error if a shared part is missing, or two scripts or parts have the same name
 */
export function readScripts(folders: readonly URL[], all = folders): Map<ScriptName, string> {
  const parts = filesIn(all.map((folder) => new URL("shared/", folder)));
  const withParts = (source: string): string =>
    source.replace(/^-- part: (\w+)$/gm, (_line, name: string) => {
      const part = parts.get(name);
      if (part === undefined) throw new Error(`there is no shared part ${name}`);
      return withParts(part);
    });
  return new Map([...filesIn(folders)].map(([name, source]) => [name as ScriptName, withParts(source)]));
}

/** The sources of the Lua files in folders, by name. A folder that does not exist has none. */
function filesIn(folders: readonly URL[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const folder of folders) {
    for (const file of namesIn(folder)) {
      if (!file.endsWith(".lua")) continue;
      const name = file.slice(0, -".lua".length);
      if (files.has(name)) throw new Error(`two scripts have the name ${name}`);
      files.set(name, readFileSync(new URL(file, folder), "utf8"));
    }
  }
  return files;
}

function namesIn(folder: URL): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Runs the scripts. Where a script fails with a code of the error catalog, throws that error, with the text behind the code. */
export class Scripts {
  readonly #redis: RedisClient;
  readonly #scripts: Map<ScriptName, Loaded>;

  /** @param sources see `readScripts` */
  constructor(redis: RedisClient, sources: ReadonlyMap<ScriptName, string>) {
    this.#redis = redis;
    this.#scripts = new Map([...sources].map(([name, source]) => [name, load(source, databaseOf(redis))]));
  }

  /** @throws ChatError with the code and text of the script's error; UNAVAILABLE when Redis does not answer */
  async run<Name extends ScriptName>(name: Name, keys: ScriptKeys<Name>, args: ScriptArgs<Name>): Promise<ScriptResult<Name>> {
    return (await this.evaluate(name, keys, args)) as ScriptResult<Name>;
  }

  protected async evaluate(name: ScriptName, keys: object, args: object): Promise<unknown> {
    const script = this.#scripts.get(name) as Loaded;
    const given = args as Readonly<Record<string, unknown>>;
    const givenKeys = keys as Readonly<Record<string, string | readonly string[]>>;
    const rest = script.restKeys === undefined ? [] : (givenKeys[script.restKeys] as readonly string[]);
    const keyList = [...script.keys.map((key) => givenKeys[key] as string), ...rest];
    const argList = script.args.flatMap(({ name, rest }) => (rest ? (given[name] as string[]) : [toArgument(given[name])]));
    try {
      return await this.#send(script, keyList, argList);
    } catch (error) {
      const [, code, said] = (error instanceof Error && /^(\w+) ?(.*)/s.exec(error.message)) || [];
      throw isErrorCode(code) ? refusal(code, said as never) : error;
    }
  }

  async #send({ sha, source }: Loaded, keys: string[], args: (string | number)[]): Promise<unknown> {
    try {
      return await this.#redis.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      // A restarted Redis, or another shard, does not have the script yet.
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return await this.#redis.eval(source, keys.length, ...keys, ...args);
    }
  }
}

/**
 * Prepares a script for a database. Scripts publish under the name of a key; here the name becomes that of the channel in the database.
 * @throws Error if the head of the script has another form than `readScriptHead` expects
 */
function load(plain: string, database: number): Loaded {
  const source = database === 0 ? plain : plain.replaceAll("'SPUBLISH', ", `'SPUBLISH', '${channelIn(database, "")}' .. `);
  const head = readScriptHead(source);
  return {
    source,
    sha: createHash("sha1").update(source).digest("hex"),
    keys: head.keys.map(camelCase),
    restKeys: head.restKeys === undefined ? undefined : camelCase(head.restKeys),
    args: head.args.map((arg) => ({ name: camelCase(arg.name), rest: arg.rest })),
  };
}

/** Lua gets booleans as 1 or 0, and lists as their items with spaces between. */
function toArgument(value: unknown): string | number {
  if (typeof value === "boolean") return value ? 1 : 0;
  return Array.isArray(value) ? value.join(" ") : (value as string | number);
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(errors, code);
}
