import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type ErrorCode, errors, refusal } from "../errors.js";
import type { RedisClient } from "./connect.js";

/** The transactions of Palaver, one file each in `lua/`; a file's head says what it takes, gives and refuses. */
export const scriptNames = [
  "demo_data_claim",
  "log_read",
  "message_send",
  "messages_page",
  "password_change",
  "presence_announce",
  "presence_change",
  "session_end",
  "session_find",
  "session_list",
  "session_refresh",
  "session_start",
  "session_use",
  "user_reserve_id",
] as const;

export type ScriptName = (typeof scriptNames)[number];

/** The source of a script as it is sent to Redis. */
export function scriptSource(name: ScriptName): string {
  return readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), "utf8");
}

/** Runs the scripts. A script that fails with a code of the error catalogue throws that error. */
export class Scripts {
  readonly #redis: RedisClient;
  readonly #scripts = new Map(
    scriptNames.map((name) => {
      const source = scriptSource(name);
      return [name, { source, sha: createHash("sha1").update(source).digest("hex") }] as const;
    }),
  );

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /**
   * @param about what the error's sentence speaks of, such as the room's id, should the script fail
   * @throws ChatError with the script's code; UNAVAILABLE when Redis does not answer
   */
  async run(name: ScriptName, keys: string[], args: (string | number)[], about: string[] = []): Promise<unknown> {
    try {
      return await this.#evaluate(name, keys, args);
    } catch (error) {
      const code = error instanceof Error && error.message.split(" ")[0];
      throw isErrorCode(code) ? refusal(code, ...(about as [never])) : error;
    }
  }

  async #evaluate(name: ScriptName, keys: string[], args: (string | number)[]): Promise<unknown> {
    const { sha, source } = this.#scripts.get(name) as { sha: string; source: string };
    try {
      return await this.#redis.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      // A Redis that was restarted, or another shard, does not know the script yet.
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return await this.#redis.eval(source, keys.length, ...keys, ...args);
    }
  }
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(errors, code);
}
