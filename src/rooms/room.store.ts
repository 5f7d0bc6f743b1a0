import { GENERAL, isGroup, isRoomId, pairOf, privatePair } from "../api/ids.js";
import { type Channels, publish } from "../log/channels.js";
import { Feed } from "../log/feed.js";
import type { FollowedRooms } from "../log/followed-rooms.js";
import { logKeys } from "../log/keys.js";
import { BEGINNING, encodePosition, type Position } from "../log/position.js";
import { ROOMS_AT_ONCE } from "../log/rooms-feed.js";
import { type Lenient, onceRedisAnswers, type RedisClient } from "../redis/connect.js";
import { userChannels, userKeys } from "../users/keys.js";
import { ChatError, refusal } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import { inPortions } from "../util/portions.js";
import type { AcquaintanceStore } from "./acquaintance.store.js";
import type { MemberStore } from "./member.store.js";
import type { RoomRecord } from "./room.js";

/** Events that servers publish on a user's channel. */
export type UserEvent =
  /** The room now accepts messages; its events start after `position`. */
  | { kind: "room.opened"; roomId: RoomId; position: Position }
  /** The room has its first message, sent at `since` (µs), which differs after the room was emptied; older servers omit it. */
  | { kind: "room.shown"; roomId: RoomId; since?: number }
  /** A hint that the user is now in the group. `joined` distinguishes one joining from another; older servers omit it. */
  | { kind: "room.joined"; roomId: RoomId; joined?: number };

const MOST_TOLD = 1_000; // appearances of rooms that a subscriber's feed remembers

const LOOKED_AT = 3; // newest messages to check in a room that a demo app announced and that is not open

/** The rooms, and access to them. */
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
   * Checks that the user is in the room, and may read and follow it.
   * @throws ChatError BAD_USER_INPUT for a string that cannot be a room id, NOT_A_MEMBER, NOT_FOUND
   */
  async check(roomId: RoomId, userId: UserId, argument = "roomId"): Promise<void> {
    if (await this.exists(roomId, userId, argument)) return;
    throw refusal("NOT_FOUND", `There is no room ${roomId}.${privatePair(roomId) ? " Create it with openPrivateRoom." : ""}`);
  }

  /**
   * Checks that the user may write to the room. Scripts that store something check it again themselves, atomically.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND; FORBIDDEN for a private room in which one user blocks the other
   */
  async checkWrite(roomId: RoomId, userId: UserId): Promise<void> {
    const other = privatePair(roomId)?.find((id) => id !== userId);
    const isAllowed = other === undefined ? undefined : this.#acquaintances.checkWrite(userId, other);
    isAllowed?.catch(() => {}); // an error of `check` takes precedence
    await this.check(roomId, userId);
    await isAllowed;
  }

  /**
   * Whether the room exists; the user must be in it.
   * @throws ChatError BAD_USER_INPUT for a string that cannot be a room id, NOT_A_MEMBER
   */
  async exists(roomId: RoomId, userId: UserId, _argument = "roomId"): Promise<boolean> {
    if (roomId === GENERAL) return true;
    const pair = privatePair(roomId);
    if (pair) {
      if (!pair.includes(userId)) throw refusal("NOT_A_MEMBER", roomId);
      return this.isOpen(roomId);
    }
    if (isGroup(roomId)) {
      if (await this.#members.has(roomId, userId)) return true;
      throw refusal("NOT_A_MEMBER", roomId); // also if the group does not exist: an id reveals nothing
    }
    return (await this.#redis.exists(logKeys.roomName(roomId))) === 1;
  }

  /** Whether the room exists and the user is in it; false for a string that cannot be a room id. */
  async isReadable(roomId: RoomId, userId: UserId): Promise<boolean> {
    try {
      return await this.exists(roomId, userId);
    } catch (error) {
      if (error instanceof ChatError) return false;
      throw error;
    }
  }

  /** The users among these who are in the room. */
  async membersAmong(roomId: RoomId, userIds: UserId[]): Promise<UserId[]> {
    const pair = privatePair(roomId);
    if (pair) return userIds.filter((id) => pair.includes(id));
    return isGroup(roomId) ? this.#members.among(roomId, userIds) : userIds;
  }

  /** The rooms with these ids; one round trip. The caller checks access. */
  async byIds(ids: readonly RoomId[]): Promise<RoomRecord[]> {
    return Promise.all(
      ids.map(async (id): Promise<RoomRecord> => {
        const userIds = privatePair(id);
        if (userIds) return { id, kind: "PRIVATE", userIds };
        if (isGroup(id)) {
          const [name, mayInvite] = await this.#redis.hmget(logKeys.meta(id), "name", "mayInvite");
          return { id, kind: "GROUP", name: name ?? `Room ${id}`, membersMayInvite: mayInvite === "1" };
        }
        // An existing database of a demo app may lack a name for room 0.
        const name = await this.#lenient(this.#redis.get(logKeys.roomName(id)), null);
        return { id, kind: "GENERAL", name: name ?? (id === GENERAL ? "General" : `Room ${id}`) };
      }),
    );
  }

  /** The ids of all rooms to which the user can subscribe. */
  async idsOf(userId: UserId): Promise<RoomId[]> {
    const rooms = await this.indexOf(userId);
    const isIn = await Promise.all(rooms.map((id) => !isGroup(id) || this.#isStillIn(id, userId)));
    return rooms.filter((_, index) => isIn[index]);
  }

  /**
   * Whether a room of `indexOf` is shown to the user. A private room is shown to the user who opened it, and to the other user from its
   * first message on. While a user blocks the other, the room is shown to the blocker only if they opened it or wrote there.
   * @param spoken whether the room is known to have had a message
   */
  async isListed(roomId: RoomId, userId: UserId, spoken: boolean): Promise<boolean> {
    if (isGroup(roomId)) return this.#isStillIn(roomId, userId);
    const other = privatePair(roomId)?.find((user) => user !== userId);
    if (other === undefined) return true;
    const [messages, opened, blocks, written] = await Promise.all([
      spoken ? 1 : this.#redis.exists(logKeys.room(roomId)),
      this.#redis.hexists(logKeys.meta(roomId), `opened:${userId}`),
      this.#acquaintances.blocks(userId, other),
      this.#redis.zlexcount(logKeys.own(roomId), `[${userId}:`, `(${userId};`), // `;` comes right after `:`
    ]);
    return opened > 0 || (messages > 0 && (!blocks || written > 0));
  }

  /** The ids in the user's list that can be rooms of this user. */
  async indexOf(userId: UserId): Promise<RoomId[]> {
    const joined = (await this.#lenient(this.#redis.smembers(userKeys.userRooms(userId)), [])) as RoomId[];
    return [...new Set([GENERAL, ...joined])].filter((id) => mayFollow(id, userId));
  }

  /** The maximum number of rooms that `indexOf` returns. */
  async countOf(userId: UserId): Promise<number> {
    return 1 + (await this.#lenient(this.#redis.scard(userKeys.userRooms(userId)), 0));
  }

  /** Whether the user is in a group of their list. If not, removes the entry, which an interrupted join or leave has left. */
  async #isStillIn(roomId: RoomId, userId: UserId): Promise<boolean> {
    const isIn = await this.#members.has(roomId, userId);
    if (!isIn) this.#members.unlist(roomId, userId).catch(() => {}); // the next check retries this
    return isIn;
  }

  /**
   * Opens the private room of two users. Both must exist. Idempotent.
   * @throws ChatError FORBIDDEN if the user has opened too many rooms, or the other user blocks them
   */
  async openPrivate(userId: UserId, otherId: UserId): Promise<RoomId> {
    if (await this.#acquaintances.blocks(otherId, userId)) throw refusal("FORBIDDEN", "You cannot write to this user.");
    const id = pairOf(userId, otherId);
    // The room exists once both users have it in their sets. The server notifies them first, so that their subscriptions to all rooms
    // include it before it exists. After a crash in between there is no room until the call is retried.
    const position = await this.#followed.position(id);
    await Promise.all([userId, otherId].map((user) => this.tell(user, { kind: "room.opened", roomId: id, position })));
    await this.#redis.hset(logKeys.meta(id), `opened:${userId}`, 1);
    await this.#members.enlistOpened(id, userId);
    await this.#redis.sadd(userKeys.userRooms(otherId), id);
    return id;
  }

  /**
   * Adds a private room to the lists of its two users if a demo app has not: the Flask app writes to a room without opening it. Only the
   * database counts: both users must have accounts, and one of them must have written one of the room's newest messages. The room is then
   * shown to them with its first message. After a crash, the next message completes this.
   * @param authorOf returns the author of a member of the room's sorted set
   * @returns whether this call opened the room
   */
  async openForDemos(roomId: RoomId, authorOf: (member: string, score: string) => UserId | undefined): Promise<boolean> {
    const pair = privatePair(roomId);
    if (!pair || (await this.isOpen(roomId))) return false;
    const names = await Promise.all(pair.map((id) => this.#lenient(this.#redis.hget(userKeys.user(id), "username"), null)));
    if (names.includes(null)) return false;
    const newest = await this.#lenient(this.#redis.zrevrange(logKeys.room(roomId), 0, LOOKED_AT - 1, "WITHSCORES"), []);
    const authors = newest.map((member, index) => (index % 2 === 0 ? authorOf(member, newest[index + 1] as string) : undefined));
    if (!authors.some((author) => author !== undefined && pair.includes(author))) return false;
    await Promise.all(pair.map((userId) => this.#redis.sadd(userKeys.userRooms(userId), roomId)));
    return true;
  }

  /**
   * Notifies both users of a private room that it has its first message, and then stores that it did. If this server dies in between, the
   * next send or a retry notifies them again. A subscriber gets repeated notifications only once.
   * @param since when the message was sent, in µs
   */
  async show(roomId: RoomId, since: number): Promise<void> {
    if (!(await this.isOpen(roomId))) return;
    await Promise.all((privatePair(roomId) ?? []).map((user) => this.tell(user, { kind: "room.shown", roomId, since })));
    await this.#redis.hset(logKeys.meta(roomId), "shown", 1);
  }

  /** Rooms that appear in the user's list from now on. */
  async followShown(userId: UserId): Promise<Feed<{ roomId: RoomId }>> {
    const feed = new Feed<{ roomId: RoomId }>();
    // A retried call announces a room again, which is not a new appearance.
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
   * Calls the listener for every room to which the user can subscribe: for existing rooms, and for rooms opened or joined later, with the
   * position at which their events start. For a group it also gets the position at which the user joined. A room may be reported again.
   * @returns a function that ends this, after the existing rooms have been reported
   */
  async onRooms(
    userId: UserId,
    listener: (roomId: RoomId, begins: Position | undefined, entrance?: Position) => void,
  ): Promise<() => void> {
    let wanted = true;
    const joined = async (roomId: RoomId) => {
      const entrance = await onceRedisAnswers(
        () => this.#members.entrance(roomId, userId),
        () => wanted,
      );
      if (entrance && wanted) listener(roomId, entrance, entrance);
    };
    // Listen for new rooms first and read the existing ones after that, so that no room is missed in between.
    const stopHearing = await this.#onUserEvent(userId, ({ roomId, ...event }) => {
      if (!mayFollow(roomId, userId)) return;
      if (isGroup(roomId))
        joined(roomId).catch(() => {}); // Redis refused; the next reconnect tries again
      // A demo app opens rooms without an announcement; then the first message reveals the room.
      else listener(roomId, event.kind === "room.opened" ? event.position : { roomId, ...BEGINNING });
    });
    // While the connection was down, this server missed rooms that opened.
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
        isGroup(id) ? ((await this.standing(id, userId)) ?? "out") : "open",
      );
      for (const [index, standing] of standings.entries()) {
        const id = ids[index] as RoomId;
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
   * The positions for a subscription to a group: its current one, and the one at which the user joined; undefined if the user is not a
   * member. The order of the reads matters: if the user is removed after the first, the event of the removal comes after that position.
   */
  async standing(roomId: RoomId, userId: UserId): Promise<{ now: Position; entrance: Position } | undefined> {
    const now = await this.#followed.position(roomId);
    const entrance = await this.#members.entrance(roomId, userId);
    return entrance && { now, entrance };
  }

  /** @returns a function that ends the subscription, once Redis has acknowledged it */
  #onUserEvent(userId: UserId, listener: (event: UserEvent) => void): Promise<() => void> {
    return this.#channels.subscribe(userChannels.user(userId), (payload) => {
      if (isUserEvent(payload)) listener(payload);
    });
  }

  /** The room's current position, encoded for clients. */
  async position(roomId: RoomId): Promise<string> {
    return encodePosition(await this.#followed.position(roomId));
  }

  /** Whether this is a private room that is in the sets of both users. */
  async isOpen(roomId: RoomId): Promise<boolean> {
    const pair = privatePair(roomId);
    if (!pair) return false;
    const known = await Promise.all(pair.map((user) => this.#lenient(this.#redis.sismember(userKeys.userRooms(user), roomId), 0)));
    return known.every((answer) => answer === 1);
  }

  /** Publishes an event of the user to all servers. */
  async tell(userId: UserId, event: UserEvent): Promise<void> {
    await publish(this.#redis, userChannels.user(userId), event);
  }
}

function isUserEvent(payload: unknown): payload is UserEvent {
  const { kind, roomId, position } = (payload ?? {}) as Partial<UserEvent & { position: Position }>;
  return (
    typeof roomId === "string" &&
    (kind === "room.shown" || kind === "room.joined" || (kind === "room.opened" && typeof position === "object"))
  );
}

/** Whether this can be a room of the user: named rooms are open to all, private rooms to the two users in their id, groups to members. */
const mayFollow = (roomId: RoomId, userId: UserId) => privatePair(roomId)?.includes(userId) ?? isRoomId(roomId);
