import type { UserRecord, UserStore } from "../users/user.store.js";
import { unknownUser } from "../users/user.store.js";
import type { RoomId, UserId } from "../util/ids.js";
import type { MessageStore } from "./message.store.js";
import type { StoredMessage } from "./stored-message.js";

/** Exports a room's whole history as text. */
export class ExportStore {
  readonly #messages: MessageStore;
  readonly #users: UserStore;
  readonly #admit: (roomId: RoomId, userId: UserId) => Promise<void>;

  /** @param admit throws if the user may not read the room, or has exported too much */
  constructor(messages: MessageStore, users: UserStore, admit: (roomId: RoomId, userId: UserId) => Promise<void>) {
    this.#messages = messages;
    this.#users = users;
    this.#admit = admit;
  }

  /**
   * Starts an export in JSON Lines: one message per line, oldest first, in portions of some hundreds. A portion is read only when the
   * consumer asks for it, so a slow reader keeps no more than one in memory.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, RATE_LIMITED; the portions can throw NOT_A_MEMBER later
   */
  async begin(roomId: RoomId, userId: UserId): Promise<AsyncGenerator<string, void, void>> {
    await this.#admit(roomId, userId);
    return this.#portions(this.#messages.history(roomId, userId));
  }

  async *#portions(history: AsyncGenerator<StoredMessage[], void, void>): AsyncGenerator<string, void, void> {
    for await (const messages of history) yield this.#lines(messages);
  }

  async #lines(messages: StoredMessage[]): Promise<string> {
    const ids = [...new Set(messages.map(({ fromId }) => fromId))];
    const users = await this.#users.byIds(ids);
    const senders = new Map(ids.map((id, index) => [id, users[index] ?? unknownUser(id)]));
    return messages.map((message) => `${JSON.stringify(toLine(message, senders.get(message.fromId) as UserRecord))}\n`).join("");
  }
}

/** A message as exported, with the field names of the API. */
function toLine(
  { id, text, sentAt, editedAt, replyToId, mentionIds, reactions, clientMessageId, incomplete }: StoredMessage,
  { id: userId, username, name }: UserRecord,
): object {
  return {
    id,
    from: { id: userId, username, name },
    text,
    sentAt,
    editedAt,
    replyToId,
    mentions: mentionIds.map((id) => ({ id })),
    reactions: reactions.map(({ emoji, count, userIds }) => ({ emoji, count, users: userIds.map((id) => ({ id })) })),
    clientMessageId,
    ...(incomplete !== null && { incomplete }),
  };
}
