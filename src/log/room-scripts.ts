import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { RedisClient } from "../redis/connect.js";
import { type ScriptArgs, type ScriptCalls, type ScriptKeys, type ScriptName, type ScriptResult, Scripts } from "../redis/scripts.js";
import type { RoomId } from "../util/ids.js";
import { logKeys } from "./keys.js";

/** The scripts of the log. */
export const logLua = new URL("./lua/", import.meta.url);

/** The keys and arguments of every script that contains `room_log`; the runner supplies them. */
type RoomKey = "room" | "log" | "meta" | "foreign" | "own" | "consumed";
type RoomArgument = "newEpoch" | "logLength" | "watched";

export type RoomScript = { [Name in ScriptName]: ScriptCalls[Name] extends { args: { newEpoch: string } } ? Name : never }[ScriptName];

/** A script on a room's log, the room, its other arguments, and its other keys, if it has any. */
type RoomCall<Name extends RoomScript> = [
  name: Name,
  roomId: RoomId,
  args: Omit<ScriptArgs<Name>, RoomArgument>,
  ...otherKeys: [Exclude<keyof ScriptKeys<Name>, RoomKey>] extends [never] ? [] : [Omit<ScriptKeys<Name>, RoomKey>],
];

/** The result of a script that has to run again in a moment: another program has added to the room and not announced it yet. */
export const UNHEARD = Symbol("unheard");

/** Random, 60 bits, hexadecimal. Most calls do not use it, so it must be cheap: `randomUUID` draws from a pool of random bytes. */
const newEpoch = () => randomUUID().replaceAll("-", "").slice(0, 16);

/** Runs the scripts, and supplies what all scripts on a room's log need. */
export class RoomScripts extends Scripts {
  readonly #roomLogLength: number;
  readonly #watches: ((roomId: RoomId) => boolean)[] = [];

  /** @param roomLogLength events kept in each room's log */
  constructor(redis: RedisClient, sources: ReadonlyMap<ScriptName, string>, roomLogLength: number) {
    super(redis, sources);
    this.#roomLogLength = roomLogLength;
  }

  /** Has all entries noted that other programs add to these rooms, because a consumer wants to see them. */
  watch(watches: (roomId: RoomId) => boolean): void {
    this.#watches.push(watches);
  }

  /**
   * Runs a script that contains `room_log`. Where another program has added to the room and not announced it yet, waits for the announcement,
   * for about a second at most.
   */
  async onRoom<Name extends RoomScript>(...call: RoomCall<Name>): Promise<ScriptResult<Name>> {
    for (let wait = 10; ; wait = Math.min(2 * wait, 80)) {
      const answer = await this.onRoomAtOnce(...call);
      if (answer !== UNHEARD) return answer;
      await sleep(wait);
    }
  }

  /** The same without waiting: returns UNHEARD where it is too early. */
  async onRoomAtOnce<Name extends RoomScript>(
    ...[name, roomId, args, otherKeys]: RoomCall<Name>
  ): Promise<ScriptResult<Name> | typeof UNHEARD> {
    const roomKeys: Record<RoomKey, string> = {
      room: logKeys.room(roomId),
      log: logKeys.log(roomId),
      meta: logKeys.meta(roomId),
      foreign: logKeys.foreign(roomId),
      own: logKeys.own(roomId),
      consumed: logKeys.consumed(roomId),
    };
    const roomArgs = { newEpoch: newEpoch(), logLength: this.#roomLogLength, watched: this.#watches.some((watches) => watches(roomId)) };
    try {
      return (await this.evaluate(name, { ...roomKeys, ...otherKeys }, { ...roomArgs, ...args })) as ScriptResult<Name>;
    } catch (error) {
      if (error instanceof Error && /^(ERR )?unheard /.test(error.message)) return UNHEARD;
      throw error;
    }
  }
}
