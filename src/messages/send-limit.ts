import { rateLimited } from "../errors.js";
import type { Scripts } from "../redis/scripts.js";

/** Sends that a user has been charged for in advance. */
interface Portion {
  /** How many of them have not been made. */
  left: number;
  /** From when on they may be made, in ms. */
  usableAt: number;
  /** Until when they are good, in ms. */
  until: number;
  /** Resolves when Redis has been told. */
  charged: Promise<void>;
}

const LIFE = 10_000; // ms that a portion is good for
const SHARE = 5; // how many portions make up what a user may do in that time

/**
 * How often a user may send, or do something of the kind, counted over all servers in one bucket in Redis. A server charges the bucket for some sends
 * at a time and lets them pass while Redis is being told, so a send seldom waits for it. What they overdraw has to be
 * worked off before the next ones pass.
 */
export class SendLimit {
  readonly #scripts: Pick<Scripts, "run">;
  readonly #bucket: (userId: string) => string;
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #portion: number;
  /** By user, the one that was charged first at the front. */
  readonly #portions = new Map<string, Portion>();

  /** @param bucket the key for a user */
  constructor(
    scripts: Pick<Scripts, "run">,
    bucket: (userId: string) => string,
    { perSecond, burst }: { perSecond: number; burst: number },
  ) {
    this.#scripts = scripts;
    this.#bucket = bucket;
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#portion = Math.max(1, Math.floor(Math.min(burst, (perSecond * LIFE) / 1_000) / SHARE));
  }

  /**
   * Takes one send off what the user may do.
   * @throws ChatError RATE_LIMITED
   */
  async take(userId: string): Promise<void> {
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
        // A flood waits here for Redis, a portion at a time, until it learns that it is too much.
        await portion.charged;
        if (portion.usableAt <= performance.now() && this.#portions.get(userId) === portion) this.#charge(userId, performance.now());
      }
    }
  }

  #charge(userId: string, now: number): void {
    for (const [user, { until }] of this.#portions) {
      if (until >= now) break;
      this.#portions.delete(user);
    }
    const charging = this.#scripts.run("sends_charge", [this.#bucket(userId)], [this.#portion, 1_000 / this.#perSecond, this.#burst]);
    const portion: Portion = {
      left: this.#portion,
      usableAt: now,
      until: now + LIFE,
      charged: charging.then(
        (wait) => {
          portion.usableAt = performance.now() + Number(wait);
          portion.until = portion.usableAt + LIFE;
        },
        () => {}, // Redis is away, and so the send that is charged for fails by itself
      ),
    };
    this.#portions.delete(userId); // to go to the end
    this.#portions.set(userId, portion);
  }
}
