import { createHash, randomInt } from "node:crypto";
import { badInput, checkClientId, isRefusal, refusal } from "../errors.js";
import type { RedisClient } from "../redis/connect.js";
import { GENERAL, keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import { checkName, checkUserId, type UserStore } from "../users/user.store.js";
import { isGroup, type MemberStore } from "./member.store.js";
import { isRoomId, privatePair, type RoomStore } from "./room.store.js";
import type { RoomListStore } from "./room-list.store.js";

export interface NewGroup {
  name: string;
  memberIds: string[];
  /** Whether its members, and not its owner alone, may add others. */
  membersMayInvite: boolean;
  /** Makes the call repeatable: the user's own name for it. */
  clientRoomId?: string | null | undefined;
}

const REMEMBERED = 90_000; // seconds for which a call with a clientRoomId can be repeated: 25 hours
const MOST_AT_FIRST = 100; // members that a room is made with; others are added one by one
const MOST_MEMBERS = 1_000; // of a room

/**
 * Group rooms: making, naming and leaving them, and who is in them. The members, and the name that counts, are written by scripts.
 * The demo apps' views of both, each user's list of rooms and the room's name, lie in other slots of a cluster: a list has the room
 * from before the user is a member until after, so whoever reads it looks who is.
 */
export class GroupStore {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #rooms: RoomStore;
  readonly #members: MemberStore;
  readonly #users: UserStore;
  readonly #list: Pick<RoomListStore, "forget">;

  constructor(
    redis: RedisClient,
    scripts: Scripts,
    rooms: RoomStore,
    members: MemberStore,
    users: UserStore,
    list: Pick<RoomListStore, "forget">,
  ) {
    this.#list = list;
    this.#redis = redis;
    this.#scripts = scripts;
    this.#rooms = rooms;
    this.#members = members;
    this.#users = users;
  }

  /**
   * Makes a group room, of which the user is the owner. With a clientRoomId it can be repeated for at least 24 hours: the repetition
   * completes what was cut off, and gives the same room. Never is a room made again of which the last member has left.
   * @returns its id
   * @throws ChatError BAD_USER_INPUT, NOT_FOUND, FORBIDDEN, CLIENT_ROOM_ID_REUSED; NOT_A_MEMBER where the user has left it since
   */
  async create(owner: { id: string; guest: boolean }, { clientRoomId, ...group }: NewGroup): Promise<string> {
    const { name, memberIds, membersMayInvite } = group;
    if (owner.guest) throw refusal("FORBIDDEN", "Guests do not stay, and cannot own a room. Register first.");
    checkName(name);
    if (clientRoomId != null) checkClientId(clientRoomId, "clientRoomId");
    if (memberIds.length > MOST_AT_FIRST) throw badInput("memberIds", `must be at most ${MOST_AT_FIRST}; add others with addMember.`);
    const others = [...new Set(memberIds)].filter((id) => id !== owner.id);
    const everyone = [owner.id, ...others];

    const claim = clientRoomId == null ? undefined : { key: keys.making(owner.id, digestOf(clientRoomId)), content: digestOf(group) };
    const begun = claim && readClaim(await this.#redis.get(claim.key), claim.content);
    if (!begun) await this.#checkUsers(others, "memberIds");
    const id = begun ?? (claim ? await this.#claim(claim) : newGroupId());

    const state = begun && (await this.#redis.get(keys.made(id)));
    if (!state) {
      // A demo app cannot bear a room in someone's list that has no name. Cut off after that, the room is nobody's.
      await this.#redis.set(keys.roomName(id), name, "NX");
      try {
        await Promise.all(everyone.map((user) => this.#members.enlist(user, id)));
      } catch (error) {
        await Promise.all(everyone.map((user) => this.#members.unlist(user, id)));
        throw error;
      }
      const made = [name, membersMayInvite ? 1 : 0, owner.id, others.join(" "), 2 * REMEMBERED];
      await this.#run("room_create", id, made, [keys.made(id)]);
    }
    if (state !== "told") {
      await this.#joined(everyone, id);
      if (claim) await this.#redis.set(keys.made(id), "told", "KEEPTTL", "XX");
    }
    // What has become of a room is for its members alone.
    if (begun && !(await this.#members.has(id, owner.id))) throw refusal("NOT_A_MEMBER", id);
    return id;
  }

  /** Gives a clientRoomId its room: of several calls at once the first one's. */
  async #claim({ key, content }: { key: string; content: string }): Promise<string> {
    const id = newGroupId();
    const earlier = await this.#redis.set(key, `${id} ${content}`, "EX", REMEMBERED, "NX", "GET");
    return readClaim(earlier, content) ?? id;
  }

  /**
   * Gives the room another name. In the database of the demo apps it follows ours.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, FORBIDDEN
   */
  async rename(userId: string, roomId: string, name: string): Promise<void> {
    checkGroup(roomId);
    checkName(name);
    await this.#run("room_change", roomId, [userId, name, ""]);
    // Of two that are set at once, who writes later sees the one that counts.
    let shown: string | null = null;
    for (let current: string | null = name; current !== null && current !== shown; ) {
      await this.#redis.set(keys.roomName(roomId), current);
      shown = current;
      current = await this.#redis.hget(keys.meta(roomId), "name");
    }
  }

  /**
   * Says whether members, and not the owner alone, may add others.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, FORBIDDEN
   */
  async letMembersInvite(userId: string, roomId: string, on: boolean): Promise<void> {
    checkGroup(roomId);
    await this.#run("room_change", roomId, [userId, "", on ? 1 : 0]);
  }

  /**
   * Takes another user into the room; one who is in it stays so.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, FORBIDDEN
   */
  async add(userId: string, roomId: string, otherId: string): Promise<void> {
    checkGroup(roomId);
    await this.#rooms.check(userId, roomId);
    await this.#checkUsers([otherId], "userId");
    await this.#members.enlist(otherId, roomId);
    try {
      await this.#run("member_add", roomId, [userId, otherId, MOST_MEMBERS]);
    } catch (error) {
      await this.#members.unlist(otherId, roomId);
      throw error;
    }
    await this.#joined([otherId], roomId);
  }

  /**
   * Removes another user from the room; one who is not in it stays so.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, FORBIDDEN
   */
  async remove(userId: string, roomId: string, otherId: string): Promise<void> {
    checkGroup(roomId);
    checkUserId(otherId, "userId");
    if (otherId === userId) throw badInput("userId", "must be another user than yourself. leaveRoom is for you.");
    await this.#leave(userId, roomId, otherId);
    await this.#members.unlist(otherId, roomId);
  }

  /**
   * Leaves the room; one who is not in it stays out. With the last owner's leaving it goes to the member who joined first; with the
   * last member's it is over.
   * @throws ChatError BAD_USER_INPUT, FORBIDDEN
   */
  async leave(userId: string, roomId: string): Promise<void> {
    checkGroup(roomId);
    try {
      await this.#leave(userId, roomId, userId);
    } catch (error) {
      // A repetition, whose first answer was lost, ends as the first did. Of a group that is not there the same is said: an id tells nothing.
      if (!isRefusal(error, "NOT_A_MEMBER")) throw error;
    }
    await this.#members.unlist(userId, roomId);
    if ((await this.#redis.exists(keys.members(roomId))) === 0) await this.#list.forget(roomId);
  }

  #leave(userId: string, roomId: string, otherId: string): Promise<unknown> {
    return this.#run("member_remove", roomId, [userId, otherId], [keys.mentioned(roomId), keys.reads(roomId), keys.reactions(roomId)]);
  }

  #run(
    script: "room_create" | "room_change" | "member_add" | "member_remove",
    roomId: string,
    args: (string | number)[],
    otherKeys: string[] = [],
  ): Promise<unknown> {
    return this.#scripts.onRoom(script, roomId, args, [keys.members(roomId), ...otherKeys]);
  }

  /** Once more in the lists: someone who left at the same time may have taken the room off. Then all devices are told. */
  async #joined(userIds: string[], roomId: string): Promise<void> {
    const there = await this.#members.entries(roomId, userIds);
    await Promise.all(there.map(({ userId }) => this.#redis.sadd(keys.userRooms(userId), roomId)));
    await Promise.all(there.map(({ userId, joined }) => this.#rooms.tell(userId, { kind: "room.joined", roomId, joined })));
  }

  async #checkUsers(ids: string[], argument: string): Promise<void> {
    for (const id of ids) checkUserId(id, argument);
    const present = await this.#users.present(ids);
    const missing = ids.find((id) => !present.has(id));
    if (missing !== undefined) throw refusal("NOT_FOUND", `There is no user ${missing}.`);
  }
}

/** 18 digits, more than a user's id has: the demo apps' page looks up a picture by the number. */
const newGroupId = () => `9${[0, 1].map(() => String(randomInt(10 ** 9)).padStart(9, "0")).join("")}`.slice(0, 18);

const digestOf = (value: unknown) => createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);

/**
 * The room that an earlier call with the same clientRoomId began; undefined where there was none.
 * @throws ChatError CLIENT_ROOM_ID_REUSED where that call was for another one
 */
function readClaim(claim: string | null, content: string): string | undefined {
  if (claim === null) return undefined;
  const [id, earlier] = claim.split(" ");
  if (earlier !== content) throw refusal("CLIENT_ROOM_ID_REUSED");
  return id;
}

/** @throws ChatError FORBIDDEN for the rooms that have no members of their own, BAD_USER_INPUT for what is no room's id */
function checkGroup(roomId: string): void {
  if (isGroup(roomId)) return;
  if (roomId !== GENERAL && !privatePair(roomId) && !isRoomId(roomId)) throw badInput("roomId", "must be the id of a room.");
  throw refusal("FORBIDDEN", "Only groups can be renamed or left, and given or taken members.");
}
