import type { Position } from "./position.js";

/** What takes the values of a feed as they come. */
export interface Sink<T> {
  /** @param position where the value stands, for one that comes from a room's log */
  value(value: T, position: Position | undefined): void;
  /** There will be no more; with a reason where it is not for the follower's leaving. */
  end(failure: unknown): void;
  /** That many events of the past were read for it, with that many characters. */
  replayed(events: number, characters: number): void;
}

type Reader<T> = { resolve: (result: IteratorResult<T, undefined>) => void; reject: (error: unknown) => void };

/**
 * What a subscription's resolver returns: values as they come, for whoever iterates, or for a sink that takes them at
 * once. The iterator's `return` (a client that completes or leaves) releases what the feed holds, once, however it ends.
 */
export class Feed<T extends object> implements AsyncIterableIterator<T> {
  readonly #queue: { value: T; position: Position | undefined }[] = [];
  readonly #readers: Reader<T>[] = [];
  readonly #releases: (() => void)[] = [];
  #sink: Sink<T> | undefined;
  /** Events of the past that were read before there was a sink, and their characters. */
  readonly #replayed = { events: 0, characters: 0 };
  #ended = false;
  #failure: unknown;

  push(value: T, position?: Position): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (this.#sink) this.#sink.value(value, position);
    else if (reader) reader.resolve({ value, done: false });
    else this.#queue.push({ value, position });
  }

  /** Events of the past were read for it. */
  replayed(events: number, characters: number): void {
    if (this.#sink) this.#sink.replayed(events, characters);
    else {
      this.#replayed.events += events;
      this.#replayed.characters += characters;
    }
  }

  /** From now on values go to the sink; first those that have come before. */
  attach(sink: Sink<T>): void {
    this.#sink = sink;
    sink.replayed(this.#replayed.events, this.#replayed.characters);
    for (const { value, position } of this.#queue.splice(0)) sink.value(value, position);
    if (this.#ended) sink.end(this.#failure);
  }

  /** Ends the feed after what has been pushed; with an error, that is what the reader meets last. */
  end(failure?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#sink?.end(failure);
    for (const reader of this.#readers.splice(0)) this.#finish(reader);
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
    const next = this.#queue.shift();
    if (next) return Promise.resolve({ value: next.value, done: false });
    return new Promise((resolve, reject) => {
      if (this.#ended) this.#finish({ resolve, reject });
      else this.#readers.push({ resolve, reject });
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

  #finish(reader: Reader<T>): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure === undefined) reader.resolve({ value: undefined, done: true });
    else reader.reject(failure);
  }
}
