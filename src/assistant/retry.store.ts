import type { DeadLetter } from "../consumers/dead-letters.js";
import type { MentionStore } from "../messages/mention.store.js";
import type { MessageStore } from "../messages/message.store.js";
import { secondsOf } from "../messages/stored-message.js";
import type { RoomStore } from "../rooms/room.store.js";
import { badInput, checkClientId, refusal } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import type { AnswerStore } from "./answer.store.js";
import type { AssistantStore } from "./assistant.store.js";
import { askedAgain, type Question, readQuestion } from "./question.js";

const PAGE = 100; // messages read at a time to find missed questions
const MOST_PAGES = 10;

export interface Retry {
  /** The id of an incomplete answer, or of a question that got no answer. */
  messageId: string;
  /** Whether to continue the answer, rather than to start over. */
  continues: boolean;
  clientRetryId?: string | null | undefined;
}

/** Retries questions that the assistant could not answer, or not completely. */
export class RetryStore {
  readonly #messages: Pick<MessageStore, "readable" | "byIds" | "page">;
  readonly #mentions: Pick<MentionStore, "of">;
  readonly #answers: Pick<AnswerStore, "askAgain">;
  readonly #assistant: Pick<AssistantStore, "id" | "isAsked" | "admit" | "wake" | "withdrawn">;
  readonly #rooms: Pick<RoomStore, "checkWrite">;

  constructor(
    rooms: Pick<RoomStore, "checkWrite">,
    messages: Pick<MessageStore, "readable" | "byIds" | "page">,
    mentions: Pick<MentionStore, "of">,
    answers: Pick<AnswerStore, "askAgain">,
    assistant: Pick<AssistantStore, "id" | "isAsked" | "admit" | "wake" | "withdrawn">,
  ) {
    this.#rooms = rooms;
    this.#messages = messages;
    this.#mentions = mentions;
    this.#answers = answers;
    this.#assistant = assistant;
  }

  /**
   * Asks a question again. This counts as a question, and only the user who asked may do so.
   * @returns whether the question waits now; false if it has been answered
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, FORBIDDEN, RATE_LIMITED
   */
  async retry(userId: UserId, { messageId, continues, clientRetryId }: Retry): Promise<boolean> {
    if (clientRetryId != null) checkClientId(clientRetryId, "clientRetryId");
    const message = await this.#messages.readable(userId, messageId, "messageId");
    const { roomId } = message;
    await this.#rooms.checkWrite(roomId, userId);
    const answer = message.fromId === this.#assistant.id ? message : undefined;
    if (answer && answer.incomplete === null) throw badInput("messageId", "must not be a complete answer, which cannot be retried.");
    if (!answer && continues) throw badInput("continue", "needs the id of an incomplete answer as `messageId`.");

    const [question] = answer ? await this.#messages.byIds([answer.replyToId ?? ""]) : [message];
    if (!question) throw refusal("NOT_FOUND", "The question of this answer was deleted. Ask it again in a new message.");
    if (question.fromId !== userId) throw refusal("FORBIDDEN", "Only the user who asked this question can ask it again.");
    if (!answer && !(await this.#assistant.isAsked(message)))
      throw badInput("messageId", "must be an incomplete answer, or a message that asks the assistant.");

    await this.#assistant.admit(roomId, userId);
    const retry = clientRetryId == null ? undefined : { userId, id: clientRetryId };
    const isAsked = await this.#answers.askAgain(askedAgain(question, answer && { id: answer.id, continues }), retry);
    if (isAsked) await this.#assistant.wake(roomId);
    return isAsked;
  }

  /** Asks a question again that the workers gave up, unless it has been answered. */
  async revive({ roomId, entry }: Pick<DeadLetter, "roomId" | "entry">): Promise<void> {
    if (await this.#answers.askAgain(readQuestion(roomId, entry))) await this.#assistant.wake(roomId);
  }

  /**
   * Asks the questions of a room again that have no answer, up to 1,000 messages back.
   * @param since time of the first message, in µs
   */
  async askMissed(roomId: RoomId, since: number): Promise<void> {
    const { id } = this.#assistant;
    if (id === "") return;
    const answered = new Set<string>();
    const missed: Question[] = [];
    for (let before: string | undefined, page = 0; page < MOST_PAGES; page++) {
      const { nodes, pageInfo } = await this.#messages.page(roomId, id, { last: PAGE, before });
      for (const message of nodes.toReversed()) {
        if (message.fromId === id && message.replyToId !== null) answered.add(message.replyToId);
        if (secondsOf(message.score) * 1_000_000 < since || answered.has(message.id)) continue;
        if (await this.#assistant.isAsked({ ...message, mentionIds: await this.#mentions.of(message) })) missed.push(askedAgain(message));
      }
      const oldest = nodes[0];
      if (!oldest || !pageInfo.hasPreviousPage || secondsOf(oldest.score) * 1_000_000 < since) break;
      before = pageInfo.startCursor ?? undefined;
    }
    const withdrawn = await this.#assistant.withdrawn(roomId);
    for (const question of missed.toReversed()) if (!withdrawn.has(question.messageId)) await this.#answers.askAgain(question);
  }
}
