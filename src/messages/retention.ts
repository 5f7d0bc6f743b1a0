import { setTimeout as delay } from "node:timers/promises";
import { Cluster, type Redis } from "ioredis";
import type { Logger } from "pino";
import { isRoomId } from "../api/ids.js";
import { logKeys } from "../log/keys.js";
import type { RoomScripts } from "../log/room-scripts.js";
import { isRedisAway, type Lenient, type RedisClient } from "../redis/connect.js";
import type { RoomId } from "../util/ids.js";
import { Repeated } from "../util/repeated.js";
import { messageKeys } from "./keys.js";

/** Limits of a room's history; 0 for no limit. */
export interface Retention {
  /** Messages. */
  historyLimit: number;
  /** Days that a message is kept. */
  historyDays: number;
}

const ANY = "*" as RoomId; // in a pattern of keys
const REST = 600; // seconds from the start of one sweep to the next, whichever server runs it
const LOOK = 10_000; // ms between checks whether a sweep is due
const SCANNED = 100; // keys that Redis scans in one step
const MOST_GONE = 100; // messages, or events that carried them, removed from a room in one step
const STEP_PAUSE = 50; // ms between two steps, in which Redis serves others
const DAY = 86_400; // seconds

/**
 * Trims rooms to the limits of their history. Each send trims its own room. For silent rooms, one server at a time sweeps through all
 * rooms now and then, in small steps.
 */
export class RetentionSweep {
  readonly #redis: RedisClient;
  readonly #scripts: RoomScripts;
  readonly #lenient: Lenient;
  readonly #retention: Retention;
  readonly #server: string;
  readonly #log: Logger;
  readonly #runs: Repeated | undefined;

  /** @param server this server's unique name */
  constructor(redis: RedisClient, scripts: RoomScripts, lenient: Lenient, retention: Retention, server: string, log: Logger) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#lenient = lenient;
    this.#retention = retention;
    this.#server = server;
    this.#log = log;
    if (retention.historyLimit === 0 && retention.historyDays === 0) return;
    this.#runs = new Repeated(
      () => this.#sweep(),
      LOOK,
      (err) => log.debug({ err }, "could not look for messages past their retention; trying again"),
    );
  }

  /** Waits for the current step to finish. */
  async stop(): Promise<void> {
    await this.#runs?.stop();
  }

  async #sweep(): Promise<void> {
    // The claim expires when the next sweep is due. If a server dies during its sweep, the next sweep starts from the beginning then.
    if ((await this.#redis.set(messageKeys.trimming, this.#server, "EX", REST, "NX")) !== "OK") return;
    for (const node of this.#redis instanceof Cluster ? this.#redis.nodes("master") : [this.#redis]) {
      for (const [keyOf, type] of [
        [logKeys.room, "zset"],
        [logKeys.log, "stream"],
      ] as const) {
        for await (const roomIds of this.#roomsOn(node, keyOf, type)) {
          for (const roomId of await this.#overfull(roomIds)) await this.#trim(roomId);
        }
      }
    }
    // Stopped early: release the claim, so that another server does not have to wait.
    if (this.#runs?.stopped && (await this.#redis.get(messageKeys.trimming)) === this.#server)
      await this.#redis.unlink(messageKeys.trimming);
  }

  /** The rooms on a node that have a key of the given kind, in batches. */
  async *#roomsOn(node: Redis, keyOf: (roomId: RoomId) => string, type: string): AsyncGenerator<RoomId[]> {
    const [beginning = "", ending = ""] = keyOf(ANY).split(ANY);
    for (let cursor: string | undefined = "0"; cursor !== undefined && !this.#runs?.stopped; ) {
      const [next, found]: [string, string[]] = await node.scan(cursor, "MATCH", keyOf(ANY), "COUNT", SCANNED, "TYPE", type);
      const ids = found.map((key) => key.slice(beginning.length, key.length - ending.length));
      yield ids.filter(isRoomId); // other applications may use such names too
      await this.#redis.expire(messageKeys.trimming, REST, "XX");
      cursor = next === "0" ? undefined : next;
      await delay(STEP_PAUSE);
    }
  }

  /** The rooms that may exceed a limit. For all others, the sweep reads nothing else. */
  async #overfull(roomIds: RoomId[]): Promise<RoomId[]> {
    const { historyLimit, historyDays } = this.#retention;
    const now = Number((await this.#redis.time())[0]);
    const cutoff = now + (1 - historyDays) * DAY;
    const overfull = await Promise.all(
      roomIds.map(async (roomId) => {
        const room = logKeys.room(roomId);
        if (historyLimit > 0 && (await this.#lenient(this.#redis.zcard(room), 0)) > historyLimit) return true;
        if (historyDays === 0) return false;
        const [old, ahead, [oldest]] = await Promise.all([
          this.#lenient(this.#redis.zcount(room, "-inf", cutoff), 0),
          this.#lenient(this.#redis.zcount(room, now + historyDays * DAY, "+inf"), 0),
          this.#lenient(this.#redis.xrange(logKeys.log(roomId), "-", "+", "COUNT", 1), []),
        ]);
        return old + ahead > 0 || Number(/"at":(\d+)/.exec(String(oldest?.[1]))?.[1] ?? Number.NaN) / 1_000_000 < cutoff;
      }),
    );
    return roomIds.filter((_, index) => overfull[index]);
  }

  async #trim(roomId: RoomId): Promise<void> {
    const { historyLimit, historyDays } = this.#retention;
    try {
      for (let gone: number | undefined; gone !== 0 && !this.#runs?.stopped; ) {
        gone = await this.#scripts.onRoom(
          "room_trim",
          roomId,
          { historyLimit, historyDays, most: MOST_GONE },
          { reactions: messageKeys.reactions(roomId), mentioned: messageKeys.mentioned(roomId) },
        );
        await delay(1); // ms, so that trimming a long history does not hold up other work
      }
    } catch (error) {
      if (isRedisAway(error)) throw error;
      this.#log.warn({ roomId, error: String(error) }, "could not trim a room's history; trying again in the next sweep");
    }
  }
}
