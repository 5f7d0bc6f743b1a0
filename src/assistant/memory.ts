import { privatePair } from "../api/ids.js";
import type { MessageStore } from "../messages/message.store.js";
import type { RoomStore } from "../rooms/room.store.js";
import type { UserStore } from "../users/user.store.js";
import { isRefusal } from "../util/errors.js";
import type { UserId } from "../util/ids.js";
import type { AssistantStore } from "./assistant.store.js";
import type { Turn } from "./model.js";
import { continuedBy, type Question } from "./question.js";

type Said = { id: string; fromId: UserId; text: string; replyToId: string | null };

/** Ends the text of an incomplete answer, for clients that show only the text. */
export const CUT = " …";

const MOST_PARTS = 10; // of one answer that was continued repeatedly

/** The assistant's knowledge when it answers: the earlier messages of the same room, and nothing else. */
export class Memory {
  readonly #messages: Pick<MessageStore, "context" | "byIds">;
  readonly #assistant: Pick<AssistantStore, "withdrawn">;
  readonly #rooms: Pick<RoomStore, "membersAmong">;
  readonly #users: Pick<UserStore, "byIds">;
  readonly #most: number;
  readonly #characters: number;

  /** @param limits how many messages before the question it includes, and how many characters of them, at most */
  constructor(
    stores: {
      messages: Pick<MessageStore, "context" | "byIds">;
      assistant: Pick<AssistantStore, "withdrawn">;
      rooms: Pick<RoomStore, "membersAmong">;
      users: UserStore;
    },
    limits: { messages: number; characters: number },
  ) {
    this.#messages = stores.messages;
    this.#assistant = stores.assistant;
    this.#rooms = stores.rooms;
    this.#users = stores.users;
    this.#most = limits.messages;
    this.#characters = limits.characters;
  }

  /**
   * The conversation that leads to a question, ending with the question as it is now, and when that was edited; undefined if the question
   * is gone, or if the asker or the assistant has left the room. An answer to be continued comes last.
   */
  async turns(
    assistantId: UserId,
    { roomId, messageId, askerId, continues }: Question,
  ): Promise<{ turns: Turn[]; editedAt: Date | null } | undefined> {
    const present = await this.#rooms.membersAmong(roomId, [assistantId, askerId]);
    if (present.length < 2) return undefined;
    const found = await this.#messages.context(assistantId, messageId, this.#most).catch((error: unknown) => {
      if (isRefusal(error, "NOT_FOUND")) return undefined; // there is no such room
      throw error;
    });
    if (!found) return undefined;

    const withdrawn = await this.#assistant.withdrawn(roomId);
    const before = found.before.filter(({ id }) => !withdrawn.has(id));
    // Answers to earlier questions may have come after this question. Other later messages are left out: the question does not refer
    // to them. So are answers whose question was deleted.
    const earlier = new Set(before.map(({ id }) => id));
    const isLeft = ({ fromId, replyToId }: Said) => fromId !== assistantId || replyToId === null || earlier.has(replyToId);
    const answers = found.after.filter((said) => said.fromId === assistantId && said.replyToId !== null && isLeft(said));
    const remembered = this.#newest([...before.filter(isLeft), ...answers]);
    const said: Said[] = [...remembered, found.message];
    const names = privatePair(roomId) ? new Map<string, string>() : await this.#namesOf(said);
    const turns = said.map(
      ({ fromId, text }): Turn => (fromId === assistantId ? { role: "assistant", text } : { role: "user", text, name: names.get(fromId) }),
    );
    const begun = await this.#parts(assistantId, continues);
    if (begun !== "") turns.push({ role: "assistant", text: begun });
    return { turns, editedAt: found.message.editedAt };
  }

  /** The text of an answer, preceded by the answers that it continues; empty if the answer is gone. */
  async #parts(assistantId: UserId, answerId: string | undefined): Promise<string> {
    let text = "";
    for (let id = answerId, count = 0; id !== undefined && count < MOST_PARTS; count++) {
      const [part] = await this.#messages.byIds([id]);
      if (part?.fromId !== assistantId) break;
      text = part.text.replace(new RegExp(`${CUT}$`), "") + text;
      id = continuedBy(part.clientMessageId ?? "");
    }
    return text;
  }

  /** The newest messages that fit within both limits. */
  #newest(said: Said[]): Said[] {
    let left = this.#characters;
    const fits = said.toReversed().findIndex(({ text }) => {
      left -= text.length;
      return left < 0;
    });
    const most = Math.min(this.#most, fits < 0 ? said.length : fits);
    return said.slice(said.length - most);
  }

  async #namesOf(said: Said[]): Promise<Map<string, string>> {
    const ids = [...new Set(said.map(({ fromId }) => fromId))];
    const users = await this.#users.byIds(ids);
    return new Map(users.flatMap((user) => (user ? [[user.id, user.name] as const] : [])));
  }
}
