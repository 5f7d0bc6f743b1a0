import { Cluster } from "ioredis";
import { isRoomId } from "../api/ids.js";
import type { Swept } from "../consumers/sweep.js";
import { logKeys } from "../log/keys.js";
import type { RedisClient } from "../redis/connect.js";
import type { RoomId } from "../util/ids.js";
import { DEMOS, type DemoBridge } from "./bridge.js";

const SCANNED = 500; // keys that Redis looks at in one step
const REST = 60; // seconds between sweeps; the apps find a message that was not announced when they read the room
const [BEGINNING = "", ENDING = ""] = logKeys.consumed("*" as RoomId).split("*");

/** Finds messages that a server stored and did not announce before it died, by a scan through the keys of all nodes. */
export function unannounced(redis: RedisClient, demos: Pick<DemoBridge, "announce">): Swept {
  return {
    rest: REST,
    async rooms(cursor) {
      const nodes = redis instanceof Cluster ? redis.nodes("master") : [redis];
      const [at = "0", number = "0"] = cursor.split(" ");
      const node = nodes[Number(number)];
      if (!node) return ["0", []]; // the cluster has shrunk
      const [next, found] = await node.scan(at, "MATCH", `${BEGINNING}*${ENDING}`, "COUNT", SCANNED, "TYPE", "hash");
      const rooms = found.map((key) => key.slice(BEGINNING.length, key.length - ENDING.length)).filter(isRoomId);
      if (next !== "0") return [`${next} ${number}`, rooms];
      return [Number(number) + 1 < nodes.length ? `0 ${Number(number) + 1}` : "0", rooms];
    },
    look: async (roomId) => (await redis.hexists(logKeys.consumed(roomId), DEMOS)) === 1 && demos.announce(roomId),
  };
}
