/** A value that is replaced as a whole, with listeners. It fits React's useSyncExternalStore. */
export class Store<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();
  #told = true;

  constructor(value: T) {
    this.#value = value;
  }

  readonly get = (): T => this.#value;

  /** Calls the listeners at most once per frame, however many changes there are, as when a room catches up. */
  set(value: T): void {
    if (value === this.#value) return;
    this.#value = value;
    if (!this.#told) return;
    this.#told = false;
    if (document.hidden)
      setTimeout(this.#tell, 50); // ms; a hidden page has no frames
    else requestAnimationFrame(this.#tell);
  }

  /** @returns a function that removes the listener */
  readonly listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly #tell = () => {
    this.#told = true;
    for (const listener of this.#listeners) listener();
  };
}
