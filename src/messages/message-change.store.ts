import { GENERAL } from "../api/ids.js";
import { type Right, rolesWith } from "../api/rights.js";
import type { RoomScripts } from "../log/room-scripts.js";
import type { ScriptCalls } from "../redis/scripts.js";
import { roomKeys } from "../rooms/keys.js";
import type { RoomStore } from "../rooms/room.store.js";
import { badInput, refusal } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import { readEmoji } from "./emoji.js";
import { messageKeys } from "./keys.js";
import type { MentionStore } from "./mention.store.js";
import type { MessageStore } from "./message.store.js";
import { type MessageConsumer, type MessageConsumers, namesOf, wakeAll } from "./message-consumers.js";
import { type MessageId, parseMessageId, readMessageId } from "./message-id.js";
import { readPlaced } from "./page.js";
import { checkText } from "./send.store.js";
import type { StoredMessage } from "./stored-message.js";

const MOST_EMOJIS = 20; // distinct emoji per message
const LISTED_USERS = 100; // per emoji; the count includes all

/** Whose messages a user may delete besides their own. */
export const DELETE_OTHERS: Right = { about: "delete messages of others", GENERAL: [], PRIVATE: [], GROUP: ["OWNER"] };

/** What the scripts return: first the message after the change. */
type Changed = Exclude<ScriptCalls["message_edit"]["result"], "CHANGED">;

/** Edits, deletions and reactions. The order of the room's log decides which of several changes is the last. */
export class MessageChangeStore {
  readonly #scripts: RoomScripts;
  readonly #rooms: RoomStore;
  readonly #messages: Pick<MessageStore, "byIds">;
  readonly #mentions: Pick<MentionStore, "by" | "of">;
  readonly #consumers: MessageConsumers;
  readonly #messageLength: number;

  constructor(
    scripts: RoomScripts,
    rooms: RoomStore,
    messages: Pick<MessageStore, "byIds">,
    mentions: Pick<MentionStore, "by" | "of">,
    consumers: MessageConsumers,
    { messageLength }: { messageLength: number },
  ) {
    this.#mentions = mentions;
    this.#consumers = consumers;
    this.#scripts = scripts;
    this.#rooms = rooms;
    this.#messages = messages;
    this.#messageLength = messageLength;
  }

  /**
   * Replaces the text of the user's own message, which keeps its id and its place. An edit to the same text changes nothing. A
   * consumer that has too much to do can refuse it.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, FORBIDDEN, RATE_LIMITED
   */
  async edit(userId: UserId, id: string, text: string): Promise<StoredMessage> {
    checkText(text, this.#messageLength);
    const target = await this.#target(userId, id, "id");
    if (target.micros === undefined) {
      // A demo app stored it with its own escapes: only parsing it tells whether its text is the same.
      const [message] = await this.#messages.byIds([id]);
      if (message?.fromId === userId && message.text === text) return message;
    }
    const { mentions, quiet } = await this.#mentions.by(userId, text, target.roomId);
    const { roomId, score } = target;
    const keys = { ...changeKeys(roomId), mentioned: messageKeys.mentioned(roomId) };
    for (;;) {
      const { wanting, editedAt } = await this.#wantedEdit(userId, id, mentions);
      for (const consumer of wanting) await consumer.admit(roomId, userId);
      const args = { user: userId, id, score, text: JSON.stringify(text), mentions, wanted: namesOf(wanting), edited: editedAt, quiet };
      const edited = await this.#scripts.onRoom("message_edit", roomId, args, keys);
      if (edited === "CHANGED") continue; // by another edit at the same time
      await wakeAll(wanting, roomId, userId);
      return this.#read(target, edited);
    }
  }

  /** The consumers that want an edit to a text with these mentions, and when the text before was edited, in ms. */
  async #wantedEdit(userId: UserId, id: string, mentionIds: UserId[]): Promise<{ wanting: MessageConsumer[]; editedAt: number | "" }> {
    const nothing = { wanting: [], editedAt: "" as const };
    // Of an edit, only mentions can be new to a consumer.
    const said = { id, fromId: userId, roomId: parseMessageId(id)?.roomId ?? GENERAL, mentionIds, replyToId: null };
    if (mentionIds.length === 0 || (await this.#consumers.wanting(said)).length === 0) return nothing;
    const [before] = await this.#messages.byIds([id]);
    if (before?.fromId !== userId) return nothing;
    const wanting = await this.#consumers.wanting({ ...before, mentionIds }, { ...before, mentionIds: await this.#mentions.of(before) });
    return { wanting, editedAt: before.editedAt?.getTime() ?? "" };
  }

  /**
   * Deletes the user's own message, or any message in a group that the user owns. Idempotent for at least a day.
   * @returns its id
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, FORBIDDEN
   */
  async delete(userId: UserId, id: string): Promise<string> {
    const { roomId, score } = await this.#target(userId, id, "id");
    await this.#scripts.onRoom(
      "message_delete",
      roomId,
      { user: userId, roles: rolesWith(DELETE_OTHERS, roomId), id, score },
      { ...changeKeys(roomId), mentioned: messageKeys.mentioned(roomId), deleted: messageKeys.deleted(roomId) },
    );
    return id;
  }

  /**
   * Adds the user's reaction to a message, or removes it. Idempotent.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, FORBIDDEN
   */
  async react(userId: UserId, messageId: string, emoji: string, on: boolean): Promise<StoredMessage> {
    const one = readEmoji(emoji);
    const target = await this.#target(userId, messageId, "messageId");
    const { roomId, score } = target;
    const changed = await this.#scripts.onRoom(
      "message_react",
      roomId,
      { user: userId, id: messageId, score, emoji: one, on, most: MOST_EMOJIS, listed: LISTED_USERS },
      changeKeys(roomId),
    );
    if (changed === null)
      throw badInput("emoji", `must be one that the message already has: ${MOST_EMOJIS} distinct emoji are the maximum.`);
    return this.#read(target, changed);
  }

  async #target(userId: UserId, id: string, argument: string): Promise<MessageId> {
    const target = readMessageId(id, argument);
    await this.#rooms.check(target.roomId, userId, argument);
    return target;
  }

  #read({ id, roomId }: MessageId, [member, score, reactions]: Changed): StoredMessage {
    const message = readPlaced(roomId, [member, score, reactions]);
    if (!message) throw refusal("NOT_FOUND", `There is no message ${id}.`); // the API never showed it as a message
    return message;
  }
}

/** The keys of every change, besides those that every room script takes. */
const changeKeys = (roomId: RoomId) => ({ members: roomKeys.members(roomId), reactions: messageKeys.reactions(roomId) });
