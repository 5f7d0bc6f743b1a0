import type { MessageStore } from "../messages/message.store.js";
import type { RedisClient } from "../redis/connect.js";
import type { AssistantStore } from "./assistant.store.js";
import { assistantKeys } from "./keys.js";
import { type Question, readQuestion } from "./question.js";

/** A question that a worker gave up. Its text is not stored here, only in its room. */
export interface DeadLetter extends Question {
  id: string;
  /** When it was given up. */
  at: Date;
  /** Why, in a sentence. */
  problem: string;
}

const KEPT = 10_000; // about this many, the newest

/** The questions that workers gave up, for the operator to inspect and to ask again. */
export class DeadLetters {
  readonly #redis: RedisClient;
  readonly #messages: Pick<MessageStore, "askAgain">;
  readonly #assistant: Pick<AssistantStore, "wake">;

  constructor(redis: RedisClient, messages: Pick<MessageStore, "askAgain">, assistant: Pick<AssistantStore, "wake">) {
    this.#redis = redis;
    this.#messages = messages;
    this.#assistant = assistant;
  }

  /** Adds a question. If the worker dies before it removes the question from its room's list, another worker may add it again. */
  async add({ roomId, entry }: Question, problem: string): Promise<void> {
    await this.#redis.xadd(assistantKeys.deadLetters, "MAXLEN", "~", KEPT, "*", "room", roomId, "entry", entry, "problem", problem);
  }

  /** All dead letters, oldest first. */
  async list(): Promise<DeadLetter[]> {
    return (await this.#redis.xrange(assistantKeys.deadLetters, "-", "+")).map(read);
  }

  /**
   * Asks one dead letter again, or all: adds it to its room's list, then adds a request, then deletes the dead letter. The call can be
   * repeated wherever it was cut off. A question that was answered in the meantime is not asked again.
   * @param which the id of a dead letter, or `all`
   * @returns the dead letters found
   */
  async again(which: string): Promise<DeadLetter[]> {
    const letters = (await this.list()).filter(({ id }) => which === "all" || id === which);
    for (const letter of letters) {
      if (await this.#messages.askAgain(letter)) await this.#assistant.wake(letter.roomId);
      await this.#redis.xdel(assistantKeys.deadLetters, letter.id);
    }
    return letters;
  }
}

function read([id, flat]: [id: string, flat: string[]]): DeadLetter {
  const field = (name: string) => flat[flat.indexOf(name) + 1] ?? "";
  return { id, at: new Date(Number.parseInt(id, 10)), problem: field("problem"), ...readQuestion(field("room"), field("entry")) };
}
