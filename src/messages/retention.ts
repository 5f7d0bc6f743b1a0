import { setTimeout as delay } from "node:timers/promises";
import { Cluster, type Redis } from "ioredis";
import type { Logger } from "pino";
import { isRedisAway, type Lenient, type RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import { isRoomId, privatePair } from "../rooms/room.store.js";

/** What a room's history may hold; 0 for no limit. */
export interface Retention {
  /** Messages. */
  historyLimit: number;
  /** Days that a message is kept. */
  historyDays: number;
}

const REST = 600; // seconds from the beginning of one sweep to the next, whichever server does it
const LOOK = 10_000; // ms between two looks whether it is time
const SCANNED = 100; // keys that Redis looks at in one step
const MOST_GONE = 100; // messages, or events that carried them, taken out of a room in one step
const PAUSE = 50; // ms between two steps, in which Redis does other things
const DAY = 86_400; // seconds

/**
 * Takes out of rooms what their history may not hold any more. Each send does so in its own room; for those in which nothing is
 * said, one server at a time goes through all rooms every now and then, in small steps.
 */
export class RetentionSweep {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #lenient: Lenient;
  readonly #retention: Retention;
  readonly #server: string;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;
  #stopped = false;

  /** @param server this server's name, which no other one has */
  constructor(redis: RedisClient, scripts: Scripts, lenient: Lenient, retention: Retention, server: string, log: Logger) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#lenient = lenient;
    this.#retention = retention;
    this.#server = server;
    this.#log = log;
    if (retention.historyLimit === 0 && retention.historyDays === 0) return;
    this.#timer = setInterval(() => this.#look(), LOOK);
    this.#look();
  }

  /** Lets the step that is under way finish. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  #look(): void {
    this.#sweeping ??= this.#sweep()
      .catch((err: Error) => this.#log.debug({ err }, "could not look for messages that are kept too long; trying again"))
      .finally(() => {
        this.#sweeping = undefined;
      });
  }

  async #sweep(): Promise<void> {
    // The claim runs out when it is time again. Should a server die amid its sweep, the next one begins anew then.
    if ((await this.#redis.set(keys.trimming, this.#server, "EX", REST, "NX")) !== "OK") return;
    for (const node of this.#redis instanceof Cluster ? this.#redis.nodes("master") : [this.#redis]) {
      for (const [keyOf, type] of [
        [keys.room, "zset"],
        [keys.log, "stream"],
      ] as const) {
        for await (const roomIds of this.#roomsOn(node, keyOf, type)) {
          for (const roomId of await this.#overfull(roomIds)) await this.#trim(roomId);
        }
      }
    }
    // Cut off: another server need not wait.
    if (this.#stopped && (await this.#redis.get(keys.trimming)) === this.#server) await this.#redis.unlink(keys.trimming);
  }

  /** The rooms on a node that have a key of a kind, some at a time. */
  async *#roomsOn(node: Redis, keyOf: (roomId: string) => string, type: string): AsyncGenerator<string[]> {
    const [beginning = "", ending = ""] = keyOf("*").split("*");
    for (let cursor: string | undefined = "0"; cursor !== undefined && !this.#stopped; ) {
      const [next, found]: [string, string[]] = await node.scan(cursor, "MATCH", keyOf("*"), "COUNT", SCANNED, "TYPE", type);
      const ids = found.map((key) => key.slice(beginning.length, key.length - ending.length));
      yield ids.filter((id) => isRoomId(id) || privatePair(id)); // whatever else others keep under such names
      await this.#redis.expire(keys.trimming, REST, "XX");
      cursor = next === "0" ? undefined : next;
      await delay(PAUSE);
    }
  }

  /** Those of the rooms that may hold more than they should; for a room where that is not so, nothing else is looked at. */
  async #overfull(roomIds: string[]): Promise<string[]> {
    const { historyLimit, historyDays } = this.#retention;
    const now = Number((await this.#redis.time())[0]);
    const cutoff = now + (1 - historyDays) * DAY;
    const overfull = await Promise.all(
      roomIds.map(async (roomId) => {
        const room = keys.room(roomId);
        if (historyLimit > 0 && (await this.#lenient(this.#redis.zcard(room), 0)) > historyLimit) return true;
        if (historyDays === 0) return false;
        const [old, ahead, [oldest]] = await Promise.all([
          this.#lenient(this.#redis.zcount(room, "-inf", cutoff), 0),
          this.#lenient(this.#redis.zcount(room, now + historyDays * DAY, "+inf"), 0),
          this.#lenient(this.#redis.xrange(keys.log(roomId), "-", "+", "COUNT", 1), []),
        ]);
        return old + ahead > 0 || Number(/"at":(\d+)/.exec(String(oldest?.[1]))?.[1] ?? Number.NaN) / 1_000_000 < cutoff;
      }),
    );
    return roomIds.filter((_, index) => overfull[index]);
  }

  async #trim(roomId: string): Promise<void> {
    const { historyLimit, historyDays } = this.#retention;
    try {
      for (let gone: unknown; gone !== 0 && !this.#stopped; ) {
        gone = await this.#scripts.onRoom(
          "room_trim",
          roomId,
          [historyLimit, historyDays, MOST_GONE],
          [keys.reactions(roomId), keys.mentioned(roomId)],
        );
        await delay(1); // ms, so that a long history goes beside everything else
      }
    } catch (error) {
      if (isRedisAway(error)) throw error;
      this.#log.warn({ roomId, error: String(error) }, "a room's history could not be trimmed");
    }
  }
}
