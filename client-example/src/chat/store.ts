const WITHOUT_FRAME = 50; // ms after which the listeners are called if the browser draws no frame, as in a hidden page

/** A value that is replaced as a whole, with listeners. It fits React's useSyncExternalStore. */
export class Store<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(value: T) {
    this.#value = value;
  }

  readonly get = (): T => this.#value;

  /** Calls the listeners at most once per frame, however many changes there are, as when a room catches up. */
  set(value: T): void {
    if (value === this.#value) return;
    this.#value = value;
    if (this.#timer !== undefined) return;
    this.#frame = requestAnimationFrame(this.#tell);
    this.#timer = setTimeout(this.#tell, WITHOUT_FRAME);
  }

  /** @returns a function that removes the listener */
  readonly listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly #tell = () => {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const listener of this.#listeners) listener();
  };
}
