import { setTimeout as delay } from "node:timers/promises";

const RESUME_PAUSE = 2; // ms between two resumptions: by the second, the first is charged for its work, including reads from Redis
const BEGIN_AT_ONCE = 2; // subscriptions of one payer that start at a time: each asks Redis about each of its rooms
const LONGEST_BEGINNING = 1_000; // ms after which the next one starts in any case

/** Resumes sockets or subscriptions one by one, each when the balance is positive: all at once would use much more than the balance. */
class Line {
  readonly #waiting: { wait: () => number; resume: () => void }[] = [];

  /** @param wait ms until the balance is positive @param resume called once, asynchronously */
  add(wait: () => number, resume: () => void): void {
    this.#waiting.push({ wait, resume });
    if (this.#waiting.length === 1) void this.#resumeAll();
  }

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  async #resumeAll(): Promise<void> {
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      await delay(RESUME_PAUSE, undefined, { ref: false });
      for (let ms = first.wait(); ms > 0; ms = first.wait()) await delay(ms, undefined, { ref: false });
      first.resume();
      this.#waiting.shift();
    }
  }
}

/** Lets the operations and subscriptions of one payer begin in order, few at a time. */
export class Entrance {
  readonly #limited: boolean;
  #entered = false;
  readonly #line = new Set<() => void>();
  #beginning = 0;
  readonly #toBegin: (() => void)[] = [];
  /** Sockets, and subscriptions, that wait for a positive balance. */
  readonly sockets = new Line();
  readonly subscriptions = new Line();

  /** @param limited whether only few subscriptions may start at a time */
  constructor(limited: boolean) {
    this.#limited = limited;
  }

  /** Whether nothing waits or is in progress. */
  get idle(): boolean {
    return !this.#entered && this.#beginning === 0 && this.sockets.empty && this.subscriptions.empty;
  }

  get inLine(): number {
    return this.#line.size;
  }

  /**
   * Lets operations begin one at a time, in order.
   * @param patience ms
   * @returns whether the operation may begin: then the caller has to call `leave`; otherwise its turn did not come in time
   */
  enter(patience: number): true | Promise<boolean> {
    if (!this.#entered) {
      this.#entered = true;
      return true;
    }
    return new Promise((resolve) => {
      let late: NodeJS.Timeout | undefined;
      const turn = () => {
        clearTimeout(late);
        resolve(true);
      };
      this.#line.add(turn);
      if (patience === Number.POSITIVE_INFINITY) return;
      late = setTimeout(() => {
        this.#line.delete(turn);
        resolve(false);
      }, patience).unref();
    });
  }

  leave(): void {
    const [next] = this.#line;
    if (!next) this.#entered = false;
    else {
      this.#line.delete(next);
      next();
    }
  }

  /** Runs the work once `ready` resolves, at most `BEGIN_AT_ONCE` at a time. */
  async begin<T>(ready: () => Promise<void>, work: () => Promise<T>): Promise<T> {
    if (!this.#limited) return work();
    while (this.#beginning >= BEGIN_AT_ONCE) await new Promise<void>((resolve) => this.#toBegin.push(resolve));
    this.#beginning++;
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      this.#beginning--;
      this.#toBegin.shift()?.();
    };
    let late: NodeJS.Timeout | undefined;
    try {
      await ready();
      late = setTimeout(over, LONGEST_BEGINNING).unref();
      return await work();
    } finally {
      clearTimeout(late);
      over();
    }
  }
}
