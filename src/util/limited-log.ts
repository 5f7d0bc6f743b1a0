import type { Logger } from "pino";

const LINE_PAUSE = 10_000; // ms between two lines about the same subject
const MOST = 1_000; // subjects that are distinguished

/**
 * A log for events that clients or other programs can cause at any rate. It writes at most one line per subject every ten seconds, the
 * first at once; `times` is the number of occurrences since the last line.
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
    if (now - told.at < LINE_PAUSE) return;
    tell(told.times);
    this.#told.delete(about); // moves it to the end
    this.#told.set(about, { at: now, times: 0 });
    const [oldest] = this.#told.keys();
    if (this.#told.size > MOST && oldest !== undefined) this.#told.delete(oldest);
  }
}
