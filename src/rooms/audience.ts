import type { Channels } from "../log/channels.js";
import { Feed } from "../log/feed.js";
import { logChannels } from "../log/keys.js";
import { onceRedisAnswers } from "../redis/connect.js";
import { refusal } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import type { RoomStore } from "./room.store.js";

/** The subscribers to what a room publishes on its channel without storing it in its log. */
export interface Audience<Told extends object, State> {
  readonly roomId: RoomId;
  /** The feeds of subscribers, with their user ids. */
  readonly feeds: Map<Feed<Told>, UserId>;
  /** The room's state, kept while it has subscribers. */
  readonly state: State;
  /** Whether there are subscribers, including those that still wait for Redis to acknowledge. */
  readonly isWanted: boolean;
}

interface Followed<Told extends object, State> extends Audience<Told, State> {
  /** All feeds with their user ids, including those that still join. */
  readonly holders: Map<Feed<Told>, UserId>;
  /** Resolves, once Redis has acknowledged, to a function that ends the subscription to the channel. */
  readonly listening: Promise<() => void>;
}

/** The audiences of rooms on this server. A member who leaves a room leaves its audience. */
export class Audiences<Told extends object, State> implements Iterable<Audience<Told, State>> {
  readonly #channels: Channels;
  readonly #rooms: RoomStore;
  readonly #begin: () => State;
  readonly #onHeard: (audience: Audience<Told, State>, payload: unknown) => void;
  readonly #followed = new Map<RoomId, Followed<Told, State>>();
  readonly #stopHearing: () => void;

  /**
   * @param begin returns the initial state of a room
   * @param onHeard called for each message on a room's channel, which may come from any client of this Redis
   * @param onReconnect called when this server may have missed messages
   */
  constructor(
    channelsOfRedis: Channels,
    rooms: RoomStore,
    begin: () => State,
    onHeard: (audience: Audience<Told, State>, payload: unknown) => void,
    onReconnect: () => void = () => {},
  ) {
    this.#channels = channelsOfRedis;
    this.#rooms = rooms;
    this.#begin = begin;
    this.#onHeard = onHeard;
    this.#stopHearing = channelsOfRedis.onReconnect(async () => {
      this.#checkAll();
      onReconnect();
    });
  }

  close(): void {
    this.#stopHearing();
  }

  [Symbol.iterator](): Iterator<Audience<Told, State>> {
    return this.#followed.values();
  }

  /**
   * Adds a user to a room's audience. The feed joins those that get messages unless it ends before.
   * @param ready awaited once this server listens to the channel
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND; any error that `ready` throws
   */
  async join(
    roomId: RoomId,
    userId: UserId,
    ready: (audience: Audience<Told, State>) => Promise<void> = async () => {},
  ): Promise<{ feed: Feed<Told>; audience: Audience<Told, State> }> {
    await this.#rooms.check(roomId, userId);
    const audience = this.#followed.get(roomId) ?? this.#open(roomId);
    const feed = new Feed<Told>();
    audience.holders.set(feed, userId);
    feed.onEnd(() => this.#leave(audience, feed));
    try {
      await audience.listening;
      await ready(audience);
      // Check again: from here on, the channel reports the user's removal.
      await this.#rooms.check(roomId, userId);
    } catch (error) {
      feed.end();
      throw error;
    }
    if (!feed.ended) audience.feeds.set(feed, userId);
    return { feed, audience };
  }

  #open(roomId: RoomId): Followed<Told, State> {
    const holders = new Map<Feed<Told>, UserId>();
    const audience: Followed<Told, State> = {
      roomId,
      holders,
      feeds: new Map(),
      state: this.#begin(),
      get isWanted() {
        return holders.size > 0;
      },
      listening: this.#channels.subscribe(logChannels.room(roomId), (payload) => this.#heard(audience, payload)),
    };
    audience.listening.catch(() => {}); // `join` reports the error
    this.#followed.set(roomId, audience);
    return audience;
  }

  #leave(audience: Followed<Told, State>, feed: Feed<Told>): void {
    const { roomId, holders, feeds, listening } = audience;
    holders.delete(feed);
    feeds.delete(feed);
    if (holders.size > 0) return;
    if (this.#followed.get(roomId) === audience) this.#followed.delete(roomId);
    listening.then(
      (stop) => stop(),
      () => {}, // `join` has reported the error
    );
  }

  #heard(audience: Followed<Told, State>, payload: unknown): void {
    this.#onHeard(audience, payload);
    const { kind, userId } = (payload ?? {}) as Record<string, unknown>;
    if (kind !== "member.left") return;
    // Also feeds that still join: the answer to their check may be older.
    for (const [feed, follower] of audience.holders) if (follower === userId) feed.end(refusal("NOT_A_MEMBER", audience.roomId));
  }

  /** While the connection was down, this server missed the removal of members. */
  #checkAll(): void {
    for (const { roomId, feeds } of this) {
      for (const [feed, userId] of feeds) {
        onceRedisAnswers(
          () => this.#rooms.check(roomId, userId),
          () => !feed.ended,
        ).catch((error) => feed.end(error));
      }
    }
  }
}
