import { refusal } from "../util/errors.js";
import type { UserId } from "../util/ids.js";

const MOST_ENTRIES = 20_000; // of all lists without a length argument together
const LENGTH_OF_ID = 10; // characters, about

const MOST_TOGETHER = 100; // messages that one operation reads at a time: with the longest texts, some 5 ms
const READ = 1.7e-5; // ms to read a character of a message from Redis, at three bytes per character
const SEARCH = 1e-4; // ms to search a character of a message for mentions; in the worst text twice that, the first time
const LOOK_UP = 0.03; // ms to look up a user, a room, or a similar record

interface ReadMessage {
  text: string;
  reactions: readonly { userIds: readonly UserId[] }[];
}

/** The time, in ms, that an operation costs the server before it writes the answer. The client is charged for this time. */
export class Work {
  ms = 0;

  #entries = 0;
  #reading = 0;
  readonly #waiting: (() => void)[] = [];

  /**
   * Runs a read of up to `count` messages, with few others of this operation at the same time. The answers to many pages that arrive
   * together would hold up all other operations.
   */
  async reading<T>(count: number, read: () => Promise<T>): Promise<T> {
    while (this.#reading > 0 && this.#reading + count > MOST_TOGETHER) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#reading += count;
    try {
      return await read();
    } finally {
      this.#reading -= count;
      for (const next of this.#waiting.splice(0)) next();
    }
  }

  /** Counts messages that were read, even if the answer does not contain them. @returns the messages */
  read<T extends readonly (ReadMessage | null)[]>(messages: T): T {
    let characters = 0;
    for (const message of messages) {
      characters += message?.text.length ?? 0;
      for (const { userIds } of message?.reactions ?? []) characters += userIds.length * LENGTH_OF_ID;
    }
    this.ms += characters * READ;
    return messages;
  }

  /** Counts records that were looked up in Redis one by one. @returns the records */
  lookedUp<T extends readonly unknown[]>(records: T): T {
    this.ms += records.length * LOOK_UP;
    return records;
  }

  /**
   * Counts a list that is usually short, and whose length the operation does not limit.
   * @returns the list
   * @throws ChatError QUERY_TOO_COMPLEX if all such lists together are too long
   */
  list<T>(entries: readonly T[]): readonly T[] {
    this.#entries += entries.length;
    if (this.#entries > MOST_ENTRIES)
      throw refusal("QUERY_TOO_COMPLEX", `The answer holds more than ${MOST_ENTRIES} users of reactions and mentions.`);
    return entries;
  }

  /** Counts a text that is searched for mentions. */
  searched(text: string): void {
    this.ms += text.length * SEARCH;
  }
}
