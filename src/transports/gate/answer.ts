import type { Work } from "../../api/work.js";
import { type ChatError, refusal } from "../../util/errors.js";

export const LARGEST_ANSWER = 4 * 1024 * 1024; // characters of an answer's strings and names

// Time of the server's only thread for an answer, in ms; measured by `npm run bench -- attacks`.
const VALUE = 1.2e-3; // to resolve and write one
const CHARACTER = 8e-6; // to write one of a string; a quarter of that if the string is all ASCII

/** The size of an answer. */
export interface AnswerSize {
  /** Leaf values, objects and lists. */
  values: number;
  /** Characters of strings and field names. */
  characters: number;
}

/** The thread's time for an answer, in ms: measured for its execution, estimated for writing it. */
export function workFor({ values, characters }: AnswerSize, { ms }: Work): number {
  return ms + values * VALUE + characters * CHARACTER;
}

/** The error in place of an answer that is too large. @param done whether the operation was a mutation, which has been carried out */
export function tooLarge(done: boolean): ChatError {
  const also = done ? " The mutation has been carried out." : "";
  return refusal("QUERY_TOO_COMPLEX", `The answer is larger than ${LARGEST_ANSWER} characters.${also}`);
}

/** Measures an answer before it is written. Stops once it is too large. */
export function sizeOfAnswer(data: unknown): AnswerSize {
  const size = { values: 0, characters: 0 };
  measure(data);
  return size;

  function measure(value: unknown): void {
    size.values++;
    if (typeof value === "string") size.characters += value.length;
    if (typeof value !== "object" || value === null || size.characters > LARGEST_ANSWER) return;
    if (Array.isArray(value)) {
      for (const entry of value) measure(entry);
      return;
    }
    for (const name in value) {
      size.characters += name.length;
      measure((value as Record<string, unknown>)[name]);
    }
  }
}
