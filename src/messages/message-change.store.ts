import type { AssistantStore } from "../assistant/assistant.store.js";
import { badInput, refusal } from "../errors.js";
import { keys } from "../redis/keys.js";
import type { ScriptName, Scripts } from "../redis/scripts.js";
import type { RoomStore } from "../rooms/room.store.js";
import { readEmoji } from "./emoji.js";
import type { MentionStore } from "./mention.store.js";
import { checkText, type MessageStore } from "./message.store.js";
import { type MessageId, readMessageId } from "./message-id.js";
import { readPlaced } from "./page.js";
import type { StoredMessage } from "./stored-message.js";

const MOST_EMOJIS = 20; // distinct emoji per message
const LISTED_USERS = 100; // per emoji; the count includes all

/** What the scripts return first: the message after the change. */
type Changed = [member: string, score: string, reactions: string];

/** Edits, deletions and reactions. The order of the room's log decides which of several changes is the last. */
export class MessageChangeStore {
  readonly #scripts: Scripts;
  readonly #rooms: RoomStore;
  readonly #messages: Pick<MessageStore, "byIds">;
  readonly #mentions: Pick<MentionStore, "by" | "of">;
  readonly #assistant: Pick<AssistantStore, "id" | "isAsked" | "admit" | "wake">;
  readonly #messageLength: number;

  constructor(
    scripts: Scripts,
    rooms: RoomStore,
    messages: Pick<MessageStore, "byIds">,
    mentions: Pick<MentionStore, "by" | "of">,
    assistant: Pick<AssistantStore, "id" | "isAsked" | "admit" | "wake">,
    { messageLength }: { messageLength: number },
  ) {
    this.#mentions = mentions;
    this.#assistant = assistant;
    this.#scripts = scripts;
    this.#rooms = rooms;
    this.#messages = messages;
    this.#messageLength = messageLength;
  }

  /**
   * Replaces the text of the user's own message, which keeps its id and its place. An edit to the same text changes nothing. If the new
   * text asks the assistant and the old one did not, the edit asks it.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, FORBIDDEN, RATE_LIMITED
   */
  async edit(userId: string, id: string, text: string): Promise<StoredMessage> {
    checkText(text, this.#messageLength);
    const target = await this.#target(userId, id, "id");
    if (target.micros === undefined) {
      // A demo app stored it with its own escapes: only parsing it tells whether its text is the same.
      const [message] = await this.#messages.byIds([id]);
      if (message?.fromId === userId && message.text === text) return message;
    }
    const { mentions, quiet } = await this.#mentions.by(userId, text, target.roomId);
    const asks = mentions.includes(this.#assistant.id) && (await this.#asksNow(userId, id, mentions));
    if (asks) await this.#assistant.admit(userId, target.roomId);
    const edited = await this.#run("message_edit", userId, target, [
      JSON.stringify(text),
      mentions.join(" "),
      asks ? 1 : 0,
      quiet.join(" "),
    ]);
    if (asks) await this.#assistant.wake(target.roomId);
    return this.#read(target, edited);
  }

  /** Whether these mentions make the user's message ask the assistant, and its current ones do not. */
  async #asksNow(userId: string, id: string, mentionIds: string[]): Promise<boolean> {
    const [before] = await this.#messages.byIds([id]);
    if (before?.fromId !== userId) return false;
    const asked = await this.#assistant.isAsked({ ...before, mentionIds: await this.#mentions.of(before) }, this.#messages);
    return !asked && this.#assistant.isAsked({ ...before, mentionIds }, this.#messages);
  }

  /**
   * Deletes the user's own message, or any message in a group that the user owns. Idempotent for at least a day.
   * @returns its id
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, FORBIDDEN
   */
  async delete(userId: string, id: string): Promise<string> {
    await this.#run("message_delete", userId, await this.#target(userId, id, "id"), []);
    return id;
  }

  /**
   * Adds the user's reaction to a message, or removes it. Idempotent.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, FORBIDDEN
   */
  async react(userId: string, messageId: string, emoji: string, on: boolean): Promise<StoredMessage> {
    const one = readEmoji(emoji);
    const target = await this.#target(userId, messageId, "messageId");
    const changed = await this.#run("message_react", userId, target, [one, on ? 1 : 0, MOST_EMOJIS, LISTED_USERS]);
    if (changed === null)
      throw badInput("emoji", `must be one that the message already has: ${MOST_EMOJIS} distinct emoji are the maximum.`);
    return this.#read(target, changed);
  }

  async #target(userId: string, id: string, argument: string): Promise<MessageId> {
    const target = readMessageId(id, argument);
    await this.#rooms.check(userId, target.roomId, argument);
    return target;
  }

  #run(script: ScriptName, userId: string, { id, roomId, score }: MessageId, args: (string | number)[]): Promise<unknown> {
    return this.#scripts.onRoom(
      script,
      roomId,
      [userId, id, score, ...args],
      [
        keys.members(roomId),
        keys.reactions(roomId),
        ...(script === "message_react" ? [] : [keys.mentioned(roomId)]),
        ...(script === "message_edit" ? [keys.reply(roomId)] : []),
        ...(script === "message_delete" ? [keys.deleted(roomId)] : []),
      ],
    );
  }

  #read({ id, roomId }: MessageId, answer: unknown): StoredMessage {
    const [member, score, reactions] = answer as Changed;
    const message = readPlaced(roomId, [member, score, reactions]);
    if (!message) throw refusal("NOT_FOUND", `There is no message ${id}.`); // the API never showed it as a message
    return message;
  }
}
