import { BEGINNING, type Position } from "../delivery/position.js";
import { badInput, refusal } from "../errors.js";
import type { RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import type { Page, PageRequest } from "../relay.js";
import type { UserStore } from "../users/user.store.js";
import type { RoomRecord } from "./room.store.js";

export interface MemberRecord {
  roomId: string;
  userId: string;
  role: "OWNER" | "MEMBER";
  /** Microseconds since 1970, by Redis's clock; 0 where nobody joined, as everyone is in it or the two of a private room. */
  joined: number;
}

/** A member's place among the others: who joined first, then by id. */
export type MemberPlace = Pick<MemberRecord, "userId" | "joined">;

const MOST_GROUPS = 500; // that one user is in
const MOST_OPENED = 5_000; // private rooms that one user has opened

/** Whether the id is that of a group room, new or old, whose members alone are in it. Whether there is one, only they learn. */
export const isGroup = (roomId: string) => /^(?:9\d{17}|group-[0-9a-f]{16})$/.test(roomId);

/** Who is in which room. */
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
   * Puts a group into the user's list, which the demo apps show too. It has to have its name by then.
   * @throws ChatError FORBIDDEN where the user is in too many
   */
  async enlist(userId: string, roomId: string): Promise<void> {
    if ((await this.#scripts.run("room_enlist", [keys.userRooms(userId)], [roomId, 1, MOST_GROUPS])) === 1) return;
    throw refusal("FORBIDDEN", `User ${userId} is in ${MOST_GROUPS} groups, which is the most.`);
  }

  /**
   * Puts a private room into the list of the user who opens it. Those that others opened are in it too and count for nothing.
   * @throws ChatError FORBIDDEN where the user has opened too many
   */
  async enlistOpened(userId: string, roomId: string): Promise<void> {
    if ((await this.#scripts.run("room_enlist", [keys.opened(userId)], [roomId, 0, MOST_OPENED])) !== 1)
      throw refusal("FORBIDDEN", `You have opened ${MOST_OPENED} private rooms, which is the most.`);
    await this.#redis.sadd(keys.userRooms(userId), roomId);
  }

  /** Takes a group off the user's list, unless they came in again in this moment. */
  async unlist(userId: string, roomId: string): Promise<void> {
    await this.#redis.srem(keys.userRooms(userId), roomId);
    if (await this.has(roomId, userId)) await this.#redis.sadd(keys.userRooms(userId), roomId);
  }

  /** Whether the user is in the group. */
  async has(roomId: string, userId: string): Promise<boolean> {
    return (await this.#redis.hexists(keys.members(roomId), userId)) === 1;
  }

  /** Those of the users who are in the group. */
  async among(roomId: string, userIds: string[]): Promise<string[]> {
    return (await this.entries(roomId, userIds)).map(({ userId }) => userId);
  }

  /** Those of the users who are in the group, with their role and when they joined. */
  async entries(roomId: string, userIds: string[]): Promise<MemberRecord[]> {
    const entries = await this.#redis.hmget(keys.members(roomId), ...userIds);
    return userIds.flatMap((userId, index) => {
      const entry = entries[index];
      return entry == null ? [] : [readEntry(roomId, userId, entry)];
    });
  }

  /** Where the group stood when the user came in last: what they follow begins there. Undefined for who is not in it. */
  async entrance(roomId: string, userId: string): Promise<Position | undefined> {
    const [isIn, entrance] = await Promise.all([this.has(roomId, userId), this.#redis.hget(keys.meta(roomId), `joined:${userId}`)]);
    if (!isIn) return undefined;
    const [, epoch, seq, at] = /^([0-9a-f]*)\.(\d+)\.(\d+)$/.exec(entrance ?? "") ?? [];
    return epoch === undefined ? { roomId, ...BEGINNING } : { roomId, epoch, seq: Number(seq), at: Number(at) };
  }

  /** A page of a room's members, who joined first first; and how many there are. Of the rooms of all, everyone with an account. */
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

  /** A group has a bounded number of members. */
  async #all(roomId: string): Promise<MemberRecord[]> {
    const entries = Object.entries(await this.#redis.hgetall(keys.members(roomId)));
    return entries.map(([userId, entry]) => readEntry(roomId, userId, entry)).sort(comparePlaces);
  }
}

function readEntry(roomId: string, userId: string, entry: string): MemberRecord {
  const [role, joined] = entry.split(" ");
  return { roomId, userId, role: role === "OWNER" ? "OWNER" : "MEMBER", joined: Number(joined) };
}

const withoutRole = (roomId: string, userId: string): MemberRecord => ({ roomId, userId, role: "MEMBER", joined: 0 });

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

/** @throws ChatError BAD_USER_INPUT that names the argument, for anything that encodeMemberCursor did not make */
export function decodeMemberCursor(cursor: string, argument: string): MemberPlace {
  const [, joined, userId] = /^member:(\d{1,16}):([1-9]\d{0,14})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  const place = { joined: Number(joined), userId: userId ?? "" };
  if (encodeMemberCursor(place) !== cursor) throw badInput(argument, "must be a cursor of `members`, as this API gave it.");
  return place;
}
