import type { Position } from "./position.js";

/** Receives the values of a feed as they arrive. */
export interface Sink<T> {
  /** @param position the value's position, if it comes from a room's log */
  value(value: T, position: Position | undefined): void;
  /** Called after the last value. @param failure why the feed ended; undefined if the subscriber left */
  end(failure: unknown): void;
  /** Called when past events were read for the sink, with their number and characters. */
  replayed(events: number, characters: number): void;
}

type Reader<T> = { resolve: (result: IteratorResult<T, undefined>) => void; reject: (error: unknown) => void };

/**
 * The result of a subscription's resolver: values as they arrive, for a caller that iterates, or for a sink that takes them immediately.
 * The feed releases its resources once, however it ends; the iterator's `return` ends it when a client completes or leaves.
 */
export class Feed<T extends object> implements AsyncIterableIterator<T> {
  readonly #queue: { value: T; position: Position | undefined }[] = [];
  readonly #readers: Reader<T>[] = [];
  readonly #releases: (() => void)[] = [];
  #sink: Sink<T> | undefined;
  /** Past events that were read before a sink was attached, and their characters. */
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

  /** Reports that past events were read for the feed. */
  replayed(events: number, characters: number): void {
    if (this.#sink) this.#sink.replayed(events, characters);
    else {
      this.#replayed.events += events;
      this.#replayed.characters += characters;
    }
  }

  /** Sends values to the sink from now on, starting with those that have already arrived. */
  attach(sink: Sink<T>): void {
    this.#sink = sink;
    sink.replayed(this.#replayed.events, this.#replayed.characters);
    for (const { value, position } of this.#queue.splice(0)) sink.value(value, position);
    if (this.#ended) sink.end(this.#failure);
  }

  /** The number of values that are not taken yet. */
  protected get untaken(): number {
    return this.#queue.length;
  }

  /** Drops the values with a position that are not taken yet. */
  protected dropUntaken(): void {
    const others = this.#queue.filter(({ position }) => position === undefined);
    this.#queue.splice(0, this.#queue.length, ...others);
  }

  /** Ends the feed after the values pushed so far. With a failure, the reader gets it last. */
  end(failure?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#sink?.end(failure);
    for (const reader of this.#readers.splice(0)) this.#finish(reader);
    for (const release of this.#releases.splice(0)) release();
  }

  /** Runs the function when the feed ends, or now if it has ended because the client left while a resource was being acquired. */
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
