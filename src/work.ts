import { refusal } from "./errors.js";

const MOST_ENTRIES = 20_000; // of lists whose length is not known before
const LENGTH_OF_ID = 10; // characters, about

const READ = 1.7e-5; // ms: what it takes to read a character of a message from Redis, one that takes three bytes
const SEARCH = 1e-4; // ms: what it takes to look for mentions in a character of it; twice that in the worst text, once
const LOOK_UP = 0.03; // ms: what it takes to look up a user, a room, or the like

interface ReadMessage {
  text: string;
  reactions: readonly { userIds: readonly string[] }[];
}

/** The time, in ms, that an operation costs the server before its answer is written. Its client is charged for it. */
export class Work {
  ms = 0;

  #entries = 0;

  /** Counts messages that were read, whether they are shown or not. @returns them */
  read<T extends readonly (ReadMessage | null)[]>(messages: T): T {
    let characters = 0;
    for (const message of messages) {
      characters += message?.text.length ?? 0;
      for (const { userIds } of message?.reactions ?? []) characters += userIds.length * LENGTH_OF_ID;
    }
    this.ms += characters * READ;
    return messages;
  }

  /** Counts what was looked up in Redis, one by one. @returns them */
  lookedUp<T extends readonly unknown[]>(records: T): T {
    this.ms += records.length * LOOK_UP;
    return records;
  }

  /**
   * Counts a list that is short as a rule, and is not bounded by what the operation asks for.
   * @returns it
   * @throws ChatError QUERY_TOO_COMPLEX where all of them together are too long
   */
  list<T>(entries: readonly T[]): readonly T[] {
    this.#entries += entries.length;
    if (this.#entries > MOST_ENTRIES)
      throw refusal("QUERY_TOO_COMPLEX", `The answer holds more than ${MOST_ENTRIES} users of reactions and mentions.`);
    return entries;
  }

  /** Counts a text that is searched. */
  searched(text: string): void {
    this.ms += text.length * SEARCH;
  }
}
