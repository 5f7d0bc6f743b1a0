import { type Channels, publish } from "../delivery/channels.js";
import { Feed } from "../delivery/feed.js";
import { badInput, refusal } from "../errors.js";
import type { RedisClient } from "../redis/connect.js";
import { channels, keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import { lookUpPage, type Page, type PageRequest } from "../relay.js";
import type { AcquaintanceStore } from "./acquaintance.store.js";

/** What is known of an invitation outside the group. */
export interface InvitationRecord {
  roomId: string;
  /** Who is invited. */
  userId: string;
  byId: string;
  /** Microseconds since 1970, by Redis's clock. */
  at: number;
  roomName: string;
  memberCount: number;
}

/** An invitation's place among a user's: when they were invited (µs), and where. */
export interface InvitationPlace {
  at: number;
  roomId: string;
}

/** Something has happened to the user's invitation to a room: a hint to look. */
export interface InvitationChangeRecord {
  roomId: string;
  userId: string;
}

/** Seconds that an invitation is open. */
export const LASTS = 30 * 24 * 3_600;
const MOST_OPEN = 50; // that one user has made
const MOST_TO_ONE = 10; // that one user has made to another
const MOST_RECEIVED = 500; // that a user has received
const YOUNG = 60_000_000; // µs within which what is counted may be an invitation that is just being made

/**
 * Invitations to groups. What counts is in the group's slot, where scripts decide between what is done at once. Two lists in other
 * slots follow it: what a user is invited to, and whom a user has invited. An invitation is in both before it is made, and until
 * after it has ended, so that what a crash leaves there is recognised as none.
 */
export class InvitationStore {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #channels: Channels;
  readonly #acquaintances: Pick<AcquaintanceStore, "blockersAmong">;
  readonly #charge: (userId: string, count: number) => Promise<void>;

  /** @param charge counts invitations towards a rate limit, and throws RATE_LIMITED */
  constructor(
    redis: RedisClient,
    scripts: Scripts,
    channels: Channels,
    acquaintances: Pick<AcquaintanceStore, "blockersAmong">,
    charge: (userId: string, count: number) => Promise<void>,
  ) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#channels = channels;
    this.#acquaintances = acquaintances;
    this.#charge = charge;
  }

  /**
   * Puts invitations into the lists before they are made, within the limits.
   * @throws ChatError FORBIDDEN, RATE_LIMITED; then nothing is left in the lists
   */
  async prepare(byId: string, roomId: string, userIds: string[]): Promise<void> {
    if (userIds.length === 0) return;
    const open = await this.ofRoom(roomId, userIds);
    const isNew = userIds.filter((id) => !open.some(({ userId }) => userId === id));
    if (isNew.length === 0) return;
    await this.#charge(byId, isNew.length);
    if ((await this.#count(byId, roomId, isNew)) !== "") {
      await this.#uncount(byId);
      const refused = await this.#count(byId, roomId, isNew);
      if (refused !== "") {
        const [, userId] = refused.split(" ");
        throw userId
          ? refusal("FORBIDDEN", `User ${userId} has ${MOST_TO_ONE} invitations of yours to answer.`)
          : refusal("FORBIDDEN", `You can have ${MOST_OPEN} open invitations to people you have not talked with.`);
      }
    }
    const listed = await Promise.all(
      isNew.map((id) => this.#scripts.run("invitation_list", [keys.invitations(id)], [roomId, MOST_RECEIVED, LASTS])),
    );
    const full = isNew.find((_, index) => listed[index] !== 1);
    if (full === undefined) return;
    await this.tidy(roomId, byId, isNew);
    throw refusal("FORBIDDEN", `User ${full} has ${MOST_RECEIVED} invitations to answer.`);
  }

  /**
   * Tells those who were invited, on all their devices. Where one of them has blocked the inviter in this moment, the invitation ends:
   * a block looks for invitations once it holds, and this looks for blocks once the invitations are there.
   */
  async made(roomId: string, byId: string, userIds: string[]): Promise<void> {
    if (userIds.length === 0) return;
    const invited = (await this.ofRoom(roomId, userIds)).filter((invitation) => invitation.byId === byId);
    // Once more: what ended at the same time may have taken it off the list.
    await Promise.all(invited.map(({ userId, at }) => this.#redis.zadd(keys.invitations(userId), "NX", at, roomId)));
    const open = invited.map(({ userId }) => userId);
    const blockers = await this.#acquaintances.blockersAmong(byId, open);
    await Promise.all(blockers.map((id) => this.end(roomId, id, byId)));
    await Promise.all(open.filter((id) => !blockers.includes(id)).map((userId) => this.#tell(userId, roomId)));
  }

  /** Ends a user's invitation to a room, or only one that a certain user made. */
  async end(roomId: string, userId: string, byId = ""): Promise<void> {
    const inviter = (await this.#scripts.run("invitation_end", [keys.invited(roomId)], [userId, byId])) as string;
    if (inviter !== "") await this.ended(roomId, userId, inviter);
    else if (byId === "") await this.#redis.zrem(keys.invitations(userId), roomId); // what a crash has left
  }

  /** Takes an invitation that has ended out of the lists, and tells the user. */
  async ended(roomId: string, userId: string, byId: string): Promise<void> {
    await this.tidy(roomId, byId, [userId]);
    await this.#tell(userId, roomId);
  }

  /** Takes invitations to a room out of the lists where they are not open. */
  async tidy(roomId: string, byId: string, userIds: string[]): Promise<void> {
    if (userIds.length === 0) return;
    const open = await this.ofRoom(roomId, userIds);
    const over = userIds.filter((id) => !open.some(({ userId }) => userId === id));
    await Promise.all(over.map((id) => this.#redis.zrem(keys.invitations(id), roomId)));
    if (over.length > 0) await this.#redis.zrem(keys.inviting(byId), ...over.map((id) => `${id} ${roomId}`));
  }

  /** A page of the user's open invitations, the newest first. */
  async page(userId: string, request: PageRequest<InvitationPlace>): Promise<Page<InvitationRecord>> {
    return lookUpPage(await this.#places(userId), request, newerFirst, async (places) => {
      const found = await Promise.all(places.map(({ roomId }) => this.look(roomId, userId)));
      const gone = places.filter((_, index) => !found[index]);
      if (gone.length > 0) await this.#drop(userId, gone);
      return places.map(({ at }, index) => found[index] && { ...found[index], at });
    });
  }

  /** The user's open invitation to a room; undefined where there is none. */
  async look(roomId: string, userId: string): Promise<InvitationRecord | undefined> {
    const roomKeys = [keys.meta(roomId), keys.members(roomId), keys.invited(roomId)];
    const answer = await this.#scripts.run("invitation_look", roomKeys, [userId, LASTS]);
    const [byId, at, roomName, memberCount] = answer as [string?, string?, string?, number?];
    if (byId === undefined) return undefined;
    return { roomId, userId, byId, at: Number(at), roomName: roomName ?? "", memberCount: memberCount ?? 0 };
  }

  /** Who is invited to a room, or those of the users who are; the newest invitation first. */
  async ofRoom(roomId: string, userIds?: string[]): Promise<Pick<InvitationRecord, "roomId" | "userId" | "byId" | "at">[]> {
    const entries = userIds
      ? (await this.#redis.hmget(keys.invited(roomId), ...userIds)).map((entry, index) => [userIds[index] as string, entry] as const)
      : Object.entries(await this.#redis.hgetall(keys.invited(roomId)));
    const invited = entries.flatMap(([userId, entry]) => {
      const [byId = "", at] = entry?.split(" ") ?? [];
      return at === undefined ? [] : [{ roomId, userId, byId, at: Number(at) }];
    });
    const since = invited.length > 0 ? (await this.#now()) - LASTS * 1_000_000 : 0;
    return invited.filter(({ at }) => at > since).sort((one, other) => other.at - one.at || Number(other.userId) - Number(one.userId));
  }

  /** Open invitations to a group: to its owner all, to other members their own, to others none. */
  async seenBy(viewerId: string, { id: roomId, name }: { id: string; name: string }): Promise<InvitationRecord[]> {
    const [role, memberCount, open] = await Promise.all([
      this.#redis.hget(keys.members(roomId), viewerId),
      this.#redis.hlen(keys.members(roomId)),
      this.ofRoom(roomId),
    ]);
    const seen = role === null ? [] : role.startsWith("OWNER ") ? open : open.filter(({ byId }) => byId === viewerId);
    return seen.map((invitation) => ({ ...invitation, roomName: name, memberCount }));
  }

  /** Ends the invitations that one of two users made to the other. */
  async endBetween(one: string, other: string): Promise<void> {
    await Promise.all(
      [
        [one, other],
        [other, one],
      ].map(async ([userId = "", byId = ""]) => {
        const rooms = await this.#redis.zrange(keys.invitations(userId), "0", "-1");
        await Promise.all(rooms.map((roomId) => this.end(roomId, userId, byId)));
      }),
    );
  }

  /** Ends all invitations that a user has received or made. */
  async endAllOf(userId: string): Promise<void> {
    for (const { roomId } of await this.#places(userId)) await this.end(roomId, userId);
    for (const [otherId, roomId] of await this.#counted(userId)) await this.end(roomId, otherId, userId);
  }

  /** The rooms to which the user's invitation begins, ends or changes. */
  async follow(userId: string): Promise<Feed<InvitationChangeRecord>> {
    const feed = new Feed<InvitationChangeRecord>();
    const stop = await this.#channels.subscribe(channels.user(userId), (payload) => {
      const { kind, roomId } = (payload ?? {}) as Record<string, unknown>;
      if (kind === "invitation.changed" && typeof roomId === "string") feed.push({ roomId, userId });
    });
    feed.onEnd(stop);
    return feed;
  }

  async #tell(userId: string, roomId: string): Promise<void> {
    await publish(this.#redis, channels.user(userId), { kind: "invitation.changed", roomId });
  }

  async #count(byId: string, roomId: string, userIds: string[]): Promise<string> {
    const args = [roomId, userIds.join(" "), MOST_OPEN, MOST_TO_ONE, LASTS];
    return (await this.#scripts.run("invitation_count", [keys.inviting(byId)], args)) as string;
  }

  /** Takes out of what a user's invitations are counted by those that a crash has left there. */
  async #uncount(byId: string): Promise<void> {
    const [counted, now] = await Promise.all([this.#counted(byId), this.#now()]);
    await Promise.all(
      counted.map(async ([userId, roomId, at]) => {
        if (at > now - YOUNG) return;
        const [open] = await this.ofRoom(roomId, [userId]);
        if (open?.byId !== byId) await this.#redis.zrem(keys.inviting(byId), `${userId} ${roomId}`);
      }),
    );
  }

  async #counted(byId: string): Promise<[userId: string, roomId: string, at: number][]> {
    const flat = await this.#redis.zrange(keys.inviting(byId), "0", "-1", "WITHSCORES");
    return pairs(flat).map(([entry, at]) => [...(entry.split(" ") as [string, string]), at]);
  }

  /** Takes what a crash has left out of the user's list, by its time; what is just being put there is younger. */
  async #drop(userId: string, places: InvitationPlace[]): Promise<void> {
    const now = await this.#now();
    const old = places.filter(({ at }) => at < now - YOUNG);
    await Promise.all(old.map(({ at }) => this.#redis.zremrangebyscore(keys.invitations(userId), at, at)));
  }

  /** Redis's time in µs. */
  async #now(): Promise<number> {
    const [seconds, micros] = await this.#redis.time();
    return Number(seconds) * 1_000_000 + Number(micros);
  }

  /** What the user is invited to by the list, the newest first. */
  async #places(userId: string): Promise<InvitationPlace[]> {
    const flat = await this.#redis.zrange(keys.invitations(userId), "0", "-1", "WITHSCORES");
    return pairs(flat)
      .map(([roomId, at]) => ({ roomId, at }))
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

/** @throws ChatError BAD_USER_INPUT that names the argument, for anything that encodeInvitationCursor did not make */
export function decodeInvitationCursor(cursor: string, argument: string): InvitationPlace {
  const [, at, roomId] = /^invitation:(\d{1,16}):([\w-]{1,64})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  const place = { at: Number(at), roomId: roomId ?? "" };
  if (encodeInvitationCursor(place) !== cursor) throw badInput(argument, "must be a cursor of `invitations`, as this API gave it.");
  return place;
}
