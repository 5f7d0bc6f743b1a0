import type { RedisClient } from "./connect.js";
import { keys } from "./keys.js";

const LOOK = 1_000; // ms between two looks: within so long, every server takes questions for an assistant that is new

/** Who the assistant is: its account is made by the first worker, which may come at any time. */
export class AssistantId {
  readonly #redis: RedisClient;
  readonly #timer: NodeJS.Timeout;
  #id = "";

  constructor(redis: RedisClient) {
    this.#redis = redis;
    this.#timer = setInterval(() => {
      this.look().catch(() => {}); // Redis is away: the next look tells
    }, LOOK).unref();
  }

  /** The assistant's user id, empty while there is none. */
  get current(): string {
    return this.#id;
  }

  async look(): Promise<void> {
    const id = await this.#redis.get(keys.assistant);
    this.#id = id !== null && /^[1-9]\d{0,14}$/.test(id) ? id : "";
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
