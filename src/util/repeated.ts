/** Work that a process does again and again, one run at a time. */
export class Repeated {
  readonly #work: () => Promise<void>;
  readonly #onError: (error: Error) => void;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #stopped = false;

  /**
   * Begins the first run at once.
   * @param every ms between two attempts to begin; one that comes during a run does nothing
   * @param onError called with the error of a run; the next one begins as usual
   */
  constructor(work: () => Promise<void>, every: number, onError: (error: Error) => void) {
    this.#work = work;
    this.#onError = onError;
    this.#timer = setInterval(() => this.#begin(), every).unref();
    setImmediate(() => this.#begin()); // by then the caller has this object
  }

  /** Whether it was stopped: then a run should end after its current step. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Begins no further run. Resolves once the current one has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  #begin(): void {
    if (this.#stopped) return;
    this.#running ??= this.#work()
      .catch(this.#onError)
      .finally(() => {
        this.#running = undefined;
      });
  }
}
