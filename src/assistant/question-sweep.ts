import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { logKeys } from "../log/keys.js";
import type { MentionStore } from "../messages/mention.store.js";
import type { Lenient, RedisClient } from "../redis/connect.js";
import { userKeys } from "../users/keys.js";
import type { AssistantStore } from "./assistant.store.js";
import { assistantKeys } from "./keys.js";

const REST = 5; // seconds from the end of one sweep to the next, by any worker
const LOOK = 1_000; // ms between two checks whether a sweep is due
const SCANNED = 50; // rooms checked in one step
const PAUSE = 100; // ms between two steps: a few hundred rooms a second

interface Stores {
  assistant: Pick<AssistantStore, "id" | "wake">;
  mentions: Pick<MentionStore, "find">;
}

/**
 * Scans all rooms of the assistant for questions without a request, as left by a server that died between adding the two, and for messages
 * of demo apps that no server has processed. One worker sweeps at a time.
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

  /** @param worker this worker's name, unique to it */
  constructor(redis: RedisClient, lenient: Lenient, stores: Stores, worker: string, log: Logger) {
    this.#redis = redis;
    this.#lenient = lenient;
    this.#stores = stores;
    this.#worker = worker;
    this.#log = log;
    this.#timer = setInterval(() => this.#look(), LOOK);
    this.#look();
  }

  /** Resolves once the current step has finished. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#sweeping;
    // So that another worker need not wait.
    if ((await this.#redis.get(assistantKeys.sweeping)) === this.#worker) await this.#redis.unlink(assistantKeys.sweeping);
  }

  #look(): void {
    this.#sweeping ??= this.#sweep()
      .catch((err: Error) => this.#log.debug({ err }, "could not sweep the rooms for questions; trying again"))
      .finally(() => {
        this.#sweeping = undefined;
      });
  }

  async #sweep(): Promise<void> {
    const { assistant, mentions } = this.#stores;
    if ((await this.#redis.set(assistantKeys.sweeping, this.#worker, "EX", REST, "NX")) !== "OK") return;
    for (let cursor: string | undefined = "0"; cursor !== undefined && !this.#stopped; ) {
      const rooms: [string, string[]] = await this.#lenient(this.#redis.sscan(userKeys.userRooms(assistant.id), cursor, "COUNT", SCANNED), [
        "0",
        [],
      ]);
      const [next, roomIds] = rooms;
      await Promise.all(
        roomIds.map(async (roomId) => {
          const unread = this.#redis.zlexcount(logKeys.own(roomId), "[@:", "(@;");
          const [asked, unlooked] = await Promise.all([this.#redis.llen(logKeys.asked(roomId)), this.#lenient(unread, 0)]);
          if (unlooked > 0) await mentions.find(roomId);
          if (asked > 0) await assistant.wake(roomId);
        }),
      );
      await this.#redis.expire(assistantKeys.sweeping, REST, "XX");
      cursor = next === "0" ? undefined : next;
      await delay(PAUSE);
    }
  }
}
