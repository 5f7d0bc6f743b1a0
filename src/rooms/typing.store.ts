import type { Logger } from "pino";
import { type Channels, publish } from "../delivery/channels.js";
import type { Feed } from "../delivery/feed.js";
import { rateLimited } from "../errors.js";
import type { RedisClient } from "../redis/connect.js";
import { channels } from "../redis/keys.js";
import type { Viewer } from "../sessions/session.store.js";
import { isUserId } from "../users/user.store.js";
import { type Audience, Audiences } from "./audience.store.js";
import type { RoomStore } from "./room.store.js";

/** What followers are told of someone: the same object for all of them. */
export interface TypingRecord {
  roomId: string;
  userId: string;
  typing: boolean;
}

/** Someone who has said to this server that they write in a room. Times are those of `performance.now()`. */
interface Author {
  /** When they last said so; undefined once they have stopped. */
  writesAt: number | undefined;
  /** When this was last published. */
  toldAt: number;
  /** When their stopping was last published. */
  stopToldAt: number;
  /** The last that was published says that they write. */
  told: boolean;
  /** Their session, while they write. */
  watch: { stop(): void } | undefined;
}

/** By user, what was told of them, and until when it is good. */
type Typists = Map<string, { record: TypingRecord; until: number }>;

type Room = Audience<TypingRecord, Typists>;

const LASTS = 6_000; // ms without a word, after which someone writes no more
const PAUSE = 3_000; // ms between two times that the same is published of someone in a room, however often they say it
const SWEEP = 500; // ms between two looks for what is over
const MOST_TYPISTS = 20; // of a room, of whom followers are told at once; the others come as these stop
const MOST_ROOMS = 10; // in which one user writes at once, on one server

/**
 * Who writes a message just now. It goes over the room's channel without a `seq` and is kept nowhere, so each server ends by the
 * clock what it told its followers, should nobody renew it. A message ends it as well: who hears the channel hears that, too.
 */
export class TypingStore {
  readonly #redis: RedisClient;
  readonly #rooms: RoomStore;
  readonly #watch: (viewer: Viewer, onEnd: () => void) => { stop(): void };
  readonly #log: Logger;
  readonly #authors = new Map<string, Map<string, Author>>();
  readonly #audiences: Audiences<TypingRecord, Typists>;
  readonly #sweep: NodeJS.Timeout;

  /** @param watch calls `onEnd` should the viewer's session end */
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

  /** Ends the regular looks, and the watch over sessions. */
  close(): void {
    clearInterval(this.#sweep);
    this.#audiences.close();
    for (const rooms of this.#authors.values()) for (const author of rooms.values()) author.watch?.stop();
    this.#authors.clear();
  }

  /**
   * Tells a room's followers that the viewer writes, or has stopped.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, RATE_LIMITED; FORBIDDEN as for a send
   */
  async set(viewer: Viewer, roomId: string, typing: boolean): Promise<void> {
    await this.#rooms.checkWrite(viewer.id, roomId);
    const author = this.#author(viewer.id, roomId);
    if (!typing) return this.#stop(viewer.id, roomId, author);
    const now = performance.now();
    author.writesAt = now;
    author.watch ??= this.#watch(viewer, () => {
      this.#stop(viewer.id, roomId, author).catch(this.#onFailure);
    });
    if (now - author.toldAt >= PAUSE) await this.#tell(viewer.id, roomId, author);
  }

  /** The user has sent a message, which has told followers; they may begin anew at once. */
  sent(userId: string, roomId: string): void {
    const author = this.#authors.get(userId)?.get(roomId);
    if (!author) return;
    this.#forget(userId, roomId, author);
  }

  /**
   * Who of the others writes in a room, from now on.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  async follow(userId: string, roomId: string): Promise<Feed<TypingRecord>> {
    const { feed, audience } = await this.#audiences.join(userId, roomId);
    for (const { record } of audience.state.values()) if (record.userId !== userId) feed.push(record);
    return feed;
  }

  #author(userId: string, roomId: string): Author {
    const rooms = this.#authors.get(userId) ?? new Map<string, Author>();
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

  async #tell(userId: string, roomId: string, author: Author): Promise<void> {
    author.toldAt = performance.now();
    author.told = true;
    await this.#publish(userId, roomId, true);
  }

  /** What was not said here may have been said to another server, so the end of it is told all the same. */
  async #stop(userId: string, roomId: string, author: Author): Promise<void> {
    this.#rest(author);
    const now = performance.now();
    if (!author.told && now - author.stopToldAt < PAUSE) return;
    author.told = false;
    author.stopToldAt = now;
    await this.#publish(userId, roomId, false);
  }

  /** They write no more. What was told is remembered for a while, so that they cannot tell it too often. */
  #rest(author: Author): void {
    author.writesAt = undefined;
    author.watch?.stop();
    author.watch = undefined;
  }

  #forget(userId: string, roomId: string, author: Author): void {
    this.#rest(author);
    const rooms = this.#authors.get(userId);
    rooms?.delete(roomId);
    if (rooms?.size === 0) this.#authors.delete(userId);
  }

  async #publish(userId: string, roomId: string, typing: boolean): Promise<void> {
    await publish(this.#redis, channels.room(roomId), { kind: "typing", userId, typing });
  }

  #sweepAuthors(now: number): void {
    for (const [userId, rooms] of this.#authors) {
      for (const [roomId, author] of rooms) {
        const { writesAt, toldAt, stopToldAt } = author;
        if (writesAt !== undefined && now - writesAt >= LASTS) {
          this.#rest(author);
          author.told = false; // the followers' servers end it by themselves
        } else if (writesAt !== undefined && writesAt > toldAt && now - toldAt >= PAUSE) {
          this.#tell(userId, roomId, author).catch(this.#onFailure);
        } else if (writesAt === undefined && now - Math.max(toldAt, stopToldAt) >= PAUSE) this.#forget(userId, roomId, author);
      }
    }
  }

  #sweepTypists(now: number): void {
    for (const room of this.#audiences) {
      for (const [userId, { until }] of room.state) if (until <= now) this.#stopped(room, userId);
    }
  }

  /** What comes over the room's channel: typing, and the room's events. */
  #heard(room: Room, payload: unknown): void {
    const { kind, userId, typing, message } = (payload ?? {}) as Record<string, unknown>;
    const sender = kind === "message.added" ? ((message ?? {}) as { from?: unknown }).from : undefined;
    if (typeof sender === "string") this.#stopped(room, sender);
    if (typeof userId !== "string" || !isUserId(userId)) return;
    if (kind === "typing" && typing === true) this.#started(room, userId);
    else if ((kind === "typing" && typing === false) || kind === "member.left") this.#stopped(room, userId);
  }

  #started({ roomId, state: typists, feeds }: Room, userId: string): void {
    const until = performance.now() + LASTS;
    const known = typists.get(userId);
    if (known) known.until = until;
    if (known || typists.size >= MOST_TYPISTS) return;
    const record = { roomId, userId, typing: true };
    typists.set(userId, { record, until });
    pass(feeds, record);
  }

  #stopped({ state: typists, feeds }: Room, userId: string): void {
    const known = typists.get(userId);
    if (!known) return;
    typists.delete(userId);
    pass(feeds, { ...known.record, typing: false });
  }

  readonly #onFailure = (error: unknown) => this.#log.debug({ error: String(error) }, "could not tell who is typing");
}

/** Tells the others. */
function pass(feeds: Room["feeds"], record: TypingRecord): void {
  for (const [feed, follower] of feeds) if (follower !== record.userId) feed.push(record);
}
