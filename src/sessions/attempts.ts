import { createHash } from "node:crypto";
import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import type { RedisClient } from "../redis/connect.js";
import { isRefusal, rateLimited } from "../util/errors.js";
import type { UserId } from "../util/ids.js";
import { sessionKeys } from "./keys.js";

const QUARTER = 900; // seconds
const HOUR = 3_600;
const MONTH = 30 * 24 * HOUR;

/** How many attempts (`points`) are allowed within `duration` seconds. */
export interface Allowance {
  points: number;
  duration: number;
}

const LIMITS = {
  /** Wrong passwords for one name from one address. */
  pair: { points: 10, duration: QUARTER },
  /** Wrong passwords from one address, for any name. */
  address: { points: 100, duration: HOUR },
  /** Wrong passwords for one name, from all addresses without a recent login under that name. */
  name: { points: 100, duration: HOUR },
  signUp: { points: 30, duration: HOUR },
  guest: { points: 60, duration: HOUR },
};

type Limit = keyof typeof LIMITS;

/** A client's address, as limits count it; undefined for programs on this machine, which have no limit per address. */
export type Address = string | undefined;

/**
 * Limits how often users can try passwords, make accounts, and do some other things. The counts are in Redis, for all servers together. A
 * name without an account is counted like any other.
 *
 * Every limit covers a fixed time from its first attempt on; a refused attempt does not prolong it. Many addresses together can use up the
 * limit of a name, and so keep its owner from logging in at a new address for as long as they continue. This does not affect an address at
 * which the owner has logged in within a month: it has only its own limit.
 */
export class Attempts {
  readonly #redis: RedisClient;
  readonly #limiters: Map<string, RateLimiterRedis> | undefined;

  /** @param on false for no limits at all */
  constructor(redis: RedisClient, on: boolean) {
    this.#redis = redis;
    if (!on) return;
    this.#limiters = new Map();
    for (const [name, allowance] of Object.entries(LIMITS)) this.#add(name, allowance);
  }

  /**
   * Adds a limit of another feature.
   * @returns a function that counts `points` attempts of a user; throws RATE_LIMITED
   */
  limit(name: string, allowance: Allowance): (userId: UserId, points?: number) => Promise<void> {
    this.#add(name, allowance);
    return (userId, points) => this.#count(name, userId, points);
  }

  /**
   * Returns the result of `check`, unless too many passwords have been tried. The attempt is counted beforehand, so that many attempts at
   * once gain nothing, and uncounted unless the check throws INVALID_CREDENTIALS.
   * @throws ChatError RATE_LIMITED
   */
  async guess<T>(username: string, address: Address, check: () => Promise<T>): Promise<T> {
    if (!this.#limiters) return check();
    const pair = `${address ?? ""} ${username}`;
    const counted: [Limit, string][] = [];
    const count = async (limit: Limit, who: string) => {
      await this.#count(limit, who);
      counted.push([limit, who]);
    };
    const takeBack = () => Promise.all(counted.map(([limit, who]) => this.#limiters?.get(limit)?.reward(keyOf(limit, who))));
    try {
      await count("pair", pair); // first: a client that is refused here does not use up the shared limits
      if (address !== undefined) await count("address", address);
      if ((await this.#redis.exists(keyOf("known", pair))) === 0) await count("name", username);
      const given = await check();
      await Promise.all([takeBack(), this.#redis.set(keyOf("known", pair), 1, "EX", MONTH)]);
      await this.#limiters.get("pair")?.delete(keyOf("pair", pair));
      return given;
    } catch (error) {
      if (!isRefusal(error, "INVALID_CREDENTIALS")) await takeBack();
      throw error;
    }
  }

  /** @throws ChatError RATE_LIMITED */
  async signUp(address: Address): Promise<void> {
    if (address !== undefined) await this.#count("signUp", address);
  }

  /** @throws ChatError RATE_LIMITED */
  async joinAsGuest(address: Address): Promise<void> {
    if (address !== undefined) await this.#count("guest", address);
  }

  #add(name: string, allowance: Allowance): void {
    this.#limiters?.set(name, new RateLimiterRedis({ storeClient: this.#redis, keyPrefix: "", ...allowance }));
  }

  async #count(limit: string, who: string, points = 1): Promise<void> {
    try {
      await this.#limiters?.get(limit)?.consume(keyOf(limit, who), points);
    } catch (error) {
      throw error instanceof RateLimiterRes ? rateLimited(Math.max(1, Math.ceil(error.msBeforeNext / 1_000))) : error;
    }
  }
}

/** Hashed, because a client's text may be long, and may have braces, which a cluster interprets. */
function keyOf(limit: string, who: string): string {
  return sessionKeys.attempts(limit, createHash("sha256").update(who).digest("base64url"));
}
