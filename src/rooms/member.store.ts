import type { Page, PageRequest } from "../api/relay.js";
import { logKeys } from "../log/keys.js";
import { BEGINNING, type Position } from "../log/position.js";
import type { RedisClient } from "../redis/connect.js";
import type { Scripts } from "../redis/scripts.js";
import { userKeys } from "../users/keys.js";
import type { UserStore } from "../users/user.store.js";
import { badInput, refusal } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import { roomKeys } from "./keys.js";
import type { RoomRecord } from "./room.js";

export interface MemberRecord {
  roomId: RoomId;
  userId: UserId;
  role: "OWNER" | "MEMBER";
  /** Microseconds since 1970, by Redis's clock; 0 in rooms that are not groups. */
  joined: number;
}

/** A member's place among the others: by the time of joining, then by id. */
export type MemberPlace = Pick<MemberRecord, "userId" | "joined">;

const MOST_GROUPS = 500; // groups per user
const MOST_OPENED = 5_000; // private rooms that one user may open

/** The members of rooms. */
export class MemberStore {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #users: Pick<UserStore, "page">;

  constructor(redis: RedisClient, scripts: Scripts, users: Pick<UserStore, "page">) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#users = users;
  }

  /**
   * Adds a group to the user's list, which the demo apps show too. The group must already have a name.
   * @throws ChatError FORBIDDEN if the user is in too many groups
   */
  async enlist(roomId: RoomId, userId: UserId): Promise<void> {
    const args = { roomId, group: true, most: MOST_GROUPS };
    if ((await this.#scripts.run("room_enlist", { rooms: userKeys.userRooms(userId) }, args)) === 1) return;
    throw refusal("FORBIDDEN", `User ${userId} is in ${MOST_GROUPS} groups, the maximum.`);
  }

  /**
   * Adds a private room to the list of the user who opens it. Rooms that others opened with the user do not count towards the limit.
   * @throws ChatError FORBIDDEN if the user has opened too many
   */
  async enlistOpened(roomId: RoomId, userId: UserId): Promise<void> {
    if ((await this.#scripts.run("room_enlist", { rooms: roomKeys.opened(userId) }, { roomId, group: false, most: MOST_OPENED })) !== 1)
      throw refusal("FORBIDDEN", `You have opened ${MOST_OPENED} private rooms, the maximum.`);
    await this.#redis.sadd(userKeys.userRooms(userId), roomId);
  }

  /** Removes a group from the user's list, unless they have just joined again. */
  async unlist(roomId: RoomId, userId: UserId): Promise<void> {
    await this.#redis.srem(userKeys.userRooms(userId), roomId);
    if (await this.has(roomId, userId)) await this.#redis.sadd(userKeys.userRooms(userId), roomId);
  }

  /** Whether the user is a member of the group. */
  async has(roomId: RoomId, userId: UserId): Promise<boolean> {
    return (await this.#redis.hexists(roomKeys.members(roomId), userId)) === 1;
  }

  /** The users among these who are members of the group. */
  async among(roomId: RoomId, userIds: UserId[]): Promise<UserId[]> {
    return (await this.entries(roomId, userIds)).map(({ userId }) => userId);
  }

  /** The users among these who are members of the group, with their role and when they joined. */
  async entries(roomId: RoomId, userIds: UserId[]): Promise<MemberRecord[]> {
    const entries = await this.#redis.hmget(roomKeys.members(roomId), ...userIds);
    return userIds.flatMap((userId, index) => {
      const entry = entries[index];
      return entry == null ? [] : [readEntry(roomId, userId as UserId, entry)];
    });
  }

  /** The group's position when the user last joined, where their subscriptions start; undefined if the user is not a member. */
  async entrance(roomId: RoomId, userId: UserId): Promise<Position | undefined> {
    const [isIn, entrance] = await Promise.all([this.has(roomId, userId), this.#redis.hget(logKeys.meta(roomId), `joined:${userId}`)]);
    if (!isIn) return undefined;
    const [, epoch, seq, at] = /^([0-9a-f]*)\.(\d+)\.(\d+)$/.exec(entrance ?? "") ?? [];
    return epoch === undefined ? { roomId, ...BEGINNING } : { roomId, epoch, seq: Number(seq), at: Number(at) };
  }

  /** A page of a room's members in the order of joining, and their total number. Every user with an account is in a room open to all. */
  async page(room: RoomRecord, request: PageRequest<MemberPlace>): Promise<Page<MemberRecord> & { totalCount: number }> {
    if (room.kind === "PRIVATE")
      return pageOf(
        room.userIds.map((id) => withoutRole(room.id, id)),
        request,
      );
    if (room.kind === "GROUP") return pageOf(await this.#all(room.id), request);
    const { after, before } = request;
    const page = await this.#users.page({
      ...request,
      after: after && Number(after.userId),
      before: before && Number(before.userId),
    });
    return { ...page, nodes: page.nodes.map(({ id }) => withoutRole(room.id, id)) };
  }

  /** All members of a group, whose number is bounded. */
  async #all(roomId: RoomId): Promise<MemberRecord[]> {
    const entries = Object.entries(await this.#redis.hgetall(roomKeys.members(roomId)));
    return entries.map(([userId, entry]) => readEntry(roomId, userId as UserId, entry)).sort(comparePlaces);
  }
}

function readEntry(roomId: RoomId, userId: UserId, entry: string): MemberRecord {
  const [role, joined] = entry.split(" ");
  return { roomId, userId, role: role === "OWNER" ? "OWNER" : "MEMBER", joined: Number(joined) };
}

const withoutRole = (roomId: RoomId, userId: UserId): MemberRecord => ({ roomId, userId, role: "MEMBER", joined: 0 });

function pageOf(members: MemberRecord[], { from, limit, after, before }: PageRequest<MemberPlace>) {
  const between = members.filter(
    (member) => (!after || comparePlaces(member, after) > 0) && (!before || comparePlaces(member, before) < 0),
  );
  const start = from === "start" ? 0 : Math.max(0, between.length - limit);
  const nodes = between.slice(start, start + limit);
  const behind = after ? members.some((member) => comparePlaces(member, after) <= 0) : false;
  const ahead = before ? members.some((member) => comparePlaces(member, before) >= 0) : false;
  return {
    nodes,
    hasPreviousPage: start > 0 || behind,
    hasNextPage: start + limit < between.length || ahead,
    totalCount: members.length,
  };
}

const comparePlaces = (one: MemberPlace, other: MemberPlace) => one.joined - other.joined || Number(one.userId) - Number(other.userId);

/** The opaque string that clients get. */
export function encodeMemberCursor({ joined, userId }: MemberPlace): string {
  return Buffer.from(`member:${joined}:${userId}`).toString("base64url");
}

/** @throws ChatError BAD_USER_INPUT that names the argument, for any string that encodeMemberCursor did not return */
export function decodeMemberCursor(cursor: string, argument: string): MemberPlace {
  const [, joined, userId] = /^member:(\d{1,16}):([1-9]\d{0,14})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  const place = { joined: Number(joined), userId: (userId ?? "") as UserId };
  if (encodeMemberCursor(place) !== cursor) throw badInput(argument, "must be a cursor that `members` returned.");
  return place;
}
