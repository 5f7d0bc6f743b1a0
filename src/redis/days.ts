import type { RedisClient } from "./connect.js";

const DAY = 86_400; // seconds

/**
 * The current day by Redis's clock, counted from 1970. A server has to name keys that contain the day before it asks Redis, so it
 * estimates the day from its own clock and the last known offset between the two clocks.
 */
export class RedisDays {
  readonly #redis: Pick<RedisClient, "time">;
  #off = 0;

  constructor(redis: Pick<RedisClient, "time">) {
    this.#redis = redis;
  }

  /** The probable day; no round trip. */
  expected(): number {
    return today() + this.#off;
  }

  /** Corrects the offset by a day that Redis returned. */
  learn(day: number): void {
    this.#off = day - today();
  }

  /** The day by Redis's clock; one round trip. */
  async today(): Promise<number> {
    const [seconds] = await this.#redis.time();
    const day = Math.floor(Number(seconds) / DAY);
    this.learn(day);
    return day;
  }
}

const today = () => Math.floor(Date.now() / 1_000 / DAY);
