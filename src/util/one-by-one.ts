import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";

const LONGEST_REST = 200; // ms

/** Runs long pieces of asynchronous work one after the other, with rests for other work in between. */
export class OneByOne {
  readonly #rest: number;
  #last: Promise<unknown> = Promise.resolve();

  /** @param rest length of the pause after a piece, as a multiple of the time that it took */
  constructor(rest: number) {
    this.#rest = rest;
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    let began = 0;
    const done = this.#last.then(() => {
      began = performance.now();
      return work();
    });
    const rest = () => delay(Math.min((performance.now() - began) * this.#rest, LONGEST_REST), undefined, { ref: false });
    this.#last = done.then(rest, rest);
    return done;
  }
}
