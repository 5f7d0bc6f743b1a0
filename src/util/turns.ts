import { performance } from "node:perf_hooks";

const LONGEST = 2; // ms that such work may take in one turn of the event loop

/** Spreads work over turns of the event loop, in order, so that other work runs in between. */
export class Turns {
  readonly #rest: number;
  #spent = 0;
  #ending = false;
  readonly #waiting: (() => void)[] = [];

  /** @param rest length of the pause after a used-up turn, as a multiple of the time that it took; 0 for the next turn of the event loop */
  constructor(rest: number) {
    this.#rest = rest;
  }

  /** Runs the work now, or in a later turn if this one is used up. */
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
      setImmediate(() => this.#end());
    }
    const began = performance.now();
    try {
      return work();
    } finally {
      this.#spent += performance.now() - began;
    }
  }

  #end(): void {
    if (this.#spent < LONGEST || this.#rest === 0) this.#next();
    else setTimeout(() => this.#next(), this.#spent * this.#rest);
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
