import type { Channels } from "../delivery/channels.js";
import { Feed } from "../delivery/feed.js";
import { refusal } from "../errors.js";
import { onceRedisAnswers } from "../redis/connect.js";
import { channels } from "../redis/keys.js";
import type { RoomStore } from "./room.store.js";

/** Those who follow something of a room that goes over its channel and is not in its log. */
export interface Audience<Told extends object, State> {
  readonly roomId: string;
  /** Those who are told, and who they are. */
  readonly feeds: Map<Feed<Told>, string>;
  /** What is known of the room while someone follows it. */
  readonly state: State;
  /** Whether someone follows, those included for whom Redis does not listen yet. */
  readonly isWanted: boolean;
}

interface Followed<Told extends object, State> extends Audience<Told, State> {
  readonly holders: Set<Feed<Told>>;
  /** Resolves, once Redis has acknowledged, to what ends it. */
  readonly listening: Promise<() => void>;
}

/** The audiences of rooms, on this server. Who leaves a room is in its audience no more. */
export class Audiences<Told extends object, State> implements Iterable<Audience<Told, State>> {
  readonly #channels: Channels;
  readonly #rooms: RoomStore;
  readonly #begin: () => State;
  readonly #onHeard: (audience: Audience<Told, State>, payload: unknown) => void;
  readonly #followed = new Map<string, Followed<Told, State>>();
  readonly #stopHearing: () => void;

  /**
   * @param begin what is known of a room that nobody has followed
   * @param onHeard hears what comes over a followed room's channel, and whatever else others on this Redis publish there
   * @param onReconnect called when something may have been published unheard
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
   * Takes someone into a room's audience. Where the feed has not ended meanwhile, it is among those who are told.
   * @param ready is waited for once the channel is heard
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND; what `ready` throws
   */
  async join(
    userId: string,
    roomId: string,
    ready: (audience: Audience<Told, State>) => Promise<void> = async () => {},
  ): Promise<{ feed: Feed<Told>; audience: Audience<Told, State> }> {
    await this.#rooms.check(userId, roomId);
    const audience = this.#followed.get(roomId) ?? this.#open(roomId);
    const feed = new Feed<Told>();
    audience.holders.add(feed);
    feed.onEnd(() => this.#leave(audience, feed));
    try {
      await audience.listening;
      await ready(audience);
      // Once more: from here on it is heard, should they be removed.
      await this.#rooms.check(userId, roomId);
    } catch (error) {
      feed.end();
      throw error;
    }
    if (!feed.ended) audience.feeds.set(feed, userId);
    return { feed, audience };
  }

  #open(roomId: string): Followed<Told, State> {
    const holders = new Set<Feed<Told>>();
    const audience: Followed<Told, State> = {
      roomId,
      holders,
      feeds: new Map(),
      state: this.#begin(),
      get isWanted() {
        return holders.size > 0;
      },
      listening: this.#channels.subscribe(channels.room(roomId), (payload) => this.#heard(audience, payload)),
    };
    audience.listening.catch(() => {}); // those who asked to follow are told
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
      () => {}, // those who asked to follow were told
    );
  }

  #heard(audience: Audience<Told, State>, payload: unknown): void {
    this.#onHeard(audience, payload);
    const { kind, userId } = (payload ?? {}) as Record<string, unknown>;
    if (kind !== "member.left") return;
    for (const [feed, follower] of audience.feeds) if (follower === userId) feed.end(refusal("NOT_A_MEMBER", audience.roomId));
  }

  /** Who was removed from a room while the connection was down was not heard of. */
  #checkAll(): void {
    for (const { roomId, feeds } of this) {
      for (const [feed, userId] of feeds) {
        onceRedisAnswers(
          () => this.#rooms.check(userId, roomId),
          () => !feed.ended,
        ).catch((error) => feed.end(error));
      }
    }
  }
}
