/**
 * A queue that one side pushes to and the other iterates over: what a subscription's resolver returns.
 * The iterator's `return` (a client that completes or leaves) runs `release`, once, however the feed ends.
 */
export class Feed<T> implements AsyncIterableIterator<T> {
  readonly #queue: T[] = [];
  readonly #waiting: { resolve: (result: IteratorResult<T, undefined>) => void; reject: (error: unknown) => void }[] = [];
  readonly #releases: (() => void)[] = [];
  #ended = false;
  #failure: unknown;

  push(value: T): void {
    if (this.#ended) return;
    const reader = this.#waiting.shift();
    if (reader) reader.resolve({ value, done: false });
    else this.#queue.push(value);
  }

  /** Ends the feed after what is queued; with an error, that is what the reader meets last. */
  end(failure?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    for (const reader of this.#waiting.splice(0)) this.#finish(reader);
    for (const release of this.#releases.splice(0)) release();
  }

  /** Runs this when the feed ends, or now if it has ended: an acquisition that a leaving client overtook. */
  onEnd(release: () => void): void {
    if (this.#ended) release();
    else this.#releases.push(release);
  }

  get ended(): boolean {
    return this.#ended;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const value = this.#queue.shift();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    return new Promise((resolve, reject) => {
      if (this.#ended) this.#finish({ resolve, reject });
      else this.#waiting.push({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#queue.length = 0;
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish(reader: { resolve: (result: IteratorResult<T, undefined>) => void; reject: (error: unknown) => void }): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure === undefined) reader.resolve({ value: undefined, done: true });
    else reader.reject(failure);
  }
}
