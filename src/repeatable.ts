import { Extensions } from "type-graphql";

/** What becomes of a mutation that is called again because its answer was lost. Every field of the mutation type says it. */
export type Repetition =
  /** Nothing more than of the first call. */
  | "safe"
  /** Nothing more, where this argument is given: a name that the client has made for the call. */
  | { safeWith: string; else: string }
  /** It may do more; a sentence that says what to do instead. */
  | { else: string };

/** Marks a mutation that can be repeated. */
export const Repeatable = () => mark("safe");

/** Marks one that can be repeated with an argument. @param look what to do without it, as a sentence */
export const RepeatableWith = (argument: string, look: string) => mark({ safeWith: argument, else: look });

/** Marks one that must not simply be repeated. @param look what to do instead, as a sentence */
export const NotRepeatable = (look: string) => mark({ else: look });

const mark = (repetition: Repetition) => Extensions({ repetition });
