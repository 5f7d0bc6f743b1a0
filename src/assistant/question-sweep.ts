import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { MentionStore } from "../messages/mention.store.js";
import type { Lenient, RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { AssistantStore } from "./assistant.store.js";

const REST = 5; // seconds from the end of one sweep to the next, whichever worker does it
const LOOK = 1_000; // ms between two looks whether it is time
const SCANNED = 50; // rooms that are looked at in one step
const PAUSE = 100; // ms between two steps: some hundreds of rooms a second

interface Stores {
  assistant: Pick<AssistantStore, "id" | "wake">;
  mentions: Pick<MentionStore, "find">;
}

/**
 * Looks in all rooms of the assistant whether something is asked there of which no request tells, as where a server died between
 * the two, or whether a message of a demo app has not been looked at. One worker does so at a time.
 */
export class QuestionSweep {
  readonly #redis: RedisClient;
  readonly #lenient: Lenient;
  readonly #stores: Stores;
  readonly #worker: string;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  #sweeping: Promise<void> | undefined;
  #stopped = false;

  /** @param worker this worker's name, which no other one has */
  constructor(redis: RedisClient, lenient: Lenient, stores: Stores, worker: string, log: Logger) {
    this.#redis = redis;
    this.#lenient = lenient;
    this.#stores = stores;
    this.#worker = worker;
    this.#log = log;
    this.#timer = setInterval(() => this.#look(), LOOK);
    this.#look();
  }

  /** Lets the step that is under way finish. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#sweeping;
    // Another worker need not wait.
    if ((await this.#redis.get(keys.sweeping)) === this.#worker) await this.#redis.unlink(keys.sweeping);
  }

  #look(): void {
    this.#sweeping ??= this.#sweep()
      .catch((err: Error) => this.#log.debug({ err }, "could not look for questions; trying again"))
      .finally(() => {
        this.#sweeping = undefined;
      });
  }

  async #sweep(): Promise<void> {
    const { assistant, mentions } = this.#stores;
    if ((await this.#redis.set(keys.sweeping, this.#worker, "EX", REST, "NX")) !== "OK") return;
    for (let cursor: string | undefined = "0"; cursor !== undefined && !this.#stopped; ) {
      const rooms: [string, string[]] = await this.#lenient(this.#redis.sscan(keys.userRooms(assistant.id), cursor, "COUNT", SCANNED), [
        "0",
        [],
      ]);
      const [next, roomIds] = rooms;
      await Promise.all(
        roomIds.map(async (roomId) => {
          const unread = this.#redis.zlexcount(keys.own(roomId), "[@:", "(@;");
          const [asked, unlooked] = await Promise.all([this.#redis.llen(keys.asked(roomId)), this.#lenient(unread, 0)]);
          if (unlooked > 0) await mentions.find(roomId);
          if (asked > 0) await assistant.wake(roomId);
        }),
      );
      await this.#redis.expire(keys.sweeping, REST, "XX");
      cursor = next === "0" ? undefined : next;
      await delay(PAUSE);
    }
  }
}
