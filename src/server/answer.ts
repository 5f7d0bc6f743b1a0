import { type ChatError, refusal } from "../errors.js";
import type { Work } from "../work.js";

export const LARGEST_ANSWER = 4 * 1024 * 1024; // characters of an answer's strings and names

// What the server's one thread has to do for an answer, in ms; measured by `npm run bench -- attacks`.
const VALUE = 1.2e-3; // to resolve and write one
const CHARACTER = 8e-6; // of a string, to write it; a quarter of that where all of its characters are ASCII

/** What an answer holds. */
export interface AnswerSize {
  /** Values at its leaves, and objects. */
  values: number;
  /** Characters of its strings and names. */
  characters: number;
}

/** Milliseconds of the server's thread that it took to work an answer out, and takes to write it. */
export function workFor({ values, characters }: AnswerSize, { ms }: Work): number {
  return ms + values * VALUE + characters * CHARACTER;
}

/** The error in place of an answer that is too large. @param done whether what it was asked with has been carried out */
export function tooLarge(done: boolean): ChatError {
  const also = done ? " What it asked for has been carried out." : "";
  return refusal("QUERY_TOO_COMPLEX", `The answer is larger than ${LARGEST_ANSWER} characters.${also}`);
}

/** Measures an answer before it is written; one that is too large only so far. */
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
