import { isRefusal } from "../errors.js";
import type { MessageStore } from "../messages/message.store.js";
import { privatePair, type RoomStore } from "../rooms/room.store.js";
import type { UserStore } from "../users/user.store.js";
import type { Turn } from "./model.js";
import type { Question } from "./question.js";

type Said = { id: string; fromId: string; text: string; replyToId: string | null };

/** What the assistant knows when it answers: what was said before in the same room, and nothing else. */
export class Memory {
  readonly #messages: Pick<MessageStore, "context">;
  readonly #rooms: Pick<RoomStore, "membersAmong">;
  readonly #users: Pick<UserStore, "byIds">;
  readonly #most: number;
  readonly #characters: number;

  /** @param messages before the question, at most @param characters of these, at most */
  constructor(
    { messages, rooms, users }: { messages: Pick<MessageStore, "context">; rooms: Pick<RoomStore, "membersAmong">; users: UserStore },
    limits: { messages: number; characters: number },
  ) {
    this.#messages = messages;
    this.#rooms = rooms;
    this.#users = users;
    this.#most = limits.messages;
    this.#characters = limits.characters;
  }

  /**
   * The conversation that leads to a question, with the question as it is now at its end; undefined where it is gone, or the asker
   * or the assistant is not in the room any more.
   */
  async turns(assistantId: string, { roomId, messageId, askerId }: Question): Promise<Turn[] | undefined> {
    const present = await this.#rooms.membersAmong(roomId, [assistantId, askerId]);
    if (present.length < 2) return undefined;
    const found = await this.#messages.context(assistantId, messageId, this.#most).catch((error: unknown) => {
      if (isRefusal(error, "NOT_FOUND")) return undefined; // the room is not there
      throw error;
    });
    if (!found) return undefined;

    // Answers to what was asked before may have come after this question; what else came then it did not mean.
    const earlier = new Set(found.before.map(({ id }) => id));
    const answers = found.after.filter(({ fromId, replyToId }) => fromId === assistantId && replyToId !== null && earlier.has(replyToId));
    const remembered = this.#newest([...found.before, ...answers]);
    const said: Said[] = [...remembered, found.message];
    const names = privatePair(roomId) ? new Map<string, string>() : await this.#namesOf(said);
    return said.map(({ fromId, text }) =>
      fromId === assistantId ? { role: "assistant", text } : { role: "user", text, name: names.get(fromId) },
    );
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
