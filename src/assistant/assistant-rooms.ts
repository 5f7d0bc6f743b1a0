import type { Stores } from "../api/context.js";
import type { Swept } from "../consumers/sweep.js";
import { logKeys } from "../log/keys.js";
import type { Lenient, RedisClient } from "../redis/connect.js";
import { userKeys } from "../users/keys.js";
import type { RoomId } from "../util/ids.js";
import { ASSISTANT } from "./keys.js";

const SCANNED = 50; // rooms checked in one step
const REST = 5; // seconds; a question must not wait longer

/** Finds questions without a hint in the assistant's rooms, and messages of demo apps there that no server has processed. */
export function sweptRooms(redis: RedisClient, lenient: Lenient, { assistant, mentions }: Pick<Stores, "assistant" | "mentions">): Swept {
  return {
    rest: REST,
    async rooms(cursor) {
      if (assistant.id === "") return ["0", []];
      const rooms: [string, RoomId[]] = await lenient(
        redis.sscan(userKeys.userRooms(assistant.id), cursor, "COUNT", SCANNED) as Promise<[string, RoomId[]]>,
        ["0", []],
      );
      return rooms;
    },
    async look(roomId) {
      const unread = redis.zlexcount(logKeys.own(roomId), "[@:", "(@;");
      const [waits, unlooked] = await Promise.all([redis.hexists(logKeys.consumed(roomId), ASSISTANT), lenient(unread, 0)]);
      if (unlooked > 0) await mentions.find(roomId);
      if (waits === 1) await assistant.wake(roomId);
    },
  };
}
