import type { Loaders } from "../api/context.js";
import { lookUpPage, type Page, type PageRequest } from "../api/relay.js";
import type { RedisClient } from "../redis/connect.js";
import { badInput } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import { roomKeys } from "./keys.js";
import type { RoomStore } from "./room.store.js";

/** A room's place in a list: the time of its latest message, in microseconds since 1970; 0 if it never had one. */
export interface RoomPlace {
  id: RoomId;
  at: number;
}

type LatestTimes = (roomIds: RoomId[], load: Loaders) => Promise<number[]>;

/** A user's rooms, in the order of their latest messages, newest first. */
export class RoomListStore {
  readonly #redis: RedisClient;
  readonly #rooms: Pick<RoomStore, "indexOf" | "isListed">;
  #latest: LatestTimes = async (roomIds) => roomIds.map(() => 0);

  constructor(redis: RedisClient, rooms: Pick<RoomStore, "indexOf" | "isListed">) {
    this.#redis = redis;
    this.#rooms = rooms;
  }

  /** Sets where the times of rooms' latest messages come from, in microseconds since 1970: from the rooms themselves. */
  timesFrom(latest: LatestTimes): void {
    this.#latest = latest;
  }

  /**
   * Stores the time of a room's latest message; it only moves forward. This index and the room are in different slots, so after a crash in
   * between, the room keeps its old place in users' lists until the next message.
   * @param at microseconds since 1970, by Redis's clock; 0 for an empty room
   */
  async note(roomId: RoomId, at: number): Promise<void> {
    await this.#redis.zadd(roomKeys.spoken(shardOf(roomId)), "GT", at, roomId);
  }

  /** Removes a room that no longer exists. */
  async forget(roomId: RoomId): Promise<void> {
    await this.#redis.zrem(roomKeys.spoken(shardOf(roomId)), roomId);
  }

  /**
   * The rooms in the user's list, in order, including rooms that are not shown to the user. It costs one command for the list and one per
   * shard for the order. Only rooms without an entry in the index are read themselves, once.
   */
  async placesOf(userId: UserId, load: Loaders): Promise<RoomPlace[]> {
    return this.#places(await this.#rooms.indexOf(userId), (roomIds) => this.#latest(roomIds, load));
  }

  /** A page of the user's rooms. It checks each room of the page. */
  page(userId: UserId, places: RoomPlace[], request: PageRequest<RoomPlace>): Promise<Page<RoomPlace>> {
    return lookUpPage(places, request, newerFirst, async (some) => {
      const listed = await Promise.all(some.map(({ id, at }) => this.#rooms.isListed(id, userId, at > 0)));
      return some.map((place, index) => (listed[index] ? place : undefined));
    });
  }

  async #places(ids: RoomId[], newest: (roomIds: RoomId[]) => Promise<number[]>): Promise<RoomPlace[]> {
    const shards = new Map<number, RoomId[]>();
    for (const id of ids) shards.set(shardOf(id), [...(shards.get(shardOf(id)) ?? []), id]);
    const places: RoomPlace[] = [];
    const unknown: RoomId[] = [];
    await Promise.all(
      [...shards].map(async ([shard, some]) => {
        const times = await this.#redis.zmscore(roomKeys.spoken(shard), ...some);
        for (const [index, id] of some.entries()) {
          const at = times[index];
          if (at == null) unknown.push(id);
          else places.push({ id, at: Number(at) });
        }
      }),
    );
    if (unknown.length > 0) {
      const times = await newest(unknown);
      for (const [index, id] of unknown.entries()) this.note(id, times[index] ?? 0).catch(() => {}); // the next request retries this
      places.push(...unknown.map((id, index) => ({ id, at: times[index] ?? 0 })));
    }
    return places.sort(newerFirst);
  }
}

const SHARDS = 8; // keys in different slots, so that no node of a cluster gets a write for every message

/** The shard of a room: an FNV-1a hash of its id. It must never change. */
function shardOf(roomId: RoomId): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < roomId.length; index++) hash = Math.imul(hash ^ roomId.charCodeAt(index), 0x01000193);
  return (hash >>> 0) % SHARDS;
}

/** Negative if the first place comes first. */
function newerFirst(one: RoomPlace, other: RoomPlace): number {
  return other.at - one.at || (one.id < other.id ? -1 : Number(one.id > other.id));
}

/** The opaque string that clients get. It contains a time, so it stays valid when rooms move. */
export function encodeRoomCursor({ id, at }: RoomPlace): string {
  return Buffer.from(JSON.stringify(["rooms", at, id])).toString("base64url");
}

/** @throws ChatError BAD_USER_INPUT that names the argument, for any string that encodeRoomCursor did not return */
export function decodeRoomCursor(cursor: string, argument: string): RoomPlace {
  const [, at, id] = /^\["rooms",(\d{1,16}),"([\w:-]{1,64})"\]$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  const place = { id: (id ?? "") as RoomId, at: Number(at) };
  if (encodeRoomCursor(place) !== cursor) throw badInput(argument, "must be a cursor that `rooms` returned.");
  return place;
}
