import { isGroup, privatePair } from "../api/ids.js";
import { type Channels, publish } from "../log/channels.js";
import { logKeys } from "../log/keys.js";
import type { RoomScripts } from "../log/room-scripts.js";
import { messageKeys } from "../messages/keys.js";
import type { MentionStore } from "../messages/mention.store.js";
import { readMessageId } from "../messages/message-id.js";
import type { RedisClient } from "../redis/connect.js";
import { roomKeys } from "../rooms/keys.js";
import type { RoomStore } from "../rooms/room.store.js";
import { userChannels } from "../users/keys.js";
import type { RoomId, UserId } from "../util/ids.js";

/** How much of a room is unread by a user. */
export interface Unread {
  /** Messages by other users after the last one read. */
  messages: number;
  /** How many of them mention the user. */
  mentions: number;
  /** The last message read. */
  readUpTo: string | null;
}

/** Sent to the user's other devices where the room's other members do not get read markers. */
export interface OwnReading {
  roomId: RoomId;
  upTo: string;
  /** Microseconds since 1970, by Redis's clock. */
  at: number;
}

const MOST_TOLD = 100; // members of a room in which every member gets the read markers of all

/** Read markers, and what is unread. */
export class ReadStore {
  readonly #redis: RedisClient;
  readonly #scripts: RoomScripts;
  readonly #channels: Channels;
  readonly #rooms: RoomStore;
  readonly #mentions: Pick<MentionStore, "find">;

  constructor(redis: RedisClient, scripts: RoomScripts, channels: Channels, rooms: RoomStore, mentions: Pick<MentionStore, "find">) {
    this.#mentions = mentions;
    this.#redis = redis;
    this.#scripts = scripts;
    this.#channels = channels;
    this.#rooms = rooms;
  }

  /**
   * Moves the user's read marker to a message and notifies their other devices, or every member of a private room or a group of at most
   * 100 members. The marker never moves back.
   * @returns the room's id
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  async mark(userId: UserId, messageId: string): Promise<RoomId> {
    const { roomId, score } = readMessageId(messageId, "messageId");
    await this.#rooms.check(roomId, userId, "messageId");
    const [moved, at] = await this.#scripts.onRoom(
      "read_move",
      roomId,
      { user: userId, messageId, score, mostTold: this.#mostTold(roomId) },
      { reads: roomKeys.reads(roomId), members: roomKeys.members(roomId) },
    );
    if (moved === "MOVED") {
      const reading: OwnReading = { roomId, upTo: messageId, at };
      await publish(this.#redis, userChannels.user(userId), { kind: "read.moved", ...reading });
    }
    return roomId;
  }

  /**
   * Read markers of users in private rooms and groups, whose members may see them; null in other rooms, and for a user who has read
   * nothing. One round trip.
   */
  async upTo(readers: readonly { roomId: RoomId; userId: UserId }[]): Promise<(string | null)[]> {
    return Promise.all(
      readers.map(async ({ roomId, userId }) => {
        if (this.#mostTold(roomId) === 0) return null;
        const read = await this.#redis.hget(roomKeys.reads(roomId), userId);
        return read?.slice(read.indexOf(" ") + 1) ?? null;
      }),
    );
  }

  /** How much of each room is unread by the user; one round trip. */
  unread(userId: UserId, roomIds: readonly RoomId[]): Promise<Unread[]> {
    return Promise.all(
      roomIds.map(async (roomId) => {
        const itsKeys = {
          room: logKeys.room(roomId),
          own: logKeys.own(roomId),
          mentioned: messageKeys.mentioned(roomId),
          reads: roomKeys.reads(roomId),
          members: roomKeys.members(roomId),
        };
        const count = () => this.#scripts.run("room_unread", itsKeys, { user: userId });
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
   * Calls the listener when the user's read marker moves in a room where only their own devices are notified.
   * @returns a function that ends this
   */
  onOwnReading(userId: UserId, listener: (reading: OwnReading) => void): Promise<() => void> {
    return this.#channels.subscribe(userChannels.user(userId), (payload) => {
      if (isOwnReading(payload)) listener(payload);
    });
  }

  /** Rooms that are open to all have an unbounded number of members. */
  #mostTold(roomId: RoomId): number {
    return privatePair(roomId) || isGroup(roomId) ? MOST_TOLD : 0;
  }
}

function isOwnReading(payload: unknown): payload is OwnReading {
  const { kind, roomId, upTo, at } = (payload ?? {}) as Partial<OwnReading & { kind: string }>;
  return kind === "read.moved" && typeof roomId === "string" && typeof upTo === "string" && typeof at === "number";
}
