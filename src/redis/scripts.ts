import { createHash, randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type ErrorCode, errors, refusal } from "../util/errors.js";
import { databaseOf, type RedisClient } from "./connect.js";
import { channelIn, keys } from "./keys.js";
import type { ScriptCalls } from "./script-calls.js";
import { camelCase, readScriptHead } from "./script-head.js";

const FOLDER = new URL("./lua/", import.meta.url);

export type ScriptName = keyof ScriptCalls;

/** The transactions of Palaver, one file each in `lua/`. A file's head says what the script takes, returns and refuses. */
export const scriptNames = readdirSync(FOLDER).flatMap((file) =>
  file.endsWith(".lua") ? [file.slice(0, -".lua".length)] : [],
) as ScriptName[];

/** The keys of a call, by the names in the script's head. */
type Keys<Name extends ScriptName> = Record<ScriptCalls[Name]["keys"], string>;

/** The keys and arguments of every script that contains `room_log`; the runner supplies them. */
type RoomKey = "room" | "log" | "meta" | "foreign" | "own" | "asked";
type RoomArgument = "newEpoch" | "logLength" | "assistant";

export type RoomScript = { [Name in ScriptName]: ScriptCalls[Name]["args"] extends { newEpoch: string } ? Name : never }[ScriptName];

/** A script on a room's log, the room, its other arguments, and its other keys, if it has any. */
type RoomCall<Name extends RoomScript> = [
  name: Name,
  roomId: string,
  args: Omit<ScriptCalls[Name]["args"], RoomArgument>,
  ...otherKeys: [Exclude<ScriptCalls[Name]["keys"], RoomKey>] extends [never] ? [] : [Omit<Keys<Name>, RoomKey>],
];

/** A script as it is sent to Redis, and the order of its keys and arguments. */
interface Loaded {
  source: string;
  sha: string;
  keys: string[];
  args: { name: string; rest: boolean }[];
}

/**
 * The source of a script as Redis gets it, with its shared parts inserted. Scripts publish under the name of a key; this function
 * turns the name into that of the channel in the database.
 */
export function scriptSource(name: ScriptName, database = 0): string {
  const read = (file: string) => readFileSync(new URL(`${file}.lua`, FOLDER), "utf8");
  const withParts = (source: string): string =>
    source.replace(/^-- part: (\w+)$/gm, (_line, part: string) => withParts(read(`shared/${part}`)));
  return withParts(read(name)).replaceAll("'SPUBLISH', ", `'SPUBLISH', ${database === 0 ? "" : `'${channelIn(database, "")}' .. `}`);
}

/** The result of a script that has to run again in a moment: a demo app has stored messages and not announced them yet. */
export const UNHEARD = Symbol("unheard");

/** Random, 60 bits, hexadecimal. Most calls do not use it, so it must be cheap: `randomUUID` draws from a pool of random bytes. */
const newEpoch = () => randomUUID().replaceAll("-", "").slice(0, 16);

/** Runs the scripts. Where a script fails with a code of the error catalogue, throws that error, with the text behind the code. */
export class Scripts {
  readonly #redis: RedisClient;
  readonly #roomLogLength: number;
  readonly #assistantId: () => string;
  readonly #scripts: Map<ScriptName, Loaded>;

  /**
   * @param roomLogLength events kept in each room's log
   * @param assistantId returns the assistant's user id, empty while there is none
   */
  constructor(redis: RedisClient, roomLogLength: number, assistantId: () => string = () => "") {
    this.#redis = redis;
    this.#roomLogLength = roomLogLength;
    this.#assistantId = assistantId;
    this.#scripts = new Map(scriptNames.map((name) => [name, load(name, databaseOf(redis))]));
  }

  /**
   * Runs a script that contains `room_log`. Where a demo app has stored messages and not announced them yet, waits for the announcement,
   * for about a second at most.
   */
  async onRoom<Name extends RoomScript>(...call: RoomCall<Name>): Promise<ScriptCalls[Name]["result"]> {
    for (let wait = 10; ; wait = Math.min(2 * wait, 80)) {
      const answer = await this.onRoomAtOnce(...call);
      if (answer !== UNHEARD) return answer;
      await sleep(wait);
    }
  }

  /** The same without waiting: returns UNHEARD where it is too early. */
  async onRoomAtOnce<Name extends RoomScript>(
    ...[name, roomId, args, otherKeys]: RoomCall<Name>
  ): Promise<ScriptCalls[Name]["result"] | typeof UNHEARD> {
    const roomKeys: Record<RoomKey, string> = {
      room: keys.room(roomId),
      log: keys.log(roomId),
      meta: keys.meta(roomId),
      foreign: keys.foreign(roomId),
      own: keys.own(roomId),
      asked: keys.asked(roomId),
    };
    const roomArgs = { newEpoch: newEpoch(), logLength: this.#roomLogLength, assistant: this.#assistantId() };
    try {
      return (await this.#evaluate(name, { ...roomKeys, ...otherKeys }, { ...roomArgs, ...args })) as ScriptCalls[Name]["result"];
    } catch (error) {
      if (error instanceof Error && /^(ERR )?unheard /.test(error.message)) return UNHEARD;
      throw error;
    }
  }

  /** @throws ChatError with the code and text of the script's error; UNAVAILABLE when Redis does not answer */
  async run<Name extends ScriptName>(name: Name, keys: Keys<Name>, args: ScriptCalls[Name]["args"]): Promise<ScriptCalls[Name]["result"]> {
    return (await this.#evaluate(name, keys, args)) as ScriptCalls[Name]["result"];
  }

  async #evaluate(name: ScriptName, keys: Readonly<Record<string, string>>, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    const script = this.#scripts.get(name) as Loaded;
    const keyList = script.keys.map((key) => keys[key] as string);
    const argList = script.args.flatMap(({ name, rest }) => (rest ? (args[name] as string[]) : [toArgument(args[name])]));
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

/** @throws Error if the head of the script has another form than `readScriptHead` expects */
function load(name: ScriptName, database: number): Loaded {
  const source = scriptSource(name, database);
  const head = readScriptHead(source);
  return {
    source,
    sha: createHash("sha1").update(source).digest("hex"),
    keys: head.keys.map(camelCase),
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
