import type { Logger } from "pino";
import type { RedisClient } from "../redis/connect.js";
import type { Scripts } from "../redis/scripts.js";
import type { RoomId } from "../util/ids.js";
import { consumerKeys } from "./keys.js";

const GOOD_FOR = 1_000; // ms for which the number of hints is cached

/** Tells the processes that run a consumer where something waits for it. */
export class Hints {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #consumer: string;
  readonly #log: Logger;
  #open: { count: Promise<number>; until: number } | undefined;

  constructor(redis: RedisClient, scripts: Scripts, consumer: string, log: Logger) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#consumer = consumer;
    this.#log = log;
  }

  /** Says that something waits in the room. If this fails, or the server dies first, the consumer's sweep finds the room. */
  async add(roomId: RoomId): Promise<void> {
    const keys = { hints: consumerKeys.hints(this.#consumer), waiting: consumerKeys.waiting(this.#consumer) };
    try {
      await this.#scripts.run("hint_add", keys, { roomId });
    } catch (error) {
      this.#log.debug({ error: String(error), consumer: this.#consumer }, "could not add a hint; the consumer's sweep will find the room");
    }
  }

  /** In how many rooms something waits or is being handled; the count is cached briefly. */
  open(): Promise<number> {
    const now = performance.now();
    if (!this.#open || this.#open.until < now) {
      const count = this.#redis.xlen(consumerKeys.hints(this.#consumer));
      count.catch(() => {
        this.#open = undefined;
      });
      this.#open = { count, until: now + GOOD_FOR };
    }
    return this.#open.count;
  }
}
