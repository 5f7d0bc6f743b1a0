import { createHash, randomInt } from "node:crypto";
import { badInput, checkClientId, isRefusal, refusal } from "../errors.js";
import type { RedisClient } from "../redis/connect.js";
import { GENERAL, keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import { checkName, checkUserId, type UserStore } from "../users/user.store.js";
import type { AcquaintanceStore } from "./acquaintance.store.js";
import { type InvitationStore, LASTS } from "./invitation.store.js";
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

/** What it takes to be added, or to invite. */
type Actor = { id: string; guest: boolean };

/** Those whom a change of members concerns beyond the room. */
interface Helpers {
  list: Pick<RoomListStore, "forget">;
  acquaintances: Pick<AcquaintanceStore, "strangersAmong" | "blockersAmong">;
  invitations: InvitationStore;
}

/**
 * Group rooms: making, naming and leaving them, and who is in them. The members, and the name that counts, are written by scripts.
 * The demo apps' views of both, each user's list of rooms and the room's name, lie in other slots of a cluster: a list has the room
 * from before the user is a member until after, so readers of a list check membership. Strangers are invited rather than added.
 */
export class GroupStore {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #rooms: RoomStore;
  readonly #members: MemberStore;
  readonly #users: UserStore;
  readonly #list: Pick<RoomListStore, "forget">;
  readonly #acquaintances: Pick<AcquaintanceStore, "strangersAmong" | "blockersAmong">;
  readonly #invitations: InvitationStore;

  constructor(
    redis: RedisClient,
    scripts: Scripts,
    rooms: RoomStore,
    members: MemberStore,
    users: UserStore,
    { list, acquaintances, invitations }: Helpers,
  ) {
    this.#list = list;
    this.#redis = redis;
    this.#scripts = scripts;
    this.#rooms = rooms;
    this.#members = members;
    this.#users = users;
    this.#acquaintances = acquaintances;
    this.#invitations = invitations;
  }

  /**
   * Makes a group room, of which the user is the owner; strangers are invited to it. With a clientRoomId it can be repeated for at least 24 hours: the repetition
   * completes what was cut off, and gives the same room. Never is a room made again of which the last member has left.
   * @returns its id
   * @throws ChatError BAD_USER_INPUT, NOT_FOUND, FORBIDDEN, RATE_LIMITED, CLIENT_ROOM_ID_REUSED; NOT_A_MEMBER where the user has left it since
   */
  async create(owner: Actor, { clientRoomId, ...group }: NewGroup): Promise<string> {
    const { name, memberIds, membersMayInvite } = group;
    if (owner.guest) throw refusal("FORBIDDEN", "Guests do not stay, and cannot own a room. Register first.");
    checkName(name);
    if (clientRoomId != null) checkClientId(clientRoomId, "clientRoomId");
    if (memberIds.length > MOST_AT_FIRST) throw badInput("memberIds", `must be at most ${MOST_AT_FIRST}; add others with addMember.`);
    const others = [...new Set(memberIds)].filter((id) => id !== owner.id);

    const claim = clientRoomId == null ? undefined : { key: keys.making(owner.id, digestOf(clientRoomId)), content: digestOf(group) };
    const begun = claim && readClaim(await this.#redis.get(claim.key), claim.content);
    if (!begun) await this.#checkUsers(others, "memberIds");
    const id = begun ?? (claim ? await this.#claim(claim) : newGroupId());

    const state = begun && (await this.#redis.get(keys.made(id)));
    if (!state) {
      const strangers = await this.#acquaintances.strangersAmong(owner.id, others);
      const known = others.filter((user) => !strangers.includes(user));
      await this.#invitations.prepare(owner.id, id, strangers);
      // A demo app cannot bear a room in someone's list that has no name. Cut off after that, the room is nobody's.
      await this.#redis.set(keys.roomName(id), name, "NX");
      const members = [owner.id, ...known];
      try {
        await Promise.all(members.map((user) => this.#members.enlist(user, id)));
      } catch (error) {
        await Promise.all(members.map((user) => this.#members.unlist(user, id)));
        await this.#invitations.tidy(id, owner.id, strangers);
        throw error;
      }
      const made = [name, membersMayInvite ? 1 : 0, owner.id, known.join(" "), strangers.join(" "), 2 * REMEMBERED, LASTS];
      const isNew = await this.#run("room_create", id, made, [keys.made(id), keys.invited(id)]);
      if (isNew !== 1) await this.#invitations.tidy(id, owner.id, strangers); // another call has made it, and they may have answered
      await this.#takeOutBlockers(owner.id, id, known);
    }
    if (state !== "told") {
      await this.#joined([owner.id, ...others], id);
      await this.#invitations.made(id, owner.id, others);
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
   * Takes another user into the room, or invites one who is a stranger; one who is in it stays so, one who is invited too.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, FORBIDDEN, RATE_LIMITED
   */
  async add(user: Actor, roomId: string, otherId: string): Promise<void> {
    checkGroup(roomId);
    await this.#rooms.check(user.id, roomId);
    await this.#checkUsers([otherId], "userId");
    const strangers = await this.#acquaintances.strangersAmong(user.id, [otherId]);
    if (strangers.length > 0) return this.#invite(user, roomId, otherId);
    await this.#members.enlist(otherId, roomId);
    try {
      const [came, inviter] = await this.#runAdd(user.id, roomId, otherId, false);
      if (came === 1 && inviter !== "") await this.#invitations.ended(roomId, otherId, inviter);
      if (came === 1) await this.#takeOutBlockers(user.id, roomId, [otherId]);
    } catch (error) {
      await this.#members.unlist(otherId, roomId);
      throw error;
    }
    await this.#joined([otherId], roomId);
  }

  /** Those who blocked the user while they were being added do not stay: of the two deeds one sees the other. */
  async #takeOutBlockers(userId: string, roomId: string, addedIds: string[]): Promise<void> {
    const blockers = await this.#acquaintances.blockersAmong(userId, addedIds);
    await Promise.all(blockers.map((id) => this.leave(id, roomId)));
  }

  async #invite(user: Actor, roomId: string, otherId: string): Promise<void> {
    if (user.guest) throw refusal("FORBIDDEN", "Guests can add only people they have talked with. Register first.");
    try {
      await this.#invitations.prepare(user.id, roomId, [otherId]);
      await this.#runAdd(user.id, roomId, otherId, true);
    } finally {
      await this.#invitations.tidy(roomId, user.id, [otherId]);
    }
    await this.#invitations.made(roomId, user.id, [otherId]);
  }

  #runAdd(userId: string, roomId: string, otherId: string, invites: boolean): Promise<[came: 0 | 1, inviter: string]> {
    const args = [userId, otherId, MOST_MEMBERS, invites ? 1 : 0, LASTS];
    return this.#run("member_add", roomId, args, [keys.invited(roomId)]) as Promise<[0 | 1, string]>;
  }

  /**
   * Takes the user into a room to which they are invited; one who is in it stays so.
   * @throws ChatError BAD_USER_INPUT, NOT_FOUND where no invitation is open, FORBIDDEN
   */
  async accept(userId: string, roomId: string): Promise<void> {
    checkGroup(roomId);
    if (!(await this.#members.has(roomId, userId)) && !(await this.#invitations.look(roomId, userId)))
      throw refusal("NOT_FOUND", `There is no open invitation to room ${roomId}.`);
    await this.#members.enlist(userId, roomId);
    try {
      const args = [userId, MOST_MEMBERS, LASTS];
      const [, inviter] = (await this.#run("invitation_accept", roomId, args, [keys.invited(roomId)])) as [0 | 1, string];
      if (inviter !== "") await this.#invitations.ended(roomId, userId, inviter);
    } catch (error) {
      await this.#members.unlist(userId, roomId);
      throw error;
    }
    await this.#joined([userId], roomId);
  }

  /**
   * Turns an invitation down; without one nothing changes, nor for a member.
   * @throws ChatError BAD_USER_INPUT, FORBIDDEN
   */
  async decline(userId: string, roomId: string): Promise<void> {
    checkGroup(roomId);
    await this.#invitations.end(roomId, userId);
  }

  /**
   * Removes another user from the room, or withdraws an invitation; one who is not in it stays so.
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

  async #leave(userId: string, roomId: string, otherId: string): Promise<void> {
    const others = [keys.mentioned(roomId), keys.reads(roomId), keys.reactions(roomId), keys.invited(roomId)];
    const [, ...ended] = (await this.#run("member_remove", roomId, [userId, otherId], others)) as [0 | 1, ...string[]];
    const users = ended.flatMap((user, at) => (at % 2 === 0 ? [[user, ended[at + 1] as string] as const] : []));
    await Promise.all(users.map(([user, inviter]) => this.#invitations.ended(roomId, user, inviter)));
  }

  #run(
    script: "room_create" | "room_change" | "member_add" | "member_remove" | "invitation_accept",
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
