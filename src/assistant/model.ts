import type { RESTART } from "./reasoning.js";

/** One turn of a conversation. Turns are ordered oldest first. `name` is the author's, where several people talk. */
export interface Turn {
  role: "user" | "assistant";
  text: string;
  name?: string | undefined;
}

/** The next piece of an answer. RESTART restarts the answer: the pieces before it were not part of it. */
export type Piece = string | typeof RESTART;

/** A source of answers. */
export interface Model {
  /**
   * Yields the pieces of the answer as they arrive: at least one, none empty. If the last turn is the assistant's, the answer continues it.
   * @throws ModelFailure with a sentence for users, also after some pieces if these are not the whole answer;
   *   the reason with which `signal` was aborted
   */
  answer(turns: Turn[], signal: AbortSignal): AsyncIterable<Piece>;
}

export { RESTART } from "./reasoning.js";
export { ModelFailure } from "./trouble.js";
