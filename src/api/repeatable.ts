import { Extensions } from "type-graphql";

/** The effect of a repeated call of a mutation, after its answer was lost. Every field of the mutation type declares it. */
export type Repetition =
  /** Idempotent: no further effect. */
  | "safe"
  /** Idempotent with this argument, an id that the client generates for the call; `else` is a sentence for a call without it. */
  | { safeWith: string; else: string }
  /** May have a further effect; a sentence that states what to do instead. */
  | { else: string };

/** Marks a mutation that is safe to repeat. */
export const Repeatable = () => mark("safe");

/** Marks a mutation that is safe to repeat with an argument. @param look a sentence: what to do without the argument */
export const RepeatableWith = (argument: string, look: string) => mark({ safeWith: argument, else: look });

/** Marks a mutation that is not safe to repeat. @param look a sentence: what to do instead */
export const NotRepeatable = (look: string) => mark({ else: look });

const mark = (repetition: Repetition) => Extensions({ repetition });
