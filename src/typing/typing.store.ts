import type { Logger } from "pino";
import { isUserId } from "../api/ids.js";
import type { Viewer } from "../api/sessions.js";
import { type Channels, publish } from "../log/channels.js";
import type { Feed } from "../log/feed.js";
import { logChannels } from "../log/keys.js";
import type { RedisClient } from "../redis/connect.js";
import { type Audience, Audiences } from "../rooms/audience.js";
import type { RoomStore } from "../rooms/room.store.js";
import { rateLimited } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";

/** What subscribers get about a user; all of them get the same object. */
export interface TypingRecord {
  roomId: RoomId;
  userId: UserId;
  typing: boolean;
}

/** A user who has reported to this server that they are typing in a room. Times are those of `performance.now()`. */
interface Author {
  /** When they last reported it; undefined once they have stopped. */
  writesAt: number | undefined;
  /** When the server last published that they are typing. */
  toldAt: number;
  /** When the server last published that they stopped. */
  stopToldAt: number;
  /** Whether the last publication says that they are typing. */
  told: boolean;
  /** The watch over their session, while they are typing. */
  watch: { stop(): void } | undefined;
}

/** By user: the last record, and when it expires. */
type Typists = Map<UserId, { record: TypingRecord; until: number }>;

type TypingRoom = Audience<TypingRecord, Typists>;

const LASTS = 6_000; // ms without a report after which a user counts as not typing
const PUBLISH_PAUSE = 3_000; // ms between two equal publications about a user in a room, however often they report
const SWEEP = 500; // ms between sweeps for expired records
const MOST_TYPISTS = 20; // shown per room at once; others follow as these stop
const MOST_ROOMS = 10; // in which one user types at once, on one server

/**
 * Users who are typing now. Reports go over the room's channel without a `seq` and are not stored, so each server expires the records of
 * its subscribers by its own clock unless a report renews them. A message ends its sender's record too: it comes over the same channel.
 */
export class TypingStore {
  readonly #redis: RedisClient;
  readonly #rooms: RoomStore;
  readonly #watch: (viewer: Viewer, onEnd: () => void) => { stop(): void };
  readonly #log: Logger;
  readonly #authors = new Map<UserId, Map<RoomId, Author>>();
  readonly #audiences: Audiences<TypingRecord, Typists>;
  readonly #sweep: NodeJS.Timeout;

  /** @param watch calls `onEnd` if the viewer's session ends */
  constructor(
    redis: RedisClient,
    channels: Channels,
    rooms: RoomStore,
    watch: (viewer: Viewer, onEnd: () => void) => { stop(): void },
    log: Logger,
  ) {
    this.#redis = redis;
    this.#rooms = rooms;
    this.#watch = watch;
    this.#log = log;
    this.#sweep = setInterval(() => {
      this.#sweepAuthors(performance.now());
      this.#sweepTypists(performance.now());
    }, SWEEP);
    this.#audiences = new Audiences<TypingRecord, Typists>(
      channels,
      rooms,
      () => new Map(),
      (room, payload) => this.#heard(room, payload),
    );
  }

  /** Stops the sweeps and the watches over sessions. */
  close(): void {
    clearInterval(this.#sweep);
    this.#audiences.close();
    for (const rooms of this.#authors.values()) for (const author of rooms.values()) author.watch?.stop();
    this.#authors.clear();
  }

  /**
   * Notifies a room's subscribers that the viewer is typing, or has stopped.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, RATE_LIMITED; FORBIDDEN as for a send
   */
  async set(viewer: Viewer, roomId: RoomId, typing: boolean): Promise<void> {
    await this.#rooms.checkWrite(roomId, viewer.id);
    const author = this.#author(roomId, viewer.id);
    if (!typing) return this.#stop(roomId, viewer.id, author);
    const now = performance.now();
    author.writesAt = now;
    author.watch ??= this.#watch(viewer, () => {
      this.#stop(roomId, viewer.id, author).catch(this.#onFailure);
    });
    if (now - author.toldAt >= PUBLISH_PAUSE) await this.#tell(roomId, viewer.id, author);
  }

  /** Call after the user has sent a message. The message itself notifies subscribers, and the user may report typing again at once. */
  sent(roomId: RoomId, userId: UserId): void {
    const author = this.#authors.get(userId)?.get(roomId);
    if (!author) return;
    this.#forget(roomId, userId, author);
  }

  /**
   * Other users who are typing in a room: those who are typing now, then all changes.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  async follow(roomId: RoomId, userId: UserId): Promise<Feed<TypingRecord>> {
    const { feed, audience } = await this.#audiences.join(roomId, userId);
    for (const { record } of audience.state.values()) if (record.userId !== userId) feed.push(record);
    return feed;
  }

  #author(roomId: RoomId, userId: UserId): Author {
    const rooms = this.#authors.get(userId) ?? new Map<RoomId, Author>();
    const known = rooms.get(roomId);
    if (known) return known;
    if (rooms.size >= MOST_ROOMS) throw rateLimited(LASTS / 1_000);
    const author: Author = {
      writesAt: undefined,
      toldAt: Number.NEGATIVE_INFINITY,
      stopToldAt: Number.NEGATIVE_INFINITY,
      told: false,
      watch: undefined,
    };
    this.#authors.set(userId, rooms.set(roomId, author));
    return author;
  }

  async #tell(roomId: RoomId, userId: UserId, author: Author): Promise<void> {
    author.toldAt = performance.now();
    author.told = true;
    await this.#publish(roomId, userId, true);
  }

  /** Publishes the stop even if this server has not published a start: another server may have. */
  async #stop(roomId: RoomId, userId: UserId, author: Author): Promise<void> {
    this.#rest(author);
    const now = performance.now();
    if (!author.told && now - author.stopToldAt < PUBLISH_PAUSE) return;
    author.told = false;
    author.stopToldAt = now;
    await this.#publish(roomId, userId, false);
  }

  /** Ends the typing. The entry stays for a while, to limit how often the user can publish. */
  #rest(author: Author): void {
    author.writesAt = undefined;
    author.watch?.stop();
    author.watch = undefined;
  }

  #forget(roomId: RoomId, userId: UserId, author: Author): void {
    this.#rest(author);
    const rooms = this.#authors.get(userId);
    rooms?.delete(roomId);
    if (rooms?.size === 0) this.#authors.delete(userId);
  }

  async #publish(roomId: RoomId, userId: UserId, typing: boolean): Promise<void> {
    await publish(this.#redis, logChannels.room(roomId), { kind: "typing", userId, typing });
  }

  #sweepAuthors(now: number): void {
    for (const [userId, rooms] of this.#authors) {
      for (const [roomId, author] of rooms) {
        const { writesAt, toldAt, stopToldAt } = author;
        if (writesAt !== undefined && now - writesAt >= LASTS) {
          this.#rest(author);
          author.told = false; // the subscribers' servers expire it by themselves
        } else if (writesAt !== undefined && writesAt > toldAt && now - toldAt >= PUBLISH_PAUSE) {
          this.#tell(roomId, userId, author).catch(this.#onFailure);
        } else if (writesAt === undefined && now - Math.max(toldAt, stopToldAt) >= PUBLISH_PAUSE) this.#forget(roomId, userId, author);
      }
    }
  }

  #sweepTypists(now: number): void {
    for (const room of this.#audiences) {
      for (const [userId, { until }] of room.state) if (until <= now) this.#stopped(room, userId);
    }
  }

  /** Handles messages on the room's channel: reports of typing, and the room's events. */
  #heard(room: TypingRoom, payload: unknown): void {
    const { kind, userId, typing, message } = (payload ?? {}) as Record<string, unknown>;
    const sender = kind === "message.added" ? ((message ?? {}) as { from?: unknown }).from : undefined;
    if (typeof sender === "string") this.#stopped(room, sender as UserId);
    if (typeof userId !== "string" || !isUserId(userId)) return;
    if (kind === "typing" && typing === true) this.#started(room, userId);
    else if ((kind === "typing" && typing === false) || kind === "member.left") this.#stopped(room, userId);
  }

  #started({ roomId, state: typists, feeds }: TypingRoom, userId: UserId): void {
    const until = performance.now() + LASTS;
    const known = typists.get(userId);
    if (known) known.until = until;
    if (known || typists.size >= MOST_TYPISTS) return;
    const record = { roomId, userId, typing: true };
    typists.set(userId, { record, until });
    pass(feeds, record);
  }

  #stopped({ state: typists, feeds }: TypingRoom, userId: UserId): void {
    const known = typists.get(userId);
    if (!known) return;
    typists.delete(userId);
    pass(feeds, { ...known.record, typing: false });
  }

  readonly #onFailure = (error: unknown) => this.#log.debug({ error: String(error) }, "could not publish who is typing; skipping it");
}

/** Passes a record to the other users. */
function pass(feeds: TypingRoom["feeds"], record: TypingRecord): void {
  for (const [feed, follower] of feeds) if (follower !== record.userId) feed.push(record);
}
