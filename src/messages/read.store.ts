import { type Channels, publish } from "../delivery/channels.js";
import type { RedisClient } from "../redis/connect.js";
import { channels, keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import { isGroup } from "../rooms/member.store.js";
import { privatePair, type RoomStore } from "../rooms/room.store.js";
import type { MentionStore } from "./mention.store.js";
import { readMessageId } from "./message-id.js";

/** How much of a room a user has not read. */
export interface Unread {
  /** Messages of others after the last one read. */
  messages: number;
  /** Those of them in which the user is mentioned. */
  mentions: number;
  /** The last message read. */
  readUpTo: string | null;
}

/** What the user's other devices are told where the whole room is not. */
export interface OwnReading {
  roomId: string;
  upTo: string;
  /** Microseconds since 1970, by Redis's clock. */
  at: number;
}

const MOST_TOLD = 100; // members of a room in which everyone is told how far each has read

/** How far users have read. */
export class ReadStore {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #channels: Channels;
  readonly #rooms: RoomStore;
  readonly #mentions: Pick<MentionStore, "find">;

  constructor(redis: RedisClient, scripts: Scripts, channels: Channels, rooms: RoomStore, mentions: Pick<MentionStore, "find">) {
    this.#mentions = mentions;
    this.#redis = redis;
    this.#scripts = scripts;
    this.#channels = channels;
    this.#rooms = rooms;
  }

  /**
   * Notes that the user has read up to a message, and tells their other devices; in rooms of at most 100 everyone. It never
   * moves back.
   * @returns the room's id
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  async mark(userId: string, messageId: string): Promise<string> {
    const { roomId, score } = readMessageId(messageId, "messageId");
    await this.#rooms.check(userId, roomId, "messageId");
    const [moved, at] = (await this.#scripts.onRoom(
      "read_move",
      roomId,
      [userId, messageId, score, this.#mostTold(roomId)],
      [keys.reads(roomId), keys.members(roomId)],
      [`There is no message ${messageId} any more.`],
    )) as ["UNMOVED" | "TOLD_ALL" | "MOVED", number];
    if (moved === "MOVED") {
      const reading: OwnReading = { roomId, upTo: messageId, at };
      await publish(this.#redis, channels.user(userId), { kind: "read.moved", ...reading });
    }
    return roomId;
  }

  /**
   * How far users have read in rooms where that is no secret among its members: private ones and groups; null elsewhere, and
   * for who has read nothing. One round trip.
   */
  async upTo(readers: readonly { roomId: string; userId: string }[]): Promise<(string | null)[]> {
    return Promise.all(
      readers.map(async ({ roomId, userId }) => {
        if (this.#mostTold(roomId) === 0) return null;
        const read = await this.#redis.hget(keys.reads(roomId), userId);
        return read?.slice(read.indexOf(" ") + 1) ?? null;
      }),
    );
  }

  /** How much of each room the user has not read; one round trip. */
  unread(userId: string, roomIds: readonly string[]): Promise<Unread[]> {
    return Promise.all(
      roomIds.map(async (roomId) => {
        const roomKeys = [keys.room(roomId), keys.own(roomId), keys.mentioned(roomId), keys.reads(roomId), keys.members(roomId)];
        const count = () => this.#scripts.run("room_unread", roomKeys, [userId]) as Promise<[number, number, string, number]>;
        let [messages, mentions, readUpTo, unnamed] = await count();
        if (unnamed > 0) {
          await this.#mentions.find(roomId);
          [messages, mentions, readUpTo] = await count();
        }
        return { messages, mentions, readUpTo: readUpTo || null };
      }),
    );
  }

  /**
   * Tells how far the user has read where only their own devices are told.
   * @returns a function that ends it
   */
  onOwnReading(userId: string, listener: (reading: OwnReading) => void): Promise<() => void> {
    return this.#channels.subscribe(channels.user(userId), (payload) => {
      if (isOwnReading(payload)) listener(payload);
    });
  }

  /** Rooms that are open to all have no end of members. */
  #mostTold(roomId: string): number {
    return privatePair(roomId) || isGroup(roomId) ? MOST_TOLD : 0;
  }
}

function isOwnReading(payload: unknown): payload is OwnReading {
  const { kind, roomId, upTo, at } = (payload ?? {}) as Partial<OwnReading & { kind: string }>;
  return kind === "read.moved" && typeof roomId === "string" && typeof upTo === "string" && typeof at === "number";
}
