import type { Logger } from "pino";
import type { Channels } from "../log/channels.js";
import { Feed } from "../log/feed.js";
import { onceRedisAnswers, type RedisClient } from "../redis/connect.js";
import type { UserId } from "../util/ids.js";
import { presenceChannels, presenceKeys } from "./keys.js";

/** A user came online or went offline. */
export interface Transition {
  userId: UserId;
  online: boolean;
}

const TICK = 250; // ms between two portions for subscribers to all users
const MOST_AT_ONCE = 100; // transitions that such a subscriber gets in one portion
const MOST_FRAMES = 25_000; // in one portion, over all subscribers: at 2 µs a frame, a fifth of a core

/**
 * Delivers transitions as they are published. Subscribers to certain users get each transition at once. Subscribers to all users get them
 * in portions, oldest first, without users who came and went, or went and came, before their turn: when ten thousand users come online
 * together, a subscriber gets a few at a time, and ends up with the current state.
 */
export class Transitions {
  readonly #redis: RedisClient;
  readonly #channels: Channels;
  readonly #log: Logger;
  readonly #ofEveryone = new Set<Feed<Transition>>();
  readonly #ofUser = new Map<UserId, Set<Feed<Transition>>>();
  /** Resolves to the unsubscribe function once Redis has acknowledged; set only while there are subscribers. */
  #listening: Promise<() => void> | undefined;
  /** The users who are online, according to the events that arrived. */
  readonly #online = new Set<UserId>();
  /** Transitions not yet delivered to subscribers to all users; always the opposite of what was delivered before. */
  readonly #waiting = new Map<UserId, Transition>();
  /** For each list that is being read: the users about whom something has arrived since. */
  readonly #heard = new Set<Set<UserId>>();
  #tick: NodeJS.Timeout | undefined;

  constructor(redis: RedisClient, channels: Channels, log: Logger) {
    this.#redis = redis;
    this.#channels = channels;
    this.#log = log;
  }

  /** Transitions of all users, or of these users, from the moment at which the promise resolves. */
  async follow(userIds: readonly UserId[] | null | undefined): Promise<Feed<Transition>> {
    const feed = new Feed<Transition>();
    const audiences = userIds ? userIds.map((id) => this.#audienceOf(id)) : [this.#ofEveryone];
    for (const audience of audiences) audience.add(feed);
    feed.onEnd(() => {
      for (const audience of audiences) audience.delete(feed);
      for (const id of userIds ?? []) if (this.#ofUser.get(id)?.size === 0) this.#ofUser.delete(id);
      this.#closeIfEmpty();
    });
    try {
      this.#listening ??= this.#listen();
      await this.#listening;
    } catch (error) {
      feed.end();
      throw error;
    }
    return feed;
  }

  #audienceOf(userId: UserId): Set<Feed<Transition>> {
    const audience = this.#ofUser.get(userId) ?? new Set();
    this.#ofUser.set(userId, audience);
    return audience;
  }

  async #listen(): Promise<() => void> {
    let wanted = true;
    const stopHearing = await this.#channels.subscribe(presenceChannels.onlineUsers, (payload) => {
      if (!isTransition(payload)) return;
      for (const heard of this.#heard) heard.add(payload.userId);
      this.#change(payload);
    });
    const stopWatching = this.#channels.onReconnect(() => this.catchUp(() => wanted));
    const stop = () => {
      wanted = false;
      stopHearing();
      stopWatching();
    };
    try {
      await this.#look(
        () => this.#redis.smembers(presenceKeys.announced) as Promise<UserId[]>,
        (userId) => this.#online.add(userId),
      );
      return stop;
    } catch (error) {
      stop();
      throw error;
    }
  }

  /**
   * Reads the users who are online, and calls `found` for those about whom nothing arrived meanwhile: what arrives is current, and the list
   * may be older, because it comes over another connection.
   * @returns users about whom the list says nothing; undefined if it was not read
   */
  async #look(read: () => Promise<UserId[] | undefined>, found: (userId: UserId) => void): Promise<UserId[] | undefined> {
    const heard = new Set<UserId>();
    this.#heard.add(heard);
    try {
      const listed = await read();
      if (!listed) return undefined;
      const online = new Set(listed);
      for (const userId of online) if (!heard.has(userId)) found(userId);
      return [...this.#online].filter((userId) => !online.has(userId) && !heard.has(userId));
    } finally {
      this.#heard.delete(heard);
    }
  }

  /** Delivers transitions that were published but did not arrive: the connection was down, or Redis lost its data. */
  async catchUp(wanted: () => boolean = () => this.#listening !== undefined): Promise<void> {
    const gone = await this.#look(
      () => onceRedisAnswers(() => this.#redis.smembers(presenceKeys.announced) as Promise<UserId[]>, wanted),
      (userId) => this.#change({ userId, online: true }),
    );
    for (const userId of gone ?? []) this.#change({ userId, online: false });
  }

  #change(transition: Transition): void {
    const { userId, online } = transition;
    if (online === this.#online.has(userId)) return;
    if (online) this.#online.add(userId);
    else this.#online.delete(userId);

    for (const feed of this.#ofUser.get(userId) ?? []) feed.push(transition);
    if (this.#ofEveryone.size === 0) return;
    if (!this.#waiting.delete(userId)) this.#waiting.set(userId, transition);
    if (!this.#tick) this.#tell();
  }

  /** Delivers the next portion, and continues until nothing waits. */
  #tell(): void {
    this.#tick = undefined;
    if (this.#waiting.size === 0) return;
    const most = Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(MOST_FRAMES / this.#ofEveryone.size)));
    for (const transition of [...this.#waiting.values()].slice(0, most)) {
      this.#waiting.delete(transition.userId);
      for (const feed of this.#ofEveryone) feed.push(transition);
    }
    this.#tick = setTimeout(() => this.#tell(), TICK);
  }

  #closeIfEmpty(): void {
    if (this.#ofEveryone.size === 0) this.#waiting.clear();
    if (this.#ofEveryone.size + this.#ofUser.size > 0) return;
    clearTimeout(this.#tick);
    this.#tick = undefined;
    this.#online.clear();
    const listening = this.#listening;
    this.#listening = undefined;
    listening?.then(
      (stop) => stop(),
      (error) => this.#log.debug({ error: String(error) }, "could not subscribe to presence"), // the subscribers got the error
    );
  }
}

function isTransition(payload: unknown): payload is Transition {
  const { userId, online } = (payload ?? {}) as Partial<Transition>;
  return typeof userId === "string" && typeof online === "boolean";
}
