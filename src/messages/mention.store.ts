import { badInput } from "../errors.js";
import type { Lenient, RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { Page } from "../relay.js";
import type { RoomStore } from "../rooms/room.store.js";
import type { UserStore } from "../users/user.store.js";
import { parseMessageId } from "./message-id.js";
import { readMember, type StoredMessage } from "./stored-message.js";

const MOST = 20; // users whom one message mentions; further ones are not told
const MENTION = /(?<![\p{L}\p{M}\p{N}._-])@([\p{L}\p{M}\p{N}._-]{2,33})/gu; // a username, and a full stop after it

/** A mention's place among all of a user's, whatever the room. */
export interface MentionPlace {
  /** Microseconds since 1970, in 16 digits. */
  micros: string;
  roomId: string;
}

export type Mention = StoredMessage & MentionPlace;

/** Who is mentioned in messages, and where a user is. */
export class MentionStore {
  readonly #redis: RedisClient;
  readonly #users: UserStore;
  readonly #rooms: RoomStore;
  readonly #lenient: Lenient;

  constructor(redis: RedisClient, users: UserStore, rooms: RoomStore, lenient: Lenient) {
    this.#redis = redis;
    this.#users = users;
    this.#rooms = rooms;
    this.#lenient = lenient;
  }

  /** The ids of those in the room whom a text mentions as `@username`; at most 20. */
  async in(text: string, roomId: string): Promise<string[]> {
    if (!text.includes("@")) return [];
    const names = [...new Set([...text.matchAll(MENTION)].map(([, name]) => name as string))].slice(0, MOST);
    const ids = await Promise.all(
      // `@ada.` ends a sentence, unless there is someone who is called so.
      names.map(async (name) => (await this.#users.idOf(name)) ?? this.#users.idOf(name.replace(/[._-]+$/, ""))),
    );
    const known = [...new Set(ids.filter((id) => id !== undefined))];
    return known.length > 0 ? this.#rooms.membersAmong(roomId, known) : known;
  }

  /** Messages that mention the user, in the rooms that they are in now; the newest first. */
  async page(userId: string, { first, after }: { first: number; after: MentionPlace | undefined }): Promise<Page<Mention>> {
    const rooms = await this.#rooms.idsOf(userId, "all");
    const found = await Promise.all(
      rooms.map(async (roomId) => {
        const to = after ? `(${userId}:${after.micros};` : `(${userId};`; // `;` comes right after `:`
        const entries = await this.#redis.zrevrangebylex(keys.mentioned(roomId), to, `[${userId}:`, "LIMIT", 0, first + 2);
        return entries.map((entry): MentionPlace => ({ micros: entry.slice(userId.length + 1), roomId }));
      }),
    );
    const places = found
      .flat()
      .filter((place) => !after || newerFirst(after, place) < 0)
      .sort(newerFirst);
    const wanted = places.slice(0, first);
    const messages = await Promise.all(wanted.map((place) => this.#messageAt(place)));
    return {
      nodes: messages.filter((message) => message !== null),
      hasNextPage: places.length > first,
      hasPreviousPage: after !== undefined,
    };
  }

  /** The message at a place; null where it has gone in this moment. */
  async #messageAt({ micros, roomId }: MentionPlace): Promise<Mention | null> {
    const id = `${roomId}/${Number(micros)}`;
    const score = parseMessageId(id)?.score ?? "0";
    const members = await this.#lenient(this.#redis.zrangebyscore(keys.room(roomId), score, score), []);
    const message = members.map((member) => readMember(roomId, member, score)).find((found) => found?.id === id);
    return message ? { ...message, micros, roomId } : null;
  }
}

function newerFirst(one: MentionPlace, other: MentionPlace): number {
  return other.micros.localeCompare(one.micros) || one.roomId.localeCompare(other.roomId);
}

export function encodeMentionCursor({ micros, roomId }: MentionPlace): string {
  return Buffer.from(JSON.stringify([micros, roomId])).toString("base64url");
}

/** @throws ChatError BAD_USER_INPUT that names the argument, for anything that encodeMentionCursor did not make */
export function decodeMentionCursor(cursor: string, argument: string): MentionPlace {
  const [, micros, roomId] = /^\["(\d{16})","([\w:-]{1,64})"\]$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  if (micros === undefined || roomId === undefined || encodeMentionCursor({ micros, roomId }) !== cursor)
    throw badInput(argument, "must be a cursor of `mentions`, as this API gave it.");
  return { micros, roomId };
}
