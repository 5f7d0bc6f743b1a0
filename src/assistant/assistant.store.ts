import { privatePair } from "../api/ids.js";
import type { Hints } from "../consumers/hints.js";
import type { Feed } from "../log/feed.js";
import { logKeys } from "../log/keys.js";
import { messageKeys } from "../messages/keys.js";
import type { Answerer, Said } from "../messages/questions.js";
import type { RedisClient } from "../redis/connect.js";
import type { Scripts } from "../redis/scripts.js";
import type { RoomStore } from "../rooms/room.store.js";
import { rateLimited } from "../util/errors.js";
import { assistantKeys } from "./keys.js";
import type { ReplyFeeds, ReplyRecord } from "./reply-feeds.js";

const MOST_IN_ROOM = 10; // questions that may wait in one room
const RETRY = 10; // seconds until a user may try again while the queue is full

/**
 * The servers' part of the assistant: takes questions for it, and shows its answers. A room's questions are in a list of that room; each
 * is added in one step with its message. A hint tells the workers of the room.
 */
export class AssistantStore implements Answerer {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #rooms: RoomStore;
  readonly #assistantId: { readonly current: string };
  readonly #feeds: ReplyFeeds;
  readonly #queue: number;
  readonly #charge: (userId: string) => Promise<void>;
  readonly #hints: Hints;

  /**
   * @param queue how many rooms may wait
   * @param charge charges the user for a question; throws RATE_LIMITED
   */
  constructor(
    redis: RedisClient,
    scripts: Scripts,
    rooms: RoomStore,
    { assistantId, feeds, queue }: { assistantId: { readonly current: string }; feeds: ReplyFeeds; queue: number },
    charge: (userId: string) => Promise<void>,
    hints: Hints,
  ) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#rooms = rooms;
    this.#assistantId = assistantId;
    this.#feeds = feeds;
    this.#queue = queue;
    this.#charge = charge;
    this.#hints = hints;
  }

  /** The assistant's user id; empty while there is no assistant. */
  get id(): string {
    return this.#assistantId.current;
  }

  /**
   * Whether a message asks the assistant: every message in a private room with it, every mention of it, and every reply to its messages in
   * rooms that it is a member of. Its own messages never do. This one rule holds for all authors and all apps.
   * @param messages finds the author of the message that this one replies to
   */
  async isAsked(
    { fromId, roomId, mentionIds, replyToId }: Said,
    messages?: { byIds(ids: string[]): Promise<unknown[]> },
  ): Promise<boolean> {
    const { id } = this;
    if (id === "" || fromId === id) return false;
    if (privatePair(roomId)?.includes(id) || mentionIds.includes(id)) return true;
    if (replyToId === null || !messages) return false;
    const [answered] = (await messages.byIds([replyToId])) as ({ fromId: string } | null)[];
    return answered?.fromId === id && (await this.#rooms.membersAmong(roomId, [id])).length > 0;
  }

  /** Ids of the questions in a room that were cancelled before any of their answer was written. */
  async withdrawn(roomId: string): Promise<Set<string>> {
    return new Set(await this.#redis.zrange(messageKeys.withdrawn(roomId), "0", "-1"));
  }

  /**
   * Checks that one more question can be taken, before it is stored.
   * @throws ChatError RATE_LIMITED if the user asks too often, if too many questions wait in the room, or if too many rooms wait
   */
  async admit(userId: string, roomId: string): Promise<void> {
    const [waiting, inRoom] = await Promise.all([this.waiting(), this.#redis.llen(logKeys.asked(roomId))]);
    if (inRoom >= MOST_IN_ROOM) throw rateLimited(RETRY, `${MOST_IN_ROOM} questions wait for the assistant in this room.`);
    // A room that waits already does not make the queue longer.
    if (waiting >= this.#queue && inRoom === 0) throw rateLimited(RETRY, "The assistant is busy: too many rooms wait for it.");
    await this.#charge(userId);
  }

  /** Tells the workers of a question in the room. */
  async wake(roomId: string): Promise<void> {
    await this.#hints.add(roomId);
  }

  /**
   * The answers in a room as they grow, beginning with the one in progress.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  follow(userId: string, roomId: string): Promise<Feed<ReplyRecord>> {
    return this.#feeds.follow(userId, roomId);
  }

  /**
   * Cancels the user's questions in a room. The text of an answer in progress stays.
   * @returns whether there was a question to cancel
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  async cancel(userId: string, roomId: string): Promise<boolean> {
    await this.#rooms.check(userId, roomId);
    const roomKeys = { asked: logKeys.asked(roomId), reply: messageKeys.reply(roomId), withdrawn: messageKeys.withdrawn(roomId) };
    return (await this.#scripts.run("assistant_cancel", roomKeys, { user: userId })) > 0;
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
