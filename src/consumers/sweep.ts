import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { isRedisAway, type RedisClient } from "../redis/connect.js";
import type { RoomId } from "../util/ids.js";
import { Repeated } from "../util/repeated.js";
import { consumerKeys } from "./keys.js";

const LOOK = 1_000; // ms between two checks whether a sweep is due
const STEP_PAUSE = 100; // ms between two steps: a few hundred rooms a second

/** Where a consumer's sweep looks, and for what. */
export interface Swept {
  /** Some of the rooms, and the cursor of the next ones; a sweep begins and ends with the cursor `0`. */
  rooms(cursor: string): Promise<[next: string, roomIds: RoomId[]]>;
  /** If something waits in the room, adds a hint or handles it. */
  look(roomId: RoomId): Promise<unknown>;
  /** Seconds from the end of one sweep to the next, by any process; more than one step takes. */
  rest: number;
}

/**
 * Looks through a consumer's rooms for what waits without a hint, as left by a server that died between adding the two. One process sweeps
 * at a time.
 */
export class ConsumerSweep {
  readonly #redis: RedisClient;
  readonly #consumer: string;
  readonly #swept: Swept;
  readonly #process: string;
  readonly #log: Logger;
  readonly #runs: Repeated;

  /** @param process this process's name, unique to it */
  constructor(redis: RedisClient, consumer: string, swept: Swept, process: string, log: Logger) {
    this.#redis = redis;
    this.#consumer = consumer;
    this.#swept = swept;
    this.#process = process;
    this.#log = log;
    this.#runs = new Repeated(
      () => this.#sweep(),
      LOOK,
      (err) => log.debug({ err, consumer }, "could not sweep the rooms of a consumer; trying again"),
    );
  }

  /** Resolves once the current step has finished. */
  async stop(): Promise<void> {
    await this.#runs.stop();
    // So that another process need not wait.
    const mark = consumerKeys.sweeping(this.#consumer);
    if ((await this.#redis.get(mark)) === this.#process) await this.#redis.unlink(mark);
  }

  async #sweep(): Promise<void> {
    const mark = consumerKeys.sweeping(this.#consumer);
    if ((await this.#redis.set(mark, this.#process, "EX", this.#swept.rest, "NX")) !== "OK") return;
    let cursor = "0";
    do {
      const [next, roomIds] = await this.#swept.rooms(cursor);
      await Promise.all(roomIds.map((roomId) => this.#look(roomId)));
      await this.#redis.expire(mark, this.#swept.rest, "XX");
      cursor = next;
      await delay(STEP_PAUSE);
    } while (cursor !== "0" && !this.#runs.stopped);
  }
  /** Goes on after an error that concerns this room alone, such as a key of another type. */
  async #look(roomId: RoomId): Promise<void> {
    try {
      await this.#swept.look(roomId);
    } catch (err) {
      if (isRedisAway(err)) throw err;
      this.#log.debug({ err, roomId, consumer: this.#consumer }, "could not look for what waits in a room; trying again in the next sweep");
    }
  }
}
