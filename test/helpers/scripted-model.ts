import { type Model, type Piece, RESTART, type Turn } from "../../src/assistant/model.js";

/** A question as the model got it. The test writes the answer. */
export class Asked {
  readonly #pieces: (Piece | Error | null)[] = [];
  #wake = () => {};
  /** Resolves when the answer is aborted. */
  readonly aborted: Promise<void>;

  constructor(
    readonly turns: Turn[],
    signal: AbortSignal,
  ) {
    this.aborted = new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }

  /** The question: the last turn's text. */
  get question(): string {
    return this.turns.at(-1)?.text ?? "";
  }

  say(...pieces: string[]): this {
    return this.#add(...pieces);
  }

  /** Discards all pieces so far from the answer. */
  restart(): this {
    return this.#add(RESTART);
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

/** A model that only says what the test scripts. It even ignores the abort signal. */
export class ScriptedModel implements Model {
  readonly #asked: Asked[] = [];
  readonly #waiting: ((asked: Asked) => void)[] = [];
  /** The number of questions so far. */
  count = 0;

  answer(turns: Turn[], signal: AbortSignal): AsyncIterable<Piece> {
    const asked = new Asked(turns, signal);
    this.count++;
    const waiting = this.#waiting.shift();
    if (waiting) waiting(asked);
    else this.#asked.push(asked);
    return asked.pieces();
  }

  /** Returns the next question. */
  next(): Promise<Asked> {
    const asked = this.#asked.shift();
    return asked ? Promise.resolve(asked) : new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** A model that repeats the question. */
export const echo: Model = {
  async *answer(turns) {
    yield "You said: ";
    yield turns.at(-1)?.text ?? "";
  },
};
