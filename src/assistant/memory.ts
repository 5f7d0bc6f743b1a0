import { isRefusal } from "../errors.js";
import type { MessageStore } from "../messages/message.store.js";
import { privatePair, type RoomStore } from "../rooms/room.store.js";
import type { UserStore } from "../users/user.store.js";
import type { AssistantStore } from "./assistant.store.js";
import type { Turn } from "./model.js";
import { continuedBy, type Question } from "./question.js";

type Said = { id: string; fromId: string; text: string; replyToId: string | null };

/** At the end of an answer that is not whole, for those who see nothing but its text. */
export const CUT = " …";

const MOST_PARTS = 10; // of one answer that was continued again and again

/** What the assistant knows when it answers: what was said before in the same room, and nothing else. */
export class Memory {
  readonly #messages: Pick<MessageStore, "context" | "byIds">;
  readonly #assistant: Pick<AssistantStore, "withdrawn">;
  readonly #rooms: Pick<RoomStore, "membersAmong">;
  readonly #users: Pick<UserStore, "byIds">;
  readonly #most: number;
  readonly #characters: number;

  /** @param messages before the question, at most @param characters of these, at most */
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
   * The conversation that leads to a question, with the question as it is now at its end; undefined where it is gone, or the asker
   * or the assistant is not in the room any more. An answer that is to be continued comes last.
   */
  async turns(assistantId: string, { roomId, messageId, askerId, continues }: Question): Promise<Turn[] | undefined> {
    const present = await this.#rooms.membersAmong(roomId, [assistantId, askerId]);
    if (present.length < 2) return undefined;
    const found = await this.#messages.context(assistantId, messageId, this.#most).catch((error: unknown) => {
      if (isRefusal(error, "NOT_FOUND")) return undefined; // the room is not there
      throw error;
    });
    if (!found) return undefined;

    const withdrawn = await this.#assistant.withdrawn(roomId);
    const before = found.before.filter(({ id }) => !withdrawn.has(id));
    // Answers to what was asked before may have come after this question; what else came then it did not mean. An answer whose
    // question was deleted goes with it.
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
    return begun === "" ? turns : [...turns, { role: "assistant", text: begun }];
  }

  /** The text of an answer with the ones that it continues before it; empty where it is gone. */
  async #parts(assistantId: string, answerId: string | undefined): Promise<string> {
    let text = "";
    for (let id = answerId, count = 0; id !== undefined && count < MOST_PARTS; count++) {
      const [part] = await this.#messages.byIds([id]);
      if (part?.fromId !== assistantId) break;
      text = part.text.replace(new RegExp(`${CUT}$`), "") + text;
      id = continuedBy(part.clientMessageId ?? "");
    }
    return text;
  }

  /** The newest of them, as many as there is room for. */
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
