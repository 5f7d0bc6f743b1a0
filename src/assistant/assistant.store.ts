import type { Logger } from "pino";
import type { Feed } from "../delivery/feed.js";
import { rateLimited } from "../errors.js";
import type { AssistantId } from "../redis/assistant-id.js";
import type { RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import { privatePair, type RoomStore } from "../rooms/room.store.js";
import type { ReplyFeeds, ReplyRecord } from "./reply-feeds.js";

const MOST_IN_ROOM = 10; // questions that may wait in one room
const GOOD_FOR = 1_000; // ms for which the length of the queue is believed
const RETRY = 10; // seconds after which one may try again while too much waits

/** What of a message says whether it asks the assistant. */
interface Said {
  fromId: string;
  roomId: string;
  mentionIds: readonly string[];
  replyToId: string | null;
}

/**
 * What servers do for the assistant: they take questions for it, and show its answers. What is asked in a room is in a list of that
 * room, put there in one step with the message; a request in a stream lets the workers know in which room something is asked.
 */
export class AssistantStore {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #rooms: RoomStore;
  readonly #assistant: AssistantId;
  readonly #feeds: ReplyFeeds;
  readonly #queue: number;
  readonly #charge: (userId: string) => Promise<void>;
  readonly #log: Logger;
  #waiting: { count: Promise<number>; until: number } | undefined;

  /**
   * @param queue rooms that may wait
   * @param charge counts a question of the user; throws RATE_LIMITED
   */
  constructor(
    redis: RedisClient,
    scripts: Scripts,
    rooms: RoomStore,
    { assistant, feeds, queue }: { assistant: AssistantId; feeds: ReplyFeeds; queue: number },
    charge: (userId: string) => Promise<void>,
    log: Logger,
  ) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#rooms = rooms;
    this.#assistant = assistant;
    this.#feeds = feeds;
    this.#queue = queue;
    this.#charge = charge;
    this.#log = log;
  }

  /** The assistant's user id, empty while there is none. */
  get id(): string {
    return this.#assistant.current;
  }

  /**
   * Whether a message asks the assistant: all that is said to it alone, what mentions it, and, in rooms that it is in, replies to what it
   * said. It asks itself nothing. This is the one rule, whoever wrote the message, and in whichever app.
   * @param messages where to look who wrote the message that this one replies to
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

  /** Which questions in a room were cancelled before a word of their answer was written. */
  async withdrawn(roomId: string): Promise<Set<string>> {
    return new Set(await this.#redis.zrange(keys.withdrawn(roomId), "0", "-1"));
  }

  /**
   * Makes sure that one more question can be taken, before it is.
   * @throws ChatError RATE_LIMITED where the user asks too often, or too much waits, in the room or in all
   */
  async admit(userId: string, roomId: string): Promise<void> {
    const [waiting, inRoom] = await Promise.all([this.waiting(), this.#redis.llen(keys.asked(roomId))]);
    if (inRoom >= MOST_IN_ROOM) throw rateLimited(RETRY, `${MOST_IN_ROOM} questions wait for the assistant in this room.`);
    // A room that waits already makes the queue no longer.
    if (waiting >= this.#queue && inRoom === 0) throw rateLimited(RETRY, "The assistant is busy: too many wait for it.");
    await this.#charge(userId);
  }

  /** Lets the workers know that something is asked in the room. Should that fail, or the server die before, a worker finds it. */
  async wake(roomId: string): Promise<void> {
    try {
      await this.#scripts.run("request_add", [keys.requests, keys.waiting], [roomId]);
    } catch (error) {
      this.#log.debug({ error: String(error) }, "the assistant could not be woken; a worker will look");
    }
  }

  /**
   * The answers in a room as they grow, from the one that is being written now.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  follow(userId: string, roomId: string): Promise<Feed<ReplyRecord>> {
    return this.#feeds.follow(userId, roomId);
  }

  /**
   * Takes back what the user has asked in a room. Of the answer that is being written, what there is stays.
   * @returns whether there was anything
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  async cancel(userId: string, roomId: string): Promise<boolean> {
    await this.#rooms.check(userId, roomId);
    return (
      Number(await this.#scripts.run("assistant_cancel", [keys.asked(roomId), keys.reply(roomId), keys.withdrawn(roomId)], [userId])) > 0
    );
  }

  /** Rooms in which something waits for an answer or is being answered, as of a moment ago. */
  waiting(): Promise<number> {
    const now = performance.now();
    if (!this.#waiting || this.#waiting.until < now) {
      const count = this.#redis.xlen(keys.requests);
      count.catch(() => {
        this.#waiting = undefined;
      });
      this.#waiting = { count, until: now + GOOD_FOR };
    }
    return this.#waiting.count;
  }

  /** How many answers have ended so far, by state. */
  async ended(): Promise<Record<string, number>> {
    const counts = Object.entries(await this.#redis.hgetall(keys.replies));
    return Object.fromEntries(counts.map(([state, count]) => [state, Number(count)]));
  }
}
