import { createHash, randomInt } from "node:crypto";
import { isGroup } from "../api/ids.js";
import { rolesWith } from "../api/rights.js";
import { type InvitationStore, LASTS } from "../invitations/invitation.store.js";
import { invitationKeys } from "../invitations/keys.js";
import { logKeys } from "../log/keys.js";
import type { RoomScripts } from "../log/room-scripts.js";
import type { RedisClient } from "../redis/connect.js";
import type { ScriptCalls } from "../redis/scripts.js";
import type { AcquaintanceStore } from "../rooms/acquaintance.store.js";
import { roomKeys } from "../rooms/keys.js";
import type { MemberStore } from "../rooms/member.store.js";
import type { RoomStore } from "../rooms/room.store.js";
import type { RoomListStore } from "../rooms/room-list.store.js";
import type { Bots } from "../users/bots.js";
import { userKeys } from "../users/keys.js";
import { checkName, type UserStore } from "../users/user.store.js";
import { badInput, checkClientId, isRefusal, refusal } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import { groupKeys } from "./keys.js";
import { groupRights } from "./rights.js";

export interface NewGroup {
  name: string;
  memberIds: UserId[];
  /** Whether members may add others; if false, only the owner may. */
  membersMayInvite: boolean;
  /** Makes the call idempotent: an id that the client gave it. */
  clientRoomId?: string | null | undefined;
}

const REMEMBERED = 90_000; // seconds for which a call with a clientRoomId is idempotent: 25 hours
const MOST_AT_FIRST = 100; // members or invitations that a room is created with, besides its owner
const MOST_MEMBERS = 1_000; // per room

/** The user who acts: guests may not invite strangers or own a room. */
type Actor = { id: UserId; guest: boolean };

/** The stores outside the room that a change of members affects. */
interface Helpers {
  list: Pick<RoomListStore, "forget">;
  acquaintances: Pick<AcquaintanceStore, "strangersAmong" | "blockersAmong">;
  invitations: InvitationStore;
  bots: Bots;
}

/**
 * Group rooms: creating, renaming and leaving them, and changing their members. Scripts write the members and the authoritative name.
 * The demo apps' views of both, each user's list of rooms and the room's name, are in other slots of a cluster. A list has the room
 * before the user becomes a member and until after they left, so readers of a list check membership. Strangers are invited, not added.
 */
export class GroupStore {
  readonly #redis: RedisClient;
  readonly #scripts: RoomScripts;
  readonly #rooms: RoomStore;
  readonly #members: MemberStore;
  readonly #users: UserStore;
  readonly #list: Pick<RoomListStore, "forget">;
  readonly #acquaintances: Pick<AcquaintanceStore, "strangersAmong" | "blockersAmong">;
  readonly #invitations: InvitationStore;
  readonly #bots: Bots;
  readonly #keysOfRoom: (roomId: RoomId) => string[];

  /** @param keysOfRoom all keys of a room, which expire when its last member has left */
  constructor(
    redis: RedisClient,
    scripts: RoomScripts,
    rooms: RoomStore,
    members: MemberStore,
    users: UserStore,
    { list, acquaintances, invitations, bots }: Helpers,
    keysOfRoom: (roomId: RoomId) => string[],
  ) {
    this.#keysOfRoom = keysOfRoom;
    this.#list = list;
    this.#redis = redis;
    this.#scripts = scripts;
    this.#rooms = rooms;
    this.#members = members;
    this.#users = users;
    this.#acquaintances = acquaintances;
    this.#invitations = invitations;
    this.#bots = bots;
  }

  /**
   * Creates a group room that the user owns, and invites strangers to it. With a clientRoomId it is idempotent for at least 24 hours: a
   * retry completes what a crash cut off, and returns the same room. A retry never recreates a room that its last member has left.
   * @returns the room's id
   * @throws ChatError BAD_USER_INPUT, NOT_FOUND, FORBIDDEN, RATE_LIMITED, CLIENT_ROOM_ID_REUSED; NOT_A_MEMBER if the user has left the room
   */
  async create(owner: Actor, { clientRoomId, ...group }: NewGroup): Promise<RoomId> {
    const { name, memberIds, membersMayInvite } = group;
    if (owner.guest) throw refusal("FORBIDDEN", "Guests cannot own a room. Register first.");
    checkName(name);
    if (clientRoomId != null) checkClientId(clientRoomId, "clientRoomId");
    if (memberIds.length > MOST_AT_FIRST) throw badInput("memberIds", `must be at most ${MOST_AT_FIRST}. Add more with addMember.`);
    const others = [...new Set(memberIds)].filter((id) => id !== owner.id);

    const claim = clientRoomId == null ? undefined : { key: groupKeys.making(owner.id, digestOf(clientRoomId)), content: digestOf(group) };
    const begun = claim && readClaim(await this.#redis.get(claim.key), claim.content);
    if (!begun) await this.#checkUsers(others, "memberIds");
    const id = begun ?? (claim ? await this.#claim(claim) : newGroupId());

    const state = begun && (await this.#redis.get(groupKeys.made(id)));
    if (!state) {
      const strangers = await this.#acquaintances.strangersAmong(owner.id, others);
      const known = others.filter((user) => !strangers.includes(user));
      await this.#invitations.prepare(id, owner.id, strangers);
      // A demo app fails on a listed room without a name, so the name comes first. After a crash here the room has no members.
      await this.#redis.set(logKeys.roomName(id), name, "NX");
      const members = [owner.id, ...known];
      try {
        await Promise.all(members.map((user) => this.#members.enlist(id, user)));
      } catch (error) {
        await Promise.all(members.map((user) => this.#members.unlist(id, user)));
        await this.#invitations.tidy(id, owner.id, strangers);
        throw error;
      }
      const isNew = await this.#scripts.onRoom(
        "room_create",
        id,
        { name, mayInvite: membersMayInvite, owner: owner.id, others: known, strangers, remembered: 2 * REMEMBERED, lasts: LASTS },
        { members: roomKeys.members(id), made: groupKeys.made(id), invited: invitationKeys.invited(id) },
      );
      if (isNew !== 1) await this.#invitations.tidy(id, owner.id, strangers); // another call has created it, and users may have answered
      await this.#takeOutBlockers(id, owner.id, known);
    }
    if (state !== "told") {
      await this.#joined([owner.id, ...others], id);
      await this.#invitations.made(id, owner.id, others);
      if (claim) await this.#redis.set(groupKeys.made(id), "told", "KEEPTTL", "XX");
    }
    // Only members may see the current state of a room.
    if (begun && !(await this.#members.has(id, owner.id))) throw refusal("NOT_A_MEMBER", id);
    return id;
  }

  /** Assigns a room to a clientRoomId; among concurrent calls, the first one decides. */
  async #claim({ key, content }: { key: string; content: string }): Promise<RoomId> {
    const id = newGroupId();
    const earlier = await this.#redis.set(key, `${id} ${content}`, "EX", REMEMBERED, "NX", "GET");
    return readClaim(earlier, content) ?? id;
  }

  /**
   * Renames the room. The demo apps' key follows the authoritative name.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, FORBIDDEN
   */
  async rename(roomId: RoomId, userId: UserId, name: string): Promise<void> {
    checkGroup(roomId);
    checkName(name);
    await this.#scripts.onRoom(
      "room_change",
      roomId,
      { by: userId, roles: rolesWith(groupRights.rename, roomId), name, mayInvite: "" },
      { members: roomKeys.members(roomId) },
    );
    // Of two concurrent calls, the one that writes this key last reads the authoritative name.
    let shown: string | null = null;
    for (let current: string | null = name; current !== null && current !== shown; ) {
      await this.#redis.set(logKeys.roomName(roomId), current);
      shown = current;
      current = await this.#redis.hget(logKeys.meta(roomId), "name");
    }
  }

  /**
   * Sets whether members may add others; if not, only the owner may.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, FORBIDDEN
   */
  async letMembersInvite(roomId: RoomId, userId: UserId, on: boolean): Promise<void> {
    checkGroup(roomId);
    await this.#scripts.onRoom(
      "room_change",
      roomId,
      { by: userId, roles: rolesWith(groupRights.letMembersInvite, roomId), name: "", mayInvite: on },
      { members: roomKeys.members(roomId) },
    );
  }

  /**
   * Adds another user to the room, or invites a stranger. Idempotent.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, FORBIDDEN, RATE_LIMITED
   */
  async add(user: Actor, roomId: RoomId, otherId: UserId): Promise<void> {
    checkGroup(roomId);
    await this.#rooms.check(roomId, user.id);
    await this.#checkUsers([otherId], "userId");
    const strangers = await this.#acquaintances.strangersAmong(user.id, [otherId]);
    if (strangers.length > 0) return this.#invite(user, roomId, otherId);
    await this.#members.enlist(roomId, otherId);
    try {
      const [came, inviter] = await this.#runAdd(roomId, user.id, otherId, false);
      if (came === 1 && inviter !== "") await this.#invitations.ended(roomId, otherId, inviter as UserId);
      if (came === 1) await this.#takeOutBlockers(roomId, user.id, [otherId]);
    } catch (error) {
      await this.#members.unlist(roomId, otherId);
      throw error;
    }
    await this.#joined([otherId], roomId);
  }

  /** Removes users who blocked the user while being added: of two concurrent calls, block and add, at least one sees the other. */
  async #takeOutBlockers(roomId: RoomId, userId: UserId, addedIds: UserId[]): Promise<void> {
    const blockers = await this.#acquaintances.blockersAmong(userId, addedIds);
    await Promise.all(blockers.map((id) => this.leave(roomId, id)));
  }

  async #invite(user: Actor, roomId: RoomId, otherId: UserId): Promise<void> {
    if (user.guest) throw refusal("FORBIDDEN", "Guests can add only people they have talked with. Register first.");
    try {
      await this.#invitations.prepare(roomId, user.id, [otherId]);
      await this.#runAdd(roomId, user.id, otherId, true);
    } finally {
      await this.#invitations.tidy(roomId, user.id, [otherId]);
    }
    await this.#invitations.made(roomId, user.id, [otherId]);
  }

  #runAdd(roomId: RoomId, userId: UserId, otherId: UserId, invites: boolean): Promise<ScriptCalls["member_add"]["result"]> {
    const args = { by: userId, roles: rolesWith(groupRights.add, roomId), user: otherId, most: MOST_MEMBERS, invites, lasts: LASTS };
    return this.#scripts.onRoom("member_add", roomId, args, { members: roomKeys.members(roomId), invited: invitationKeys.invited(roomId) });
  }

  /**
   * Accepts an invitation: adds the user to the room. Idempotent.
   * @throws ChatError BAD_USER_INPUT, NOT_FOUND if no invitation is open, FORBIDDEN
   */
  async accept(roomId: RoomId, userId: UserId): Promise<void> {
    checkGroup(roomId);
    if (!(await this.#members.has(roomId, userId)) && !(await this.#invitations.look(roomId, userId)))
      throw refusal("NOT_FOUND", `There is no open invitation to room ${roomId}.`);
    await this.#members.enlist(roomId, userId);
    try {
      const args = { user: userId, most: MOST_MEMBERS, lasts: LASTS };
      const otherKeys = { members: roomKeys.members(roomId), invited: invitationKeys.invited(roomId) };
      const [, inviter] = await this.#scripts.onRoom("invitation_accept", roomId, args, otherKeys);
      if (inviter !== "") await this.#invitations.ended(roomId, userId, inviter as UserId);
    } catch (error) {
      await this.#members.unlist(roomId, userId);
      throw error;
    }
    await this.#joined([userId], roomId);
  }

  /**
   * Declines an invitation. Without one, or for a member, nothing changes.
   * @throws ChatError BAD_USER_INPUT, FORBIDDEN
   */
  async decline(roomId: RoomId, userId: UserId): Promise<void> {
    checkGroup(roomId);
    await this.#invitations.end(roomId, userId);
  }

  /**
   * Removes another user from the room, or withdraws an invitation. Idempotent.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, FORBIDDEN
   */
  async remove(roomId: RoomId, userId: UserId, otherId: UserId): Promise<void> {
    checkGroup(roomId);
    if (otherId === userId) throw badInput("userId", "must be another user. To leave the group yourself, use leaveRoom.");
    await this.#leave(roomId, userId, otherId);
    await this.#members.unlist(roomId, otherId);
  }

  /**
   * Leaves the room. Idempotent. If the last owner leaves, the member who joined first becomes the owner; if the last member leaves, the
   * room ends.
   * @throws ChatError BAD_USER_INPUT, FORBIDDEN
   */
  async leave(roomId: RoomId, userId: UserId): Promise<void> {
    checkGroup(roomId);
    try {
      await this.#leave(roomId, userId, userId);
    } catch (error) {
      // A retry whose first response was lost succeeds too. So does a call for a group that does not exist: an id reveals nothing.
      if (!isRefusal(error, "NOT_A_MEMBER")) throw error;
    }
    await this.#members.unlist(roomId, userId);
    if ((await this.#redis.exists(roomKeys.members(roomId))) === 0) await this.#list.forget(roomId);
  }

  async #leave(roomId: RoomId, userId: UserId, otherId: UserId): Promise<void> {
    const otherKeys = {
      members: roomKeys.members(roomId),
      invited: invitationKeys.invited(roomId),
      others: this.#keysOfRoom(roomId),
    };
    const [, ...ended] = await this.#scripts.onRoom(
      "member_remove",
      roomId,
      { by: userId, roles: rolesWith(groupRights.remove, roomId), user: otherId, bots: this.#bots.ids },
      otherKeys,
    );
    const users = ended.flatMap((user, at) => (at % 2 === 0 ? [[user, ended[at + 1] as string] as const] : []));
    await Promise.all(users.map(([user, inviter]) => this.#invitations.ended(roomId, user as UserId, inviter as UserId)));
  }

  /** Lists the room again, because a concurrent leave may have removed it, and then notifies all devices. */
  async #joined(userIds: UserId[], roomId: RoomId): Promise<void> {
    const there = await this.#members.entries(roomId, userIds);
    await Promise.all(there.map(({ userId }) => this.#redis.sadd(userKeys.userRooms(userId), roomId)));
    await Promise.all(there.map(({ userId, joined }) => this.#rooms.tell(userId, { kind: "room.joined", roomId, joined })));
  }

  async #checkUsers(ids: UserId[], _argument: string): Promise<void> {
    const present = await this.#users.present(ids);
    const missing = ids.find((id) => !present.has(id));
    if (missing !== undefined) throw refusal("NOT_FOUND", `There is no user ${missing}.`);
  }
}

/** 18 digits, more than a user's id has. It is a number because the demo apps' page picks a picture by it. */
const newGroupId = () => `9${[0, 1].map(() => String(randomInt(10 ** 9)).padStart(9, "0")).join("")}`.slice(0, 18) as RoomId;

const digestOf = (value: unknown) => createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);

/**
 * The room that an earlier call with the same clientRoomId started to create; undefined if there was no such call.
 * @throws ChatError CLIENT_ROOM_ID_REUSED if that call had other arguments
 */
function readClaim(claim: string | null, content: string): RoomId | undefined {
  if (claim === null) return undefined;
  const [id, earlier] = claim.split(" ");
  if (earlier !== content) throw refusal("CLIENT_ROOM_ID_REUSED");
  return id as RoomId;
}

/** @throws ChatError FORBIDDEN for rooms that are not groups */
function checkGroup(roomId: RoomId): void {
  if (isGroup(roomId)) return;
  throw refusal("FORBIDDEN", "Only groups can be renamed or left, or have members added or removed.");
}
