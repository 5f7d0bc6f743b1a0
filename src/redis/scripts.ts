import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type ErrorCode, errors, refusal } from "../errors.js";
import { databaseOf, type RedisClient } from "./connect.js";
import { channelIn, keys } from "./keys.js";

/** The transactions of Palaver, one file each in `lua/`. A file's head states its keys and arguments, its result and its errors. */
export const scriptNames = [
  "assistant_answer",
  "assistant_ask_again",
  "assistant_cancel",
  "assistant_fail",
  "assistant_look",
  "assistant_release",
  "assistant_take",
  "assistant_write",
  "block_list",
  "demo_data_claim",
  "directory_add",
  "directory_claim",
  "directory_mentioned",
  "directory_search",
  "directory_supersede",
  "guest_become_account",
  "guest_due",
  "guest_forget",
  "guest_give_up",
  "guest_look",
  "guest_register",
  "guest_schedule",
  "invitation_accept",
  "invitation_count",
  "invitation_end",
  "invitation_list",
  "invitation_look",
  "log_find",
  "log_read",
  "member_add",
  "member_remove",
  "mentions_note",
  "message_delete",
  "message_edit",
  "message_react",
  "message_send",
  "messages_adopt",
  "messages_around",
  "messages_find",
  "messages_page",
  "name_claim",
  "name_settle",
  "names_index",
  "pair_look",
  "password_change",
  "password_renew",
  "presence_announce",
  "presence_change",
  "presence_look",
  "read_move",
  "request_add",
  "request_end",
  "request_hand_over",
  "request_take_over",
  "room_change",
  "room_create",
  "room_enlist",
  "room_trim",
  "room_unread",
  "sends_charge",
  "session_end",
  "session_find",
  "session_list",
  "session_refresh",
  "session_start",
  "session_use",
  "user_claim",
  "user_raise_ids",
  "user_reserve_id",
  "username_release",
] as const;

export type ScriptName = (typeof scriptNames)[number];

/**
 * The source of a script as Redis gets it, with its shared parts inserted. Scripts publish under the name of a key; this function
 * turns the name into that of the channel in the database.
 */
export function scriptSource(name: ScriptName, database = 0): string {
  const read = (file: string) => readFileSync(new URL(`./lua/${file}.lua`, import.meta.url), "utf8");
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
  readonly #scripts: Map<ScriptName, { source: string; sha: string }>;

  /**
   * @param roomLogLength events kept in each room's log
   * @param assistantId returns the assistant's user id, empty while there is none
   */
  constructor(redis: RedisClient, roomLogLength: number, assistantId: () => string = () => "") {
    this.#redis = redis;
    this.#roomLogLength = roomLogLength;
    this.#assistantId = assistantId;
    this.#scripts = new Map(
      scriptNames.map((name) => {
        const source = scriptSource(name, databaseOf(redis));
        return [name, { source, sha: createHash("sha1").update(source).digest("hex") }] as const;
      }),
    );
  }

  /**
   * Runs a script that contains `room_log`, on a room's keys and the other keys and arguments. Where a demo app has stored messages and
   * not announced them yet, waits for the announcement, for about a second at most.
   */
  async onRoom(...call: Parameters<Scripts["onRoomAtOnce"]>): Promise<unknown> {
    for (let wait = 10; ; wait = Math.min(2 * wait, 80)) {
      const answer = await this.onRoomAtOnce(...call);
      if (answer !== UNHEARD) return answer;
      await sleep(wait);
    }
  }

  /** The same without waiting: returns UNHEARD where it is too early. */
  async onRoomAtOnce(
    name: ScriptName,
    roomId: string,
    args: (string | number)[],
    otherKeys: string[] = [],
    about: string[] = [],
  ): Promise<unknown> {
    const roomKeys = [keys.room(roomId), keys.log(roomId), keys.meta(roomId), keys.foreign(roomId), keys.own(roomId), keys.asked(roomId)];
    try {
      return await this.run(name, [...roomKeys, ...otherKeys], [newEpoch(), this.#roomLogLength, this.#assistantId(), ...args], about);
    } catch (error) {
      if (error instanceof Error && /^(ERR )?unheard /.test(error.message)) return UNHEARD;
      throw error;
    }
  }

  /**
   * @param about arguments of the error's sentence if the script fails, instead of the text that the script puts behind the code
   * @throws ChatError with the script's code; UNAVAILABLE when Redis does not answer
   */
  async run(name: ScriptName, keys: string[], args: (string | number)[], about: string[] = []): Promise<unknown> {
    try {
      return await this.#evaluate(name, keys, args);
    } catch (error) {
      const [, code, said] = (error instanceof Error && /^(\w+) ?(.*)/s.exec(error.message)) || [];
      throw isErrorCode(code) ? refusal(code, ...((about.length > 0 ? about : [said]) as [never])) : error;
    }
  }

  async #evaluate(name: ScriptName, keys: string[], args: (string | number)[]): Promise<unknown> {
    const { sha, source } = this.#scripts.get(name) as { sha: string; source: string };
    try {
      return await this.#redis.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      // A restarted Redis, or another shard, does not have the script yet.
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return await this.#redis.eval(source, keys.length, ...keys, ...args);
    }
  }
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(errors, code);
}
