import type { RedisClient } from "./connect.js";

const DAY = 86_400; // seconds

/**
 * Which day it is, counted from 1970, by Redis's clock. Keys that carry their day have to be named before Redis is asked. So a server
 * expects a day by its own clock, and by what it has learned of how far that is off.
 */
export class RedisDays {
  readonly #redis: Pick<RedisClient, "time">;
  #off = 0;

  constructor(redis: Pick<RedisClient, "time">) {
    this.#redis = redis;
  }

  /** The day that it probably is. */
  expected(): number {
    return today() + this.#off;
  }

  /** Redis has said which day it is. */
  learn(day: number): void {
    this.#off = day - today();
  }

  /** The day that it is; one round trip. */
  async today(): Promise<number> {
    const [seconds] = await this.#redis.time();
    const day = Math.floor(Number(seconds) / DAY);
    this.learn(day);
    return day;
  }
}

const today = () => Math.floor(Date.now() / 1_000 / DAY);
