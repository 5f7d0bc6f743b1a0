import type { RedisClient } from "../redis/connect.js";
import type { RoomId } from "../util/ids.js";
import { consumerKeys } from "./keys.js";

/** Something that a consumer gave up. It says where that is, and has no text of users. */
export interface DeadLetter {
  id: string;
  roomId: RoomId;
  /** What the consumer needs to try again. */
  entry: string;
  /** When it was given up. */
  at: Date;
  /** Why, in a sentence. */
  problem: string;
}

const KEPT = 10_000; // about this many of a consumer, the newest

/** What a consumer gave up, for the operator to inspect and to try again. */
export class DeadLetters {
  readonly #redis: RedisClient;
  readonly #key: string;
  readonly #retry: (letter: DeadLetter) => Promise<unknown>;

  /** @param retry has the consumer try again, unless it has succeeded in the meantime; may be called repeatedly for one letter */
  constructor(redis: RedisClient, consumer: string, retry: (letter: DeadLetter) => Promise<unknown>) {
    this.#redis = redis;
    this.#key = consumerKeys.deadLetters(consumer);
    this.#retry = retry;
  }

  /** Adds a letter. Call it before what it is about stops waiting: a crash in between keeps it twice, not zero times. */
  async add({ roomId, entry, problem }: Pick<DeadLetter, "roomId" | "entry" | "problem">): Promise<void> {
    await this.#redis.xadd(this.#key, "MAXLEN", "~", KEPT, "*", "room", roomId, "entry", entry, "problem", problem);
  }

  /** All dead letters, oldest first. */
  async list(): Promise<DeadLetter[]> {
    return (await this.#redis.xrange(this.#key, "-", "+")).map(read);
  }

  /**
   * Tries one again, or all, then deletes it. The call can be repeated wherever it was cut off.
   * @param which the id of a dead letter, or `all`
   * @returns the dead letters found
   */
  async again(which: string): Promise<DeadLetter[]> {
    const letters = (await this.list()).filter(({ id }) => which === "all" || id === which);
    for (const letter of letters) {
      await this.#retry(letter);
      await this.#redis.xdel(this.#key, letter.id);
    }
    return letters;
  }
}

function read([id, flat]: [id: string, flat: string[]]): DeadLetter {
  const field = (name: string) => flat[flat.indexOf(name) + 1] ?? "";
  return { id, at: new Date(Number.parseInt(id, 10)), roomId: field("room") as RoomId, entry: field("entry"), problem: field("problem") };
}
