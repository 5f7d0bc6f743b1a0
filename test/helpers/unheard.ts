import type { Redis } from "ioredis";

/**
 * Adds a message to the general room as a server does, in one transaction that first cuts every connection that is subscribed to channels.
 * So no server gets its announcement, and only the log has it.
 * @returns the number of connections cut
 */
export async function sendUnheard(redis: Redis, from: string, message: string): Promise<number> {
  const meta = await redis.hgetall("meta:{room:0}");
  const [seq, at] = [Number(meta.seq) + 1, Number(meta.time) + 1];
  const event = JSON.stringify({ seq, epoch: meta.epoch, kind: "message.added", at, message: { from, message, id: `0/${at}` } });
  const results = await redis
    .multi()
    .call("CLIENT", "KILL", "TYPE", "pubsub")
    .xadd("log:{room:0}", `${seq}-0`, "event", event)
    .hset("meta:{room:0}", { seq, time: at })
    .spublish("room:0", event)
    .exec();
  return results?.[0]?.[1] as number;
}
