import type { Scripts } from "../redis/scripts.js";
import { rateLimited } from "../util/errors.js";
import type { UserId } from "../util/ids.js";

/** Sends for which a user is charged in advance. */
interface Portion {
  /** Sends that remain. */
  left: number;
  /** When the user may start to use them, in ms. */
  usableAt: number;
  /** When they expire, in ms. */
  until: number;
  /** Resolves when Redis has charged the user. */
  charged: Promise<void>;
}

const LIFE = 10_000; // ms until a portion expires
const SHARE = 5; // portions into which a user's budget for that time is divided

/**
 * The rate limit for a user's sends and similar calls, across all servers, in one bucket in Redis. A server charges the bucket for a
 * portion of sends at a time and lets them pass while Redis still processes the charge, so a send seldom waits. If they overdraw the
 * bucket, the user has to wait until the debt is worked off.
 */
export class SendLimit {
  readonly #scripts: Pick<Scripts, "run">;
  readonly #bucket: (userId: UserId) => string;
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #portion: number;
  /** By user; the portion that was charged first is at the front. */
  readonly #portions = new Map<string, Portion>();

  /** @param bucket returns the key of a user's bucket */
  constructor(
    scripts: Pick<Scripts, "run">,
    bucket: (userId: UserId) => string,
    { perSecond, burst }: { perSecond: number; burst: number },
  ) {
    this.#scripts = scripts;
    this.#bucket = bucket;
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#portion = Math.max(1, Math.floor(Math.min(burst, (perSecond * LIFE) / 1_000) / SHARE));
  }

  /**
   * Charges the user for one send.
   * @throws ChatError RATE_LIMITED
   */
  async take(userId: UserId): Promise<void> {
    for (;;) {
      const now = performance.now();
      const portion = this.#portions.get(userId);
      if (!portion || portion.until < now) {
        this.#charge(userId, now);
      } else if (portion.usableAt > now) {
        throw rateLimited(Math.ceil((portion.usableAt - now) / 1_000));
      } else if (portion.left > 0) {
        portion.left--;
        return;
      } else {
        // A flood of sends waits here for Redis after each portion, until the charge exceeds the limit.
        await portion.charged;
        if (portion.usableAt <= performance.now() && this.#portions.get(userId) === portion) this.#charge(userId, performance.now());
      }
    }
  }

  #charge(userId: UserId, now: number): void {
    for (const [user, { until }] of this.#portions) {
      if (until >= now) break;
      this.#portions.delete(user);
    }
    const charging = this.#scripts.run(
      "sends_charge",
      { bucket: this.#bucket(userId) },
      { count: this.#portion, interval: 1_000 / this.#perSecond, burst: this.#burst },
    );
    const portion: Portion = {
      left: this.#portion,
      usableAt: now,
      until: now + LIFE,
      charged: charging.then(
        (wait) => {
          portion.usableAt = performance.now() + wait;
          portion.until = portion.usableAt + LIFE;
        },
        () => {}, // Redis is away, so the send itself fails too
      ),
    };
    this.#portions.delete(userId); // moves the user to the end
    this.#portions.set(userId, portion);
  }
}
