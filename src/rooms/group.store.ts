import { randomBytes } from "node:crypto";
import { badInput, refusal } from "../errors.js";
import type { RedisClient } from "../redis/connect.js";
import { GENERAL, keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import { checkName, checkUserId, type UserStore } from "../users/user.store.js";
import { isGroup, type MemberStore } from "./member.store.js";
import { isRoomId, privatePair, type RoomStore } from "./room.store.js";

export interface NewGroup {
  name: string;
  memberIds: string[];
  /** Whether its members, and not its owner alone, may add others. */
  membersMayInvite: boolean;
}

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

  constructor(redis: RedisClient, scripts: Scripts, rooms: RoomStore, members: MemberStore, users: UserStore) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#rooms = rooms;
    this.#members = members;
    this.#users = users;
  }

  /**
   * Makes a group room, of which the user is the owner.
   * @returns its id
   * @throws ChatError BAD_USER_INPUT, NOT_FOUND, FORBIDDEN
   */
  async create(owner: { id: string; guest: boolean }, { name, memberIds, membersMayInvite }: NewGroup): Promise<string> {
    if (owner.guest) throw refusal("FORBIDDEN", "Guests do not stay, and cannot own a room. Register first.");
    checkName(name);
    if (memberIds.length > MOST_AT_FIRST) throw badInput("memberIds", `must be at most ${MOST_AT_FIRST}; add others with addMember.`);
    const others = [...new Set(memberIds)].filter((id) => id !== owner.id);
    await this.#checkUsers(others, "memberIds");

    const id = `group-${randomBytes(8).toString("hex")}`;
    // A demo app cannot bear a room in someone's list that has no name. Cut off after that, the room is nobody's.
    await this.#redis.set(keys.roomName(id), name);
    try {
      await Promise.all([owner.id, ...others].map((user) => this.#members.enlist(user, id)));
    } catch (error) {
      await Promise.all([owner.id, ...others].map((user) => this.#members.unlist(user, id)));
      throw error;
    }
    await this.#run("room_create", id, [name, membersMayInvite ? 1 : 0, owner.id, others.join(" ")]);
    await this.#joined([owner.id, ...others], id);
    return id;
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
   * Leaves the room. With the last owner's leaving it goes to the member who joined first; with the last member's it is over.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, FORBIDDEN
   */
  async leave(userId: string, roomId: string): Promise<void> {
    checkGroup(roomId);
    await this.#leave(userId, roomId, userId);
    await this.#members.unlist(userId, roomId);
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
    const there = await this.#members.among(roomId, userIds);
    await Promise.all(there.map((user) => this.#redis.sadd(keys.userRooms(user), roomId)));
    await Promise.all(there.map((user) => this.#rooms.tell(user, { kind: "room.joined", roomId })));
  }

  async #checkUsers(ids: string[], argument: string): Promise<void> {
    for (const id of ids) checkUserId(id, argument);
    const present = await this.#users.present(ids);
    const missing = ids.find((id) => !present.has(id));
    if (missing !== undefined) throw refusal("NOT_FOUND", `There is no user ${missing}.`);
  }
}

/** @throws ChatError FORBIDDEN for the rooms that have no members of their own, BAD_USER_INPUT for what is no room's id */
function checkGroup(roomId: string): void {
  if (isGroup(roomId)) return;
  if (roomId !== GENERAL && !privatePair(roomId) && !isRoomId(roomId)) throw badInput("roomId", "must be the id of a room.");
  throw refusal("FORBIDDEN", "Only groups can be renamed or left, and given or taken members.");
}
