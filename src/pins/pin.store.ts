import { type Right, rolesWith } from "../api/rights.js";
import type { RoomScripts } from "../log/room-scripts.js";
import type { MessageStore } from "../messages/message.store.js";
import { readMessageId } from "../messages/message-id.js";
import type { Placed } from "../messages/page.js";
import type { RedisClient } from "../redis/connect.js";
import { roomKeys } from "../rooms/keys.js";
import type { RoomStore } from "../rooms/room.store.js";
import { refusal } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import { pinKeys } from "./keys.js";

/** A pinned message, who pinned it, and when. */
export interface PinRecord {
  message: Placed;
  byId: UserId;
  at: Date;
}

export const PIN: Right = { about: "pin and unpin messages", GENERAL: [], PRIVATE: ["MEMBER"], GROUP: ["OWNER", "MEMBER"] };

export const MOST_PINS = 100; // per room

/** Messages that members have pinned in their rooms. */
export class PinStore {
  readonly #redis: RedisClient;
  readonly #scripts: RoomScripts;
  readonly #rooms: Pick<RoomStore, "check">;
  readonly #messages: Pick<MessageStore, "byIds">;

  constructor(redis: RedisClient, scripts: RoomScripts, rooms: Pick<RoomStore, "check">, messages: Pick<MessageStore, "byIds">) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#rooms = rooms;
    this.#messages = messages;
  }

  /**
   * Pins a message, or unpins it. Idempotent.
   * @returns the message; null if it is gone, which only matters to a pin
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, FORBIDDEN
   */
  async set(userId: UserId, messageId: string, on: boolean): Promise<Placed | null> {
    const { roomId, score } = readMessageId(messageId, "messageId");
    await this.#rooms.check(roomId, userId, "messageId");
    const change = async (gone: string[]) => {
      const args = { user: userId, roles: rolesWith(PIN, roomId), id: messageId, score, on, most: MOST_PINS, gone };
      const [, full] = await this.#scripts.onRoom("message_pin", roomId, args, {
        members: roomKeys.members(roomId),
        pins: pinKeys.pins(roomId),
      });
      return full === 0;
    };
    if (!(await change([])) && !(await change(await this.#gone(roomId))))
      throw refusal("FORBIDDEN", `A room has at most ${MOST_PINS} pinned messages. Unpin one first.`);
    const [message = null] = await this.#messages.byIds([messageId]);
    return message;
  }

  /** The pins of a room whose messages exist, the latest first. The caller checks access. */
  async of(roomId: RoomId): Promise<PinRecord[]> {
    const entries = Object.entries(await this.#redis.hgetall(pinKeys.pins(roomId)));
    const messages = await this.#messages.byIds(entries.map(([id]) => id));
    const pins = entries.flatMap(([, entry], index) => {
      const message = messages[index];
      const [byId = "", micros] = entry.split(" ");
      return message ? [{ message, byId: byId as UserId, micros: Number(micros) }] : [];
    });
    return pins
      .sort((one, other) => other.micros - one.micros)
      .map(({ message, byId, micros }) => ({ message, byId, at: new Date(micros / 1_000) }));
  }

  /** Pinned messages that no longer exist. */
  async #gone(roomId: RoomId): Promise<string[]> {
    const ids = await this.#redis.hkeys(pinKeys.pins(roomId));
    const messages = await this.#messages.byIds(ids);
    return ids.filter((_, index) => !messages[index]);
  }
}
