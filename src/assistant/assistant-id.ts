import { isUserId } from "../api/ids.js";
import type { RedisClient } from "../redis/connect.js";
import type { UserId } from "../util/ids.js";
import { assistantKeys } from "./keys.js";

const LOOK = 1_000; // ms between two lookups: every server accepts questions for a new assistant within this time

/** The assistant's user id. The first worker creates the account, which may happen at any time. */
export class AssistantId {
  readonly #redis: RedisClient;
  readonly #timer: NodeJS.Timeout;
  #id: UserId | "" = "";

  constructor(redis: RedisClient) {
    this.#redis = redis;
    this.#timer = setInterval(() => {
      this.look().catch(() => {}); // Redis is away: the next lookup tries again
    }, LOOK).unref();
  }

  /** The assistant's user id, empty until the account exists. */
  get current(): UserId | "" {
    return this.#id;
  }

  async look(): Promise<void> {
    const id = await this.#redis.get(assistantKeys.assistant);
    this.#id = id !== null && isUserId(id) ? id : "";
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
