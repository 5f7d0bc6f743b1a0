import { createHash } from "node:crypto";
import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { isRefusal, rateLimited } from "../errors.js";
import type { RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";

const QUARTER = 900; // seconds
const HOUR = 3_600;
const MONTH = 30 * 24 * HOUR;

/** How many attempts fit into how many seconds. */
const LIMITS = {
  /** Wrong passwords for one name from one address. */
  pair: { points: 10, duration: QUARTER },
  /** Wrong passwords from one address, for whatever name. */
  address: { points: 100, duration: HOUR },
  /** Wrong passwords for one name, from all addresses that have not logged into it lately. */
  name: { points: 100, duration: HOUR },
  signUp: { points: 30, duration: HOUR },
  guest: { points: 60, duration: HOUR },
  /** Of a user: a room's whole history. */
  export: { points: 20, duration: HOUR },
  /** Of a user: invitations of strangers to groups. */
  invitation: { points: 100, duration: HOUR },
  /** Of a user: questions to the assistant; how many is a setting. */
  question: { points: 0, duration: 60 },
};

type Limit = keyof typeof LIMITS;

/** A client's, as limits count it; undefined for programs on this very machine, which have no limit of their own. */
export type Address = string | undefined;

/**
 * How often passwords may be tried and accounts be made; counted in Redis, for all servers together. A name that nobody
 * has is counted like any other.
 *
 * Every limit is for a fixed time from its first attempt on, and being refused does not prolong it. Many addresses together
 * can use up a name's, and so keep its owner from logging in at a new address for as long as they go on; not at one where the
 * owner has logged in within a month, which only has its own.
 */
export class Attempts {
  readonly #redis: RedisClient;
  readonly #limiters: Map<Limit, RateLimiterRedis> | undefined;

  /** @param on false for no limits at all */
  constructor(redis: RedisClient, on: boolean, { questionsPerMinute }: { questionsPerMinute: number }) {
    this.#redis = redis;
    const limits = { ...LIMITS, question: { ...LIMITS.question, points: questionsPerMinute } };
    const limiter = (limit: Limit) => new RateLimiterRedis({ storeClient: redis, keyPrefix: "", ...limits[limit] });
    if (on) this.#limiters = new Map((Object.keys(LIMITS) as Limit[]).map((limit) => [limit, limiter(limit)]));
  }

  /**
   * Gives what `check` gives, unless too many passwords have been tried. It is counted beforehand, so that those who try
   * many at once gain nothing, and taken back unless the check throws INVALID_CREDENTIALS.
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
      await count("pair", pair); // first: who is refused here uses up nothing of what others share
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

  /** @throws ChatError RATE_LIMITED */
  async exportRoom(userId: string): Promise<void> {
    await this.#count("export", userId);
  }

  /** @throws ChatError RATE_LIMITED */
  async askAssistant(userId: string): Promise<void> {
    await this.#count("question", userId);
  }

  /** @throws ChatError RATE_LIMITED */
  async invite(userId: string, count: number): Promise<void> {
    await this.#count("invitation", userId, count);
  }

  async #count(limit: Limit, who: string, points = 1): Promise<void> {
    try {
      await this.#limiters?.get(limit)?.consume(keyOf(limit, who), points);
    } catch (error) {
      throw error instanceof RateLimiterRes ? rateLimited(Math.max(1, Math.ceil(error.msBeforeNext / 1_000))) : error;
    }
  }
}

/** Hashed, as what a client says may be long, and holds braces that a cluster reads. */
function keyOf(limit: Limit | "known", who: string): string {
  return keys.attempts(limit, createHash("sha256").update(who).digest("base64url"));
}
