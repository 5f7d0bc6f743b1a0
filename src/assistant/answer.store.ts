import type { RoomScripts } from "../log/room-scripts.js";
import type { IncompleteReasonName } from "../messages/incomplete.type.js";
import { type MessageConsumers, namesOf, wakeAll } from "../messages/message-consumers.js";
import { readMessageId } from "../messages/message-id.js";
import { type SendStore, sentKeys, type WrongDays } from "../messages/send.store.js";
import type { ScriptResult } from "../redis/scripts.js";
import { withoutControls } from "../util/characters.js";
import type { UserId } from "../util/ids.js";
import { ASSISTANT, assistantKeys } from "./keys.js";
import type { Question } from "./question.js";

/** An answer of the assistant, complete or partial. */
export interface Answer extends Question {
  /** Empty if nothing was written; then no message is stored. */
  text: string;
  state: "DONE" | "INCOMPLETE" | "CANCELLED";
  /** Why the text is incomplete. */
  incomplete: IncompleteReasonName | null;
  /** The same as a sentence for users, or empty. */
  problem: string;
  /** The fencing token of the worker that holds the room. */
  fence: string;
  /** The seq of the question's event. */
  event: number;
}

type Ended = Exclude<ScriptResult<"assistant_answer">, WrongDays>;

/** Stores the assistant's answers, and asks questions again that have none. */
export class AnswerStore {
  readonly #scripts: RoomScripts;
  readonly #sends: SendStore;
  readonly #consumers: MessageConsumers;
  readonly #assistantId: () => UserId | "";

  /** @param assistantId returns the assistant's user id */
  constructor(scripts: RoomScripts, sends: SendStore, consumers: MessageConsumers, assistantId: () => UserId | "") {
    this.#scripts = scripts;
    this.#sends = sends;
    this.#consumers = consumers;
    this.#assistantId = assistantId;
  }

  /**
   * Ends an answer: stores it as a message, once, and moves the assistant's place in the log behind the question.
   * @returns false if another worker holds the room
   */
  async end({ roomId, event, messageId, askerId, answerId, text, state, incomplete, problem, fence }: Answer): Promise<boolean> {
    const question = readMessageId(messageId, "replyTo");
    const from = this.#assistantId() as UserId;
    const wanting = await this.#consumers.wanting({ id: null, fromId: from, roomId, mentionIds: [], replyToId: question.id });
    const stored = await this.#sends.store<Ended>(roomId, ({ keys, args }) =>
      this.#scripts.onRoom(
        "assistant_answer",
        roomId,
        {
          ...args,
          from,
          text: text === "" ? "" : JSON.stringify(withoutControls(text)),
          clientId: JSON.stringify(answerId),
          replyTo: question.id,
          replyScore: question.score,
          name: ASSISTANT,
          fence,
          event,
          user: askerId,
          state,
          written: text,
          incomplete: text === "" ? "" : (incomplete ?? ""),
          problem,
          wanted: namesOf(wanting),
        },
        {
          ...keys,
          reply: assistantKeys.reply(roomId),
          writing: assistantKeys.writing(roomId),
          cancelled: assistantKeys.cancelled(roomId),
          withdrawn: assistantKeys.withdrawn(roomId),
        },
      ),
    );
    if (stored === "LOST") return false;
    if (stored.length === 0) return true;
    await this.#sends.announce(roomId, stored);
    await wakeAll(wanting, roomId, from);
    return true;
  }

  /**
   * Asks a question again, unless it is waiting or was answered within a day.
   * @param retry the user who asks again and the id that they gave the call, which makes it idempotent
   * @returns whether the question is waiting now
   */
  async askAgain({ roomId, messageId, askerId, attempt, answerId }: Question, retry?: { userId: UserId; id: string }): Promise<boolean> {
    const answered = `${this.#assistantId()} ${JSON.stringify(answerId)}`;
    const by = retry ? `${retry.userId} retry/${JSON.stringify(retry.id)}` : "";
    const isWaiting = await this.#sends.withDays<0 | 1>((firstDay) =>
      this.#scripts.onRoom(
        "assistant_ask_again",
        roomId,
        { name: ASSISTANT, question: messageId, attempt, user: askerId, answer: answered, retry: by, firstDay },
        {
          cancelled: assistantKeys.cancelled(roomId),
          withdrawn: assistantKeys.withdrawn(roomId),
          ...sentKeys(roomId, firstDay),
        },
      ),
    );
    return isWaiting === 1;
  }
}
