import type { Logger } from "pino";

const PAUSE = 10_000; // ms between two lines about the same
const MOST = 1_000; // things that are told apart

/**
 * A log for what others can bring about as often as they like: about each thing a line every ten seconds, the first at once, and
 * `times` says how often it happened since the last one.
 */
export class LimitedLog {
  readonly #log: Logger;
  readonly #told = new Map<string, { at: number; times: number }>();

  constructor(log: Logger) {
    this.#log = log;
  }

  warn(about: string, details: object, message: string): void {
    this.#limit(about, (times) => this.#log.warn({ ...details, times }, message));
  }

  error(about: string, details: object, message: string): void {
    this.#limit(about, (times) => this.#log.error({ ...details, times }, message));
  }

  #limit(about: string, tell: (times: number) => void): void {
    const now = performance.now();
    const told = this.#told.get(about) ?? { at: Number.NEGATIVE_INFINITY, times: 0 };
    told.times++;
    this.#told.set(about, told);
    if (now - told.at < PAUSE) return;
    tell(told.times);
    this.#told.delete(about); // to go to the end
    this.#told.set(about, { at: now, times: 0 });
    const [oldest] = this.#told.keys();
    if (this.#told.size > MOST && oldest !== undefined) this.#told.delete(oldest);
  }
}
