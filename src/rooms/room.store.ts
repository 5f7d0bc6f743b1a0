import { type Channels, publish } from "../delivery/channels.js";
import { Feed } from "../delivery/feed.js";
import type { FollowedRooms } from "../delivery/followed-rooms.js";
import { BEGINNING, encodePosition, type Position } from "../delivery/position.js";
import { ROOMS_AT_ONCE } from "../delivery/rooms-feed.js";
import { badInput, ChatError, refusal } from "../errors.js";
import { inPortions } from "../portions.js";
import { type Lenient, onceRedisAnswers, type RedisClient } from "../redis/connect.js";
import { channels, GENERAL, keys } from "../redis/keys.js";
import { isUserId } from "../users/user.store.js";
import { type AcquaintanceStore, pairOf } from "./acquaintance.store.js";
import { isGroup, type MemberStore } from "./member.store.js";

/** What a room is: open to everyone under a name, between two users, or for its members. */
export type RoomRecord =
  | { id: string; kind: "GENERAL"; name: string }
  | { id: string; kind: "PRIVATE"; userIds: [string, string] }
  | { id: string; kind: "GROUP"; name: string; membersMayInvite: boolean };

/** What is published on a user's channel. */
export type UserEvent =
  /** The room can be written to from now on; its events begin after `position`. */
  | { kind: "room.opened"; roomId: string; position: Position }
  /** The room has its first message, since when (µs) tells one from a later one, should it be emptied; older servers do not say it. */
  | { kind: "room.shown"; roomId: string; since?: number }
  /** The user is in the group now: a hint to look. `joined` tells one coming in from another; older servers do not say it. */
  | { kind: "room.joined"; roomId: string; joined?: number };

const MOST_TOLD = 1_000; // appearances of rooms that a follower's feed remembers

const LOOKED_AT = 3; // newest messages of a room of which a demo app told, and which is not open

/** The rooms, and who may be in them. */
export class RoomStore {
  readonly #redis: RedisClient;
  readonly #followed: Pick<FollowedRooms<unknown>, "position">;
  readonly #channels: Channels;
  readonly #lenient: Lenient;
  readonly #members: MemberStore;
  readonly #acquaintances: Pick<AcquaintanceStore, "blocks" | "checkWrite">;

  constructor(
    redis: RedisClient,
    followed: Pick<FollowedRooms<unknown>, "position">,
    channels: Channels,
    lenient: Lenient,
    members: MemberStore,
    acquaintances: Pick<AcquaintanceStore, "blocks" | "checkWrite">,
  ) {
    this.#redis = redis;
    this.#followed = followed;
    this.#channels = channels;
    this.#lenient = lenient;
    this.#members = members;
    this.#acquaintances = acquaintances;
  }

  /**
   * Makes sure that the user may read, follow and write the room.
   * @throws ChatError BAD_USER_INPUT for what cannot be a room's id, NOT_A_MEMBER, NOT_FOUND
   */
  async check(userId: string, roomId: string, argument = "roomId"): Promise<void> {
    if (await this.exists(userId, roomId, argument)) return;
    throw refusal("NOT_FOUND", `There is no room ${roomId}.${privatePair(roomId) ? " openPrivateRoom makes it." : ""}`);
  }

  /**
   * Makes sure that the user may write to the room. Scripts that store something look at it themselves, in the same step.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND; FORBIDDEN for a private room in which one of the two blocks the other
   */
  async checkWrite(userId: string, roomId: string): Promise<void> {
    const other = privatePair(roomId)?.find((id) => id !== userId);
    const isAllowed = other === undefined ? undefined : this.#acquaintances.checkWrite(userId, other);
    isAllowed?.catch(() => {}); // that they are not in the room comes first
    await this.check(userId, roomId);
    await isAllowed;
  }

  /**
   * Whether there is such a room for the user.
   * @throws ChatError BAD_USER_INPUT for what cannot be a room's id, NOT_A_MEMBER
   */
  async exists(userId: string, roomId: string, argument = "roomId"): Promise<boolean> {
    if (roomId === GENERAL) return true;
    const pair = privatePair(roomId);
    if (pair) {
      if (!pair.includes(userId)) throw refusal("NOT_A_MEMBER", roomId);
      return this.isOpen(roomId);
    }
    if (!isRoomId(roomId)) throw badInput(argument, "must be the id of a room, such as 0 or 1:2.");
    if (isGroup(roomId)) {
      if (await this.#members.has(roomId, userId)) return true;
      throw refusal("NOT_A_MEMBER", roomId); // of one that is not there, too: an id tells nothing
    }
    return (await this.#redis.exists(keys.roomName(roomId))) === 1;
  }

  /** Whether there is such a room and the user is in it; for any text. */
  async isReadable(userId: string, roomId: string): Promise<boolean> {
    try {
      return await this.exists(userId, roomId);
    } catch (error) {
      if (error instanceof ChatError) return false;
      throw error;
    }
  }

  /** Those of the users who are in the room. */
  async membersAmong(roomId: string, userIds: string[]): Promise<string[]> {
    const pair = privatePair(roomId);
    if (pair) return userIds.filter((id) => pair.includes(id));
    return isGroup(roomId) ? this.#members.among(roomId, userIds) : userIds;
  }

  /** The rooms with these ids, without a look at who asks; one round trip. */
  async byIds(ids: readonly string[]): Promise<RoomRecord[]> {
    return Promise.all(
      ids.map(async (id): Promise<RoomRecord> => {
        const userIds = privatePair(id);
        if (userIds) return { id, kind: "PRIVATE", userIds };
        if (isGroup(id)) {
          const [name, mayInvite] = await this.#redis.hmget(keys.meta(id), "name", "mayInvite");
          return { id, kind: "GROUP", name: name ?? `Room ${id}`, membersMayInvite: mayInvite === "1" };
        }
        // A demo app's database may have no name for room 0.
        const name = await this.#lenient(this.#redis.get(keys.roomName(id)), null);
        return { id, kind: "GENERAL", name: name ?? (id === GENERAL ? "General" : `Room ${id}`) };
      }),
    );
  }

  /** The ids of all rooms that the user can follow. */
  async idsOf(userId: string): Promise<string[]> {
    const rooms = await this.indexOf(userId);
    const isIn = await Promise.all(rooms.map((id) => !isGroup(id) || this.#isStillIn(userId, id)));
    return rooms.filter((_, index) => isIn[index]);
  }

  /**
   * Whether a room of `indexOf` is shown to the user. A private room is shown to a user who opened it, and to the other one with its
   * first message; but while a user blocks the other, only if that user opened it or wrote there.
   * @param spoken whether it is known that something was said in it
   */
  async isListed(userId: string, roomId: string, spoken: boolean): Promise<boolean> {
    if (isGroup(roomId)) return this.#isStillIn(userId, roomId);
    const other = privatePair(roomId)?.find((user) => user !== userId);
    if (other === undefined) return true;
    const [messages, opened, blocks, written] = await Promise.all([
      spoken ? 1 : this.#redis.exists(keys.room(roomId)),
      this.#redis.hexists(keys.meta(roomId), `opened:${userId}`),
      this.#acquaintances.blocks(userId, other),
      this.#redis.zlexcount(keys.own(roomId), `[${userId}:`, `(${userId};`), // `;` comes right after `:`
    ]);
    return opened > 0 || (messages > 0 && (!blocks || written > 0));
  }

  /** The ids in the user's list that can be a room of theirs. */
  async indexOf(userId: string): Promise<string[]> {
    const joined = await this.#lenient(this.#redis.smembers(keys.userRooms(userId)), []);
    return [...new Set([GENERAL, ...joined])].filter((id) => mayFollow(userId, id));
  }

  /** How many rooms `indexOf` gives, at most. */
  async countOf(userId: string): Promise<number> {
    return 1 + (await this.#lenient(this.#redis.scard(keys.userRooms(userId)), 0));
  }

  /** Whether the user is in a group of their list. What was cut off on the way in or out is taken off the list. */
  async #isStillIn(userId: string, roomId: string): Promise<boolean> {
    const isIn = await this.#members.has(roomId, userId);
    if (!isIn) this.#members.unlist(userId, roomId).catch(() => {}); // the next look does so
    return isIn;
  }

  /**
   * Opens the private room of two users; again is fine. Both must exist.
   * @throws ChatError FORBIDDEN where the user has opened too many rooms, or the other one blocks them
   */
  async openPrivate(userId: string, otherId: string): Promise<string> {
    if (await this.#acquaintances.blocks(otherId, userId)) throw refusal("FORBIDDEN", "You cannot write to this user.");
    const id = pairOf(userId, otherId);
    // The room exists once both users have it in their sets. They are told before, so that by then everyone who follows
    // all of their rooms knows of it; a crash in between leaves no room, until the call is made again.
    const position = await this.#followed.position(id);
    await Promise.all([userId, otherId].map((user) => this.tell(user, { kind: "room.opened", roomId: id, position })));
    await this.#redis.hset(keys.meta(id), `opened:${userId}`, 1);
    await this.#members.enlistOpened(userId, id);
    await this.#redis.sadd(keys.userRooms(otherId), id);
    return id;
  }

  /**
   * Puts a private room into the lists of its two users where a demo app has not: the Flask app writes into a room without opening
   * it. Only what is in the database counts: both must have accounts, and one of them must have said something there lately. They are
   * shown the room afterwards, with its first message; what was cut off is done by the next message.
   * @param authorOf says who wrote a member of the room
   * @returns whether it was opened now
   */
  async openForDemos(roomId: string, authorOf: (member: string, score: string) => string | undefined): Promise<boolean> {
    const pair = privatePair(roomId);
    if (!pair || (await this.isOpen(roomId))) return false;
    const names = await Promise.all(pair.map((id) => this.#lenient(this.#redis.hget(keys.user(id), "username"), null)));
    if (names.includes(null)) return false;
    const newest = await this.#lenient(this.#redis.zrevrange(keys.room(roomId), 0, LOOKED_AT - 1, "WITHSCORES"), []);
    const authors = newest.map((member, index) => (index % 2 === 0 ? authorOf(member, newest[index + 1] as string) : undefined));
    if (!authors.some((author) => author !== undefined && pair.includes(author))) return false;
    await Promise.all(pair.map((userId) => this.#redis.sadd(keys.userRooms(userId), roomId)));
    return true;
  }

  /**
   * Tells both users of a private room that it has its first message. Only then is it noted: should this server die before, whoever
   * sends next tells them, or repeats the send. A follower who hears it twice is told once.
   * @param since when the message was sent, in µs
   */
  async show(roomId: string, since: number): Promise<void> {
    if (!(await this.isOpen(roomId))) return;
    await Promise.all((privatePair(roomId) ?? []).map((user) => this.tell(user, { kind: "room.shown", roomId, since })));
    await this.#redis.hset(keys.meta(roomId), "shown", 1);
  }

  /** The rooms that appear in the user's list from now on. */
  async followShown(userId: string): Promise<Feed<{ roomId: string }>> {
    const feed = new Feed<{ roomId: string }>();
    // Told of again by a call that is repeated, a room has not appeared again.
    const told = new Set<string>();
    const isNew = (event: UserEvent) => {
      if (event.kind === "room.opened") return false;
      const since = event.kind === "room.shown" ? event.since : event.joined;
      if (since === undefined) return true;
      const appearance = `${event.roomId} ${since}`;
      if (told.has(appearance)) return false;
      told.add(appearance);
      const [oldest] = told;
      if (told.size > MOST_TOLD && oldest !== undefined) told.delete(oldest);
      return true;
    };
    feed.onEnd(await this.#onUserEvent(userId, (event) => isNew(event) && feed.push({ roomId: event.roomId })));
    return feed;
  }

  /**
   * Tells of every room that the user can follow: those there are, and those opened or joined later with the position at which
   * their events begin. A room may be told of again. Of a group it is also told where the user came in.
   * @returns a function that ends it, once those there are have been told of
   */
  async onRooms(
    userId: string,
    listener: (roomId: string, begins: Position | undefined, entrance?: Position) => void,
  ): Promise<() => void> {
    let wanted = true;
    const joined = async (roomId: string) => {
      const entrance = await onceRedisAnswers(
        () => this.#members.entrance(roomId, userId),
        () => wanted,
      );
      if (entrance && wanted) listener(roomId, entrance, entrance);
    };
    // First hear of rooms that open, then read which there are: no room can fall in between.
    const stopHearing = await this.#onUserEvent(userId, ({ roomId, ...event }) => {
      if (!mayFollow(userId, roomId)) return;
      if (isGroup(roomId))
        joined(roomId).catch(() => {}); // Redis refused: the next connection looks again
      // A demo app opens rooms without a word; then the first message tells of it.
      else listener(roomId, event.kind === "room.opened" ? event.position : { roomId, ...BEGINNING });
    });
    // What opened while the connection was down was not heard.
    const stopWatching = this.#channels.onReconnect(async () => {
      const ids = await onceRedisAnswers(
        () => this.indexOf(userId),
        () => wanted,
      );
      await Promise.all((ids ?? []).map((id) => (isGroup(id) ? joined(id) : listener(id, { roomId: id, ...BEGINNING }))));
    });
    const stop = () => {
      wanted = false;
      stopHearing();
      stopWatching();
    };
    try {
      const ids = await this.indexOf(userId);
      const standings = await inPortions(ids, ROOMS_AT_ONCE, async (id) =>
        isGroup(id) ? ((await this.standing(userId, id)) ?? "out") : "open",
      );
      for (const [index, standing] of standings.entries()) {
        const id = ids[index] as string;
        if (standing === "open") listener(id, undefined);
        else if (standing !== "out") listener(id, standing.now, standing.entrance);
      }
      return stop;
    } catch (error) {
      stop();
      throw error;
    }
  }

  /**
   * Where to follow a group from: where it stands now, and where the user came in; undefined for who is not in it. In this
   * order: whoever is removed after the first was read is told so by an event behind it.
   */
  async standing(userId: string, roomId: string): Promise<{ now: Position; entrance: Position } | undefined> {
    const now = await this.#followed.position(roomId);
    const entrance = await this.#members.entrance(roomId, userId);
    return entrance && { now, entrance };
  }

  /** @returns a function that ends it, once Redis has acknowledged */
  #onUserEvent(userId: string, listener: (event: UserEvent) => void): Promise<() => void> {
    return this.#channels.subscribe(channels.user(userId), (payload) => {
      if (isUserEvent(payload)) listener(payload);
    });
  }

  /** Where the room's events stand now, as clients are given it. */
  async position(roomId: string): Promise<string> {
    return encodePosition(await this.#followed.position(roomId));
  }

  /** Whether this is a private room that both users have in their sets. */
  async isOpen(roomId: string): Promise<boolean> {
    const pair = privatePair(roomId);
    if (!pair) return false;
    const known = await Promise.all(pair.map((user) => this.#lenient(this.#redis.sismember(keys.userRooms(user), roomId), 0)));
    return known.every((answer) => answer === 1);
  }

  /** Tells all servers what concerns the user. */
  async tell(userId: string, event: UserEvent): Promise<void> {
    await publish(this.#redis, channels.user(userId), event);
  }
}

function isUserEvent(payload: unknown): payload is UserEvent {
  const { kind, roomId, position } = (payload ?? {}) as Partial<UserEvent & { position: Position }>;
  return (
    typeof roomId === "string" &&
    (kind === "room.shown" || kind === "room.joined" || (kind === "room.opened" && typeof position === "object"))
  );
}

/** Whether it can be a room of the user: named rooms are open to all, private ones to the two in their id, groups to their members. */
const mayFollow = (userId: string, roomId: string) => privatePair(roomId)?.includes(userId) ?? isRoomId(roomId);

/** Whether this has the form of a named room's id, which is never that of a user's: ids are unique whatever their type. */
export const isRoomId = (id: string) => /^[\w-]{1,64}$/.test(id) && !isUserId(id);

/** The two users of a private room, by its id: their ids, the lower one first; undefined for any other id. */
export function privatePair(roomId: string): [string, string] | undefined {
  const [, low, high] = /^([1-9]\d{0,14}):([1-9]\d{0,14})$/.exec(roomId) ?? [];
  return low !== undefined && high !== undefined && Number(low) < Number(high) ? [low, high] : undefined;
}
