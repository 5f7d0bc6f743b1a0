import { performance } from "node:perf_hooks";

const LONGEST = 2; // ms of one turn of the event loop that go to such work
const REST = 2; // times as long as it took, others come before the next of it: an operation of theirs takes several turns

/** Lets everyone else come between pieces of work that take long: some pieces in each turn of the event loop, in order. */
export class Turns {
  #spent = 0;
  #ending = false;
  readonly #waiting: (() => void)[] = [];

  /** Does it now, or in a later turn where this one is used up. */
  run<T>(work: () => T): T | Promise<T> {
    if (this.#spent < LONGEST && this.#waiting.length === 0) return this.#do(work);
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(this.#do(work));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #do<T>(work: () => T): T {
    if (!this.#ending) {
      this.#ending = true;
      setImmediate(() => this.#rest());
    }
    const began = performance.now();
    try {
      return work();
    } finally {
      this.#spent += performance.now() - began;
    }
  }

  #rest(): void {
    if (this.#spent < LONGEST) this.#next();
    else setTimeout(() => this.#next(), this.#spent * REST);
  }

  #next(): void {
    this.#spent = 0;
    this.#ending = false;
    while (this.#spent < LONGEST) {
      const work = this.#waiting.shift();
      if (!work) return;
      work();
    }
  }
}
