import { lookUpPage, type Page, type PageRequest } from "../api/relay.js";
import { type Channels, publish } from "../log/channels.js";
import { Feed } from "../log/feed.js";
import { logKeys } from "../log/keys.js";
import type { RedisClient } from "../redis/connect.js";
import type { ScriptCalls, Scripts } from "../redis/scripts.js";
import type { AcquaintanceStore } from "../rooms/acquaintance.store.js";
import { roomKeys } from "../rooms/keys.js";
import { userChannels } from "../users/keys.js";
import { badInput, refusal } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import { invitationKeys } from "./keys.js";

/** The part of an invitation that is visible outside the group. */
export interface InvitationRecord {
  roomId: RoomId;
  /** The invited user. */
  userId: UserId;
  byId: UserId;
  /** Microseconds since 1970, by Redis's clock. */
  at: number;
  roomName: string;
  memberCount: number;
}

/** An invitation's place among those of a user: when (µs) and to which room they were invited. */
export interface InvitationPlace {
  at: number;
  roomId: RoomId;
}

/** A hint that the user's invitation to a room has changed. */
export interface InvitationChangeRecord {
  roomId: RoomId;
  userId: UserId;
}

/** Seconds until an invitation expires. */
export const LASTS = 30 * 24 * 3_600;
const MOST_OPEN = 50; // open invitations by one user
const MOST_TO_ONE = 10; // open invitations by one user to one other user
const MOST_RECEIVED = 500; // open invitations of one invited user
const YOUNG = 60_000_000; // µs within which a list entry may belong to an invitation that is still being made

/**
 * Invitations to groups. The authoritative data is in the group's slot, where scripts decide between concurrent calls. Two lists in other
 * slots follow it: the invitations that a user has received, and those that a user has made. An invitation is in both lists before it is
 * made and until after it has ended, so that readers recognise an entry that a crash left behind.
 */
export class InvitationStore {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #channels: Channels;
  readonly #acquaintances: Pick<AcquaintanceStore, "blockersAmong">;
  readonly #charge: (userId: UserId, count: number) => Promise<void>;

  /** @param charge counts invitations towards a rate limit, and throws RATE_LIMITED */
  constructor(
    redis: RedisClient,
    scripts: Scripts,
    channels: Channels,
    acquaintances: Pick<AcquaintanceStore, "blockersAmong">,
    charge: (userId: UserId, count: number) => Promise<void>,
  ) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#channels = channels;
    this.#acquaintances = acquaintances;
    this.#charge = charge;
  }

  /**
   * Adds invitations to the lists before they are made, within the limits.
   * @throws ChatError FORBIDDEN, RATE_LIMITED; then the lists are unchanged
   */
  async prepare(roomId: RoomId, byId: UserId, userIds: UserId[]): Promise<void> {
    if (userIds.length === 0) return;
    const open = await this.ofRoom(roomId, userIds);
    const isNew = userIds.filter((id) => !open.some(({ userId }) => userId === id));
    if (isNew.length === 0) return;
    await this.#charge(byId, isNew.length);
    if ((await this.#count(roomId, byId, isNew)) !== "") {
      await this.#uncount(byId);
      const refused = await this.#count(roomId, byId, isNew);
      if (refused !== "") {
        const [, userId] = refused.split(" ");
        throw userId
          ? refusal("FORBIDDEN", `User ${userId} has ${MOST_TO_ONE} open invitations from you. Withdraw one, or wait for an answer.`)
          : refusal("FORBIDDEN", `You can have at most ${MOST_OPEN} open invitations. Withdraw some, or wait for answers.`);
      }
    }
    const args = { roomId, most: MOST_RECEIVED, lasts: LASTS };
    const listed = await Promise.all(
      isNew.map((id) => this.#scripts.run("invitation_list", { invitations: invitationKeys.invitations(id) }, args)),
    );
    const full = isNew.find((_, index) => listed[index] !== 1);
    if (full === undefined) return;
    await this.tidy(roomId, byId, isNew);
    throw refusal("FORBIDDEN", `User ${full} has ${MOST_RECEIVED} open invitations, the maximum. Try again later.`);
  }

  /**
   * Notifies the invited users on all their devices. If one of them has just blocked the inviter, the invitation ends: a block looks for
   * invitations once it is stored, and this looks for blocks once the invitations are stored.
   */
  async made(roomId: RoomId, byId: UserId, userIds: UserId[]): Promise<void> {
    if (userIds.length === 0) return;
    const invited = (await this.ofRoom(roomId, userIds)).filter((invitation) => invitation.byId === byId);
    // List it again: an invitation that ended at the same time may have removed it from the list.
    await Promise.all(invited.map(({ userId, at }) => this.#redis.zadd(invitationKeys.invitations(userId), "NX", at, roomId)));
    const open = invited.map(({ userId }) => userId);
    const blockers = await this.#acquaintances.blockersAmong(byId, open);
    await Promise.all(blockers.map((id) => this.end(roomId, id, byId)));
    await Promise.all(open.filter((id) => !blockers.includes(id)).map((userId) => this.#tell(roomId, userId)));
  }

  /** Ends a user's invitation to a room; with `byId`, only an invitation by that user. */
  async end(roomId: RoomId, userId: UserId, byId = ""): Promise<void> {
    const inviter = await this.#scripts.run("invitation_end", { invited: invitationKeys.invited(roomId) }, { user: userId, by: byId });
    if (inviter !== "") await this.ended(roomId, userId, inviter as UserId);
    else if (byId === "") await this.#redis.zrem(invitationKeys.invitations(userId), roomId); // a crash may have left it
  }

  /** Removes an invitation that has ended from the lists, and notifies the user. */
  async ended(roomId: RoomId, userId: UserId, byId: UserId): Promise<void> {
    await this.tidy(roomId, byId, [userId]);
    await this.#tell(roomId, userId);
  }

  /** Removes invitations to a room from the lists unless they are open. */
  async tidy(roomId: RoomId, byId: UserId, userIds: UserId[]): Promise<void> {
    if (userIds.length === 0) return;
    const open = await this.ofRoom(roomId, userIds);
    const over = userIds.filter((id) => !open.some(({ userId }) => userId === id));
    await Promise.all(over.map((id) => this.#redis.zrem(invitationKeys.invitations(id), roomId)));
    if (over.length > 0) await this.#redis.zrem(invitationKeys.inviting(byId), ...over.map((id) => `${id} ${roomId}`));
  }

  /** A page of the user's open invitations, newest first. */
  async page(userId: UserId, request: PageRequest<InvitationPlace>): Promise<Page<InvitationRecord>> {
    return lookUpPage(await this.#places(userId), request, newerFirst, async (places) => {
      const found = await Promise.all(places.map(({ roomId }) => this.look(roomId, userId)));
      const gone = places.filter((_, index) => !found[index]);
      if (gone.length > 0) await this.#drop(userId, gone);
      return places.map(({ at }, index) => found[index] && { ...found[index], at });
    });
  }

  /** The user's open invitation to a room; undefined if there is none. */
  async look(roomId: RoomId, userId: UserId): Promise<InvitationRecord | undefined> {
    const itsKeys = { meta: logKeys.meta(roomId), members: roomKeys.members(roomId), invited: invitationKeys.invited(roomId) };
    const answer = await this.#scripts.run("invitation_look", itsKeys, { user: userId, lasts: LASTS });
    if (answer.length === 0) return undefined;
    const [byId, at, roomName, memberCount] = answer;
    return { roomId, userId, byId: byId as UserId, at: Number(at), roomName, memberCount };
  }

  /** The open invitations to a room, of all users or of the given ones; newest first. */
  async ofRoom(roomId: RoomId, userIds?: UserId[]): Promise<Pick<InvitationRecord, "roomId" | "userId" | "byId" | "at">[]> {
    const entries = userIds
      ? (await this.#redis.hmget(invitationKeys.invited(roomId), ...userIds)).map(
          (entry, index) => [userIds[index] as string, entry] as const,
        )
      : Object.entries(await this.#redis.hgetall(invitationKeys.invited(roomId)));
    const invited = entries.flatMap(([userId, entry]) => {
      const [byId = "", at] = entry?.split(" ") ?? [];
      return at === undefined ? [] : [{ roomId, userId: userId as UserId, byId: byId as UserId, at: Number(at) }];
    });
    const since = invited.length > 0 ? (await this.#now()) - LASTS * 1_000_000 : 0;
    return invited.filter(({ at }) => at > since).sort((one, other) => other.at - one.at || Number(other.userId) - Number(one.userId));
  }

  /** The open invitations to a group that a user sees: the owner all, other members those that they made, others none. */
  async seenBy(viewerId: UserId, { id: roomId, name }: { id: RoomId; name: string }): Promise<InvitationRecord[]> {
    const [role, memberCount, open] = await Promise.all([
      this.#redis.hget(roomKeys.members(roomId), viewerId),
      this.#redis.hlen(roomKeys.members(roomId)),
      this.ofRoom(roomId),
    ]);
    const seen = role === null ? [] : role.startsWith("OWNER ") ? open : open.filter(({ byId }) => byId === viewerId);
    return seen.map((invitation) => ({ ...invitation, roomName: name, memberCount }));
  }

  /** Ends the invitations between two users, in both directions. */
  async endBetween(one: UserId, other: UserId): Promise<void> {
    await Promise.all(
      (
        [
          [one, other],
          [other, one],
        ] as const
      ).map(async ([userId, byId]) => {
        const rooms = (await this.#redis.zrange(invitationKeys.invitations(userId), "0", "-1")) as RoomId[];
        await Promise.all(rooms.map((roomId) => this.end(roomId, userId, byId)));
      }),
    );
  }

  /** Ends all invitations that a user has received or made. */
  async endAllOf(userId: UserId): Promise<void> {
    for (const { roomId } of await this.#places(userId)) await this.end(roomId, userId);
    for (const [otherId, roomId] of await this.#counted(userId)) await this.end(roomId, otherId, userId);
  }

  /** The changes of the user's invitations, as they happen. */
  async follow(userId: UserId): Promise<Feed<InvitationChangeRecord>> {
    const feed = new Feed<InvitationChangeRecord>();
    const stop = await this.#channels.subscribe(userChannels.user(userId), (payload) => {
      const { kind, roomId } = (payload ?? {}) as Record<string, unknown>;
      if (kind === "invitation.changed" && typeof roomId === "string") feed.push({ roomId: roomId as RoomId, userId });
    });
    feed.onEnd(stop);
    return feed;
  }

  async #tell(roomId: RoomId, userId: UserId): Promise<void> {
    await publish(this.#redis, userChannels.user(userId), { kind: "invitation.changed", roomId });
  }

  #count(roomId: RoomId, byId: UserId, users: string[]): Promise<ScriptCalls["invitation_count"]["result"]> {
    const args = { roomId, users, most: MOST_OPEN, mostEach: MOST_TO_ONE, lasts: LASTS };
    return this.#scripts.run("invitation_count", { inviting: invitationKeys.inviting(byId) }, args);
  }

  /** Removes entries that a crash left behind from the list by which a user's invitations are counted. */
  async #uncount(byId: UserId): Promise<void> {
    const [counted, now] = await Promise.all([this.#counted(byId), this.#now()]);
    await Promise.all(
      counted.map(async ([userId, roomId, at]) => {
        if (at > now - YOUNG) return;
        const [open] = await this.ofRoom(roomId, [userId]);
        if (open?.byId !== byId) await this.#redis.zrem(invitationKeys.inviting(byId), `${userId} ${roomId}`);
      }),
    );
  }

  async #counted(byId: UserId): Promise<[userId: UserId, roomId: RoomId, at: number][]> {
    const flat = await this.#redis.zrange(invitationKeys.inviting(byId), "0", "-1", "WITHSCORES");
    return pairs(flat).map(([entry, at]) => [...(entry.split(" ") as [UserId, RoomId]), at]);
  }

  /** Removes old entries that a crash left behind from the user's list, by their time. Entries that are still being made are younger. */
  async #drop(userId: UserId, places: InvitationPlace[]): Promise<void> {
    const now = await this.#now();
    const old = places.filter(({ at }) => at < now - YOUNG);
    await Promise.all(old.map(({ at }) => this.#redis.zremrangebyscore(invitationKeys.invitations(userId), at, at)));
  }

  /** Redis's time in µs. */
  async #now(): Promise<number> {
    const [seconds, micros] = await this.#redis.time();
    return Number(seconds) * 1_000_000 + Number(micros);
  }

  /** The places in the user's list of invitations, newest first. */
  async #places(userId: UserId): Promise<InvitationPlace[]> {
    const flat = await this.#redis.zrange(invitationKeys.invitations(userId), "0", "-1", "WITHSCORES");
    return pairs(flat)
      .map(([roomId, at]) => ({ roomId: roomId as RoomId, at }))
      .sort(newerFirst);
  }
}

/** Members of a sorted set with their scores. */
const pairs = (flat: string[]) =>
  flat.flatMap((member, index) => (index % 2 === 0 ? [[member, Number(flat[index + 1])] as [string, number]] : []));

const newerFirst = (one: InvitationPlace, other: InvitationPlace) => other.at - one.at || other.roomId.localeCompare(one.roomId);

/** The opaque string that clients get. */
export function encodeInvitationCursor({ at, roomId }: InvitationPlace): string {
  return Buffer.from(`invitation:${at}:${roomId}`).toString("base64url");
}

/** @throws ChatError BAD_USER_INPUT that names the argument, for any string that encodeInvitationCursor did not return */
export function decodeInvitationCursor(cursor: string, argument: string): InvitationPlace {
  const [, at, roomId] = /^invitation:(\d{1,16}):([\w-]{1,64})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  const place = { at: Number(at), roomId: (roomId ?? "") as RoomId };
  if (encodeInvitationCursor(place) !== cursor) throw badInput(argument, "must be a cursor that `invitations` returned.");
  return place;
}
