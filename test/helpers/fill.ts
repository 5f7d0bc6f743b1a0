import type { Redis } from "ioredis";
import { asOurs } from "../../src/messages/ours.js";

const AT_ONCE = 1_000;

/** Fills a room with messages as Palaver stores them, one every 10 ms until now: `message 0`, `message 1` … */
export async function fillRoom(redis: Redis, roomId: string, count: number, from: string): Promise<void> {
  const start = Date.now() * 1_000 - count * 10_000; // µs
  for (let first = 0; first < count; first += AT_ONCE) {
    const members: string[] = [];
    for (let n = first; n < Math.min(count, first + AT_ONCE); n++) {
      const at = start + n * 10_000;
      const fields = { from, date: Math.floor(at / 1e6), message: `message ${n}`, roomId, id: `${roomId}/${at}` };
      members.push(`${Math.floor(at / 1e6)}.${String(at % 1e6).padStart(6, "0")}`, asOurs(fields));
    }
    await redis.zadd(`room:${roomId}`, ...members);
  }
}
