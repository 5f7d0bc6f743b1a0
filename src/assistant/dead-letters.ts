import type { MessageStore } from "../messages/message.store.js";
import type { RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { AssistantStore } from "./assistant.store.js";
import { type Question, readQuestion } from "./question.js";

/** A question that was given up. What was asked is not here: it is in its room. */
export interface DeadLetter extends Question {
  id: string;
  /** When it was given up. */
  at: Date;
  /** Why, in a sentence. */
  problem: string;
}

const KEPT = 10_000; // about so many, the newest

/** The questions that were given up, for whoever runs Palaver to look at and to ask again. */
export class DeadLetters {
  readonly #redis: RedisClient;
  readonly #messages: Pick<MessageStore, "askAgain">;
  readonly #assistant: Pick<AssistantStore, "wake">;

  constructor(redis: RedisClient, messages: Pick<MessageStore, "askAgain">, assistant: Pick<AssistantStore, "wake">) {
    this.#redis = redis;
    this.#messages = messages;
    this.#assistant = assistant;
  }

  /** Keeps a question. A worker that dies before it is taken off its room's list leaves it to another, which may keep it once more. */
  async add({ roomId, entry }: Question, problem: string): Promise<void> {
    await this.#redis.xadd(keys.deadLetters, "MAXLEN", "~", KEPT, "*", "room", roomId, "entry", entry, "problem", problem);
  }

  /** All of them, the oldest first. */
  async list(): Promise<DeadLetter[]> {
    return (await this.#redis.xrange(keys.deadLetters, "-", "+")).map(read);
  }

  /**
   * Asks one again, or all: back into its room's list, then a request, then it is gone from here. Cut off anywhere it can be repeated,
   * and what was answered meanwhile is not asked.
   * @returns those that were there
   */
  async again(which: string): Promise<DeadLetter[]> {
    const letters = (await this.list()).filter(({ id }) => which === "all" || id === which);
    for (const letter of letters) {
      if (await this.#messages.askAgain(letter)) await this.#assistant.wake(letter.roomId);
      await this.#redis.xdel(keys.deadLetters, letter.id);
    }
    return letters;
  }
}

function read([id, flat]: [id: string, flat: string[]]): DeadLetter {
  const field = (name: string) => flat[flat.indexOf(name) + 1] ?? "";
  return { id, at: new Date(Number.parseInt(id, 10)), problem: field("problem"), ...readQuestion(field("room"), field("entry")) };
}
