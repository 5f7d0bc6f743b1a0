/** One turn of a conversation, oldest first; `name` is who said it, where several people talk. */
export interface Turn {
  role: "user" | "assistant";
  text: string;
  name?: string | undefined;
}

/** What thinks of answers. */
export interface Model {
  /** Pieces of the answer as they come. @throws ModelFailure with a sentence that may be shown to people; an AbortError-like rejection or a plain end once `signal` is aborted */
  answer(turns: Turn[], signal: AbortSignal): AsyncIterable<string>;
}

export class ModelFailure extends Error {}
