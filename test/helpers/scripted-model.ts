import { ANEW, type Model, type Piece, type Turn } from "../../src/assistant/model.js";

/** A question as the model got it, whose answer the test gives. */
export class Asked {
  readonly #pieces: (Piece | Error | null)[] = [];
  #wake = () => {};
  /** Resolves when the answer is not wanted any more. */
  readonly aborted: Promise<void>;

  constructor(
    readonly turns: Turn[],
    signal: AbortSignal,
  ) {
    this.aborted = new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }

  /** What was asked: the last turn. */
  get question(): string {
    return this.turns.at(-1)?.text ?? "";
  }

  say(...pieces: string[]): this {
    return this.#add(...pieces);
  }

  /** What was said so far is no part of the answer. */
  beginAnew(): this {
    return this.#add(ANEW);
  }

  end(): void {
    this.#add(null);
  }

  fail(error: Error): void {
    this.#add(error);
  }

  async *pieces(): AsyncGenerator<Piece, void, void> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if (piece === null) return;
      else if (piece instanceof Error) throw piece;
      else yield piece;
    }
  }

  #add(...pieces: (Piece | Error | null)[]): this {
    this.#pieces.push(...pieces);
    this.#wake();
    return this;
  }
}

/** A model that says what the test lets it say, and nothing by itself: it does not even look whether it is still wanted. */
export class ScriptedModel implements Model {
  readonly #asked: Asked[] = [];
  readonly #waiting: ((asked: Asked) => void)[] = [];
  /** How often it was asked. */
  count = 0;

  answer(turns: Turn[], signal: AbortSignal): AsyncIterable<Piece> {
    const asked = new Asked(turns, signal);
    this.count++;
    const waiting = this.#waiting.shift();
    if (waiting) waiting(asked);
    else this.#asked.push(asked);
    return asked.pieces();
  }

  /** The next question that reaches it. */
  next(): Promise<Asked> {
    const asked = this.#asked.shift();
    return asked ? Promise.resolve(asked) : new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** A model that repeats what it is asked. */
export const echo: Model = {
  async *answer(turns) {
    yield "You said: ";
    yield turns.at(-1)?.text ?? "";
  },
};
