import { performance } from "node:perf_hooks";

const LONGEST = 2; // ms of one turn of the event loop

/**
 * Begins pieces of work in order, and only as long as a turn of the event loop is young: other work runs in between. What a piece does in
 * microtasks counts, too.
 */
export class Slices {
  /** When the first piece of this turn began. */
  #began: number | undefined;
  readonly #waiting: (() => void)[] = [];

  /** Begins the work now, or in a later turn. */
  run(work: () => void): void {
    if (this.#waiting.length === 0 && this.#hasTime()) work();
    else this.#waiting.push(work);
  }

  /** Resolves now, or in a later turn. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.run(resolve));
  }

  #hasTime(): boolean {
    const now = performance.now();
    if (this.#began === undefined) {
      this.#began = now;
      setImmediate(() => {
        this.#began = undefined;
        this.#drain();
      });
    }
    return now - this.#began < LONGEST;
  }

  #drain(): void {
    if (this.#waiting.length === 0 || !this.#hasTime()) return;
    this.#waiting.shift()?.();
    queueMicrotask(() => this.#drain());
  }
}
