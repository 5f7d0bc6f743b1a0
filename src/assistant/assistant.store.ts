import { privatePair } from "../api/ids.js";
import type { Hints } from "../consumers/hints.js";
import type { Feed } from "../log/feed.js";
import { logKeys } from "../log/keys.js";
import type { MessageStore } from "../messages/message.store.js";
import type { MessageConsumer, Said } from "../messages/message-consumers.js";
import type { RedisClient } from "../redis/connect.js";
import type { Scripts } from "../redis/scripts.js";
import type { RoomStore } from "../rooms/room.store.js";
import { rateLimited } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import type { AssistantId } from "./assistant-id.js";
import { ASSISTANT, assistantKeys } from "./keys.js";
import type { ReplyFeeds, ReplyRecord } from "./reply-feeds.js";

const MOST_IN_ROOM = 10; // questions that may wait in one room
const MOST_ALONE = 100; // questions of demo apps' users that may wait in a private room: they cannot be refused, so the others are ignored
const RETRY = 10; // seconds until a user may try again while the queue is full

/**
 * The servers' part of the assistant: says which messages ask it, and shows its answers. A question waits in the room's log, as the event of
 * its message. A hint tells the workers of the room.
 */
export class AssistantStore implements MessageConsumer {
  readonly name = ASSISTANT;
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #rooms: RoomStore;
  readonly #messages: Pick<MessageStore, "byIds">;
  readonly #assistantId: AssistantId;
  readonly #feeds: ReplyFeeds;
  readonly #queue: number;
  readonly #charge: (userId: UserId) => Promise<void>;
  readonly #hints: Hints;

  /**
   * @param queue how many rooms may wait
   * @param charge charges the user for a question; throws RATE_LIMITED
   */
  constructor(
    redis: RedisClient,
    scripts: Scripts,
    { rooms, messages }: { rooms: RoomStore; messages: Pick<MessageStore, "byIds"> },
    { assistantId, feeds, queue }: { assistantId: AssistantId; feeds: ReplyFeeds; queue: number },
    charge: (userId: UserId) => Promise<void>,
    hints: Hints,
  ) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#rooms = rooms;
    this.#messages = messages;
    this.#assistantId = assistantId;
    this.#feeds = feeds;
    this.#queue = queue;
    this.#charge = charge;
    this.#hints = hints;
  }

  /** The assistant's user id; empty while there is no assistant. */
  get id(): UserId | "" {
    return this.#assistantId.current;
  }

  /** Looks up that id, which is otherwise up to a second old. */
  look(): Promise<void> {
    return this.#assistantId.look();
  }

  close(): void {
    this.#assistantId.stop();
  }

  /** Whether this is a private room of the assistant. */
  isIn(roomId: RoomId): boolean {
    const { id } = this;
    return id !== "" && (privatePair(roomId)?.includes(id) ?? false);
  }

  /**
   * Whether a message asks the assistant: every message in a private room with it, every mention of it, and every reply to its messages in
   * rooms that it is a member of. Its own messages never do. This one rule holds for all authors and all apps.
   */
  async isAsked({ fromId, roomId, mentionIds, replyToId }: Said): Promise<boolean> {
    const { id } = this;
    if (id === "" || fromId === id) return false;
    if (this.isIn(roomId) || mentionIds.includes(id)) return true;
    if (replyToId === null) return false;
    const [answered] = await this.#messages.byIds([replyToId]);
    return answered?.fromId === id && (await this.#rooms.membersAmong(roomId, [id])).length > 0;
  }

  /** An edit asks if the text before did not, unless the question waits anyway: it is read when its turn comes. */
  async wants(said: Said, before?: Said): Promise<boolean> {
    if (!(await this.isAsked(said))) return false;
    if (!before) return true;
    return !(await this.isAsked(before)) && !(await this.#waitingIn(said.roomId)).includes(said.id ?? "");
  }

  /**
   * Checks that one more question can be taken, before it is stored.
   * @throws ChatError RATE_LIMITED if the user asks too often, if too many questions wait in the room, or if too many rooms wait
   */
  async admit(roomId: RoomId, userId: UserId): Promise<void> {
    const [rooms, { length: inRoom }] = await Promise.all([this.waiting(), this.#waitingIn(roomId)]);
    if (inRoom >= MOST_IN_ROOM) throw rateLimited(RETRY, `${MOST_IN_ROOM} questions wait for the assistant in this room.`);
    // A room that waits already does not make the queue longer.
    if (rooms >= this.#queue && inRoom === 0) throw rateLimited(RETRY, "The assistant is busy: too many rooms wait for it.");
    await this.#charge(userId);
  }

  async takes(roomId: RoomId): Promise<boolean> {
    return (await this.#waitingIn(roomId)).length < (privatePair(roomId) ? MOST_ALONE : MOST_IN_ROOM);
  }

  /** The messages whose questions wait in a room, or are being answered. */
  #waitingIn(roomId: RoomId): Promise<string[]> {
    const keys = {
      consumed: logKeys.consumed(roomId),
      log: logKeys.log(roomId),
      cancelled: assistantKeys.cancelled(roomId),
      withdrawn: assistantKeys.withdrawn(roomId),
    };
    return this.#scripts.run("assistant_waiting", keys, { name: ASSISTANT });
  }

  /** Ids of the questions in a room that were cancelled before any of their answer was written. */
  async withdrawn(roomId: RoomId): Promise<Set<string>> {
    return new Set(await this.#redis.zrange(assistantKeys.withdrawn(roomId), "0", "-1"));
  }

  /** Tells the workers of a question in the room. */
  async wake(roomId: RoomId): Promise<void> {
    await this.#hints.add(roomId);
  }

  /**
   * The answers in a room as they grow, beginning with the one in progress.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  follow(roomId: RoomId, userId: UserId): Promise<Feed<ReplyRecord>> {
    return this.#feeds.follow(roomId, userId);
  }

  /**
   * Cancels the user's questions in a room. The text of an answer in progress stays.
   * @returns whether there was a question to cancel
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  async cancel(roomId: RoomId, userId: UserId): Promise<boolean> {
    await this.#rooms.check(roomId, userId);
    const keys = {
      consumed: logKeys.consumed(roomId),
      log: logKeys.log(roomId),
      meta: logKeys.meta(roomId),
      reply: assistantKeys.reply(roomId),
      cancelled: assistantKeys.cancelled(roomId),
      withdrawn: assistantKeys.withdrawn(roomId),
    };
    return (await this.#scripts.run("assistant_cancel", keys, { name: ASSISTANT, user: userId })) > 0;
  }

  /** How many rooms have a question that waits or is being answered; the count is cached briefly. */
  waiting(): Promise<number> {
    return this.#hints.open();
  }

  /** How many answers have ended so far, by state. */
  async ended(): Promise<Record<string, number>> {
    const counts = Object.entries(await this.#redis.hgetall(assistantKeys.replies));
    return Object.fromEntries(counts.map(([state, count]) => [state, Number(count)]));
  }
}
