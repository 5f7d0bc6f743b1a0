import type { Logger } from "pino";
import type { Channels } from "../delivery/channels.js";
import { Feed } from "../delivery/feed.js";
import { refusal } from "../errors.js";
import { onceRedisAnswers } from "../redis/connect.js";
import { channels, keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import type { RoomStore } from "../rooms/room.store.js";

/** How an answer stands, as followers are told: the same object for all of them. */
export interface ReplyRecord {
  roomId: string;
  replyTo: string;
  text: string;
  delta: string;
  state: "WRITING" | "DONE" | "CANCELLED" | "FAILED";
  problem: string | null;
}

/** An answer as it is known here. */
type Known = Omit<ReplyRecord, "roomId" | "delta"> & {
  /** One more at each event of the room's answers. */
  version: number;
  /** Of the text, in UTF-8. */
  bytes: number;
  /** When it was last heard of, or found to be so (ms, by `performance.now`). */
  at: number;
};

/** What is published: `delta` goes behind the first `offset` bytes of the text, which is all of it so far, or none. */
type ReplyEvent = Pick<ReplyRecord, "replyTo" | "delta" | "state" | "problem"> & { version: number; offset: number };

/** A room whose answers are followed here. */
interface FollowedRoom {
  /** The followers, those included for whom Redis does not listen yet. */
  holders: Set<Feed<ReplyRecord>>;
  /** Those who are told, and who they are. */
  feeds: Map<Feed<ReplyRecord>, string>;
  known: Known | undefined;
  /** The look that is under way, and whether something came meanwhile. */
  looking: Promise<void> | undefined;
  again: boolean;
  /** Resolves, once Redis has acknowledged, to what ends it. */
  listening: Promise<() => void>;
}

const LOOK = 1_000; // ms between two looks for answers that are silent
const SILENT = 5_000; // ms without a word amid an answer, after which it is looked at: pub/sub promises nothing
const SHOWN = 60_000; // ms for which the end of an answer is shown to who comes later

const STATES = ["WRITING", "DONE", "CANCELLED", "FAILED"];

/**
 * The answers that grow in rooms. What grows is kept in Redis, and each bit of it published with a version; who hears one that is
 * not the next looks there, as does who comes late, or comes back.
 */
export class ReplyFeeds {
  readonly #scripts: Scripts;
  readonly #channels: Channels;
  readonly #rooms: RoomStore;
  readonly #log: Logger;
  readonly #followed = new Map<string, FollowedRoom>();
  readonly #timer: NodeJS.Timeout;
  readonly #stopHearing: () => void;

  constructor(scripts: Scripts, channels: Channels, rooms: RoomStore, log: Logger) {
    this.#scripts = scripts;
    this.#channels = channels;
    this.#rooms = rooms;
    this.#log = log;
    this.#timer = setInterval(() => this.#lookAtSilent(), LOOK).unref();
    this.#stopHearing = channels.onReconnect(() => this.#catchUp());
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stopHearing();
  }

  /**
   * The answers in a room: the one that is being written, or ended within a minute, as it stands; then all that is added.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  async follow(userId: string, roomId: string): Promise<Feed<ReplyRecord>> {
    await this.#rooms.check(userId, roomId);
    const room = this.#followed.get(roomId) ?? this.#open(roomId);
    const feed = new Feed<ReplyRecord>();
    room.holders.add(feed);
    feed.onEnd(() => this.#leave(roomId, room, feed));
    try {
      await room.listening;
      await this.#look(roomId, room);
      // Once more: from here on it is heard, should they be removed.
      await this.#rooms.check(userId, roomId);
    } catch (error) {
      feed.end();
      throw error;
    }
    if (feed.ended) return feed;
    room.feeds.set(feed, userId);
    const { known } = room;
    if (known && (known.state === "WRITING" || performance.now() - known.at < SHOWN)) feed.push(recordOf(roomId, known, known.text));
    return feed;
  }

  #open(roomId: string): FollowedRoom {
    const room: FollowedRoom = {
      holders: new Set(),
      feeds: new Map(),
      known: undefined,
      looking: undefined,
      again: false,
      listening: this.#channels.subscribe(channels.room(roomId), (payload) => this.#heard(roomId, room, payload)),
    };
    room.listening.catch(() => {}); // those who asked to follow are told
    this.#followed.set(roomId, room);
    return room;
  }

  #leave(roomId: string, room: FollowedRoom, feed: Feed<ReplyRecord>): void {
    room.holders.delete(feed);
    room.feeds.delete(feed);
    if (room.holders.size > 0) return;
    if (this.#followed.get(roomId) === room) this.#followed.delete(roomId);
    room.listening.then(
      (stop) => stop(),
      () => {}, // those who asked to follow were told
    );
  }

  #heard(roomId: string, room: FollowedRoom, payload: unknown): void {
    const { kind, userId } = (payload ?? {}) as Record<string, unknown>;
    if (kind === "member.left")
      for (const [feed, follower] of room.feeds) if (follower === userId) feed.end(refusal("NOT_A_MEMBER", roomId));
    if (kind !== "assistant.reply" || !isReplyEvent(payload)) return;
    const { known } = room;
    if (room.looking) room.again = true;
    else if (known && payload.version === known.version + 1 && fits(payload, known)) this.#pass(roomId, room, payload);
    else if (!known || payload.version > known.version) this.#lookFor(roomId, room);
  }

  #pass(roomId: string, room: FollowedRoom, { replyTo, state, problem, version, offset, delta }: ReplyEvent): void {
    const [text, bytes] = offset === 0 ? ["", 0] : [room.known?.text ?? "", offset];
    room.known = { replyTo, state, problem, version, text: text + delta, bytes: bytes + Buffer.byteLength(delta), at: performance.now() };
    const record = recordOf(roomId, room.known, delta);
    for (const feed of room.feeds.keys()) feed.push(record);
  }

  /** Reads how the room's answer stands, and tells the followers what they do not know; again, where something came meanwhile. */
  #look(roomId: string, room: FollowedRoom): Promise<void> {
    room.looking ??= (async () => {
      do {
        room.again = false;
        this.#compare(roomId, room, await this.#read(roomId));
      } while (room.again);
    })().finally(() => {
      room.looking = undefined;
    });
    return room.looking;
  }

  #compare(roomId: string, room: FollowedRoom, found: Known | undefined): void {
    const { known } = room;
    room.known = found ?? (known && known.state !== "WRITING" ? known : undefined);
    if (!found || found.version === known?.version) return;
    const goesOn = known?.replyTo === found.replyTo && found.text.startsWith(known.text);
    const record = recordOf(roomId, found, goesOn ? found.text.slice(known.text.length) : found.text);
    for (const feed of room.feeds.keys()) feed.push(record);
  }

  async #read(roomId: string): Promise<Known | undefined> {
    const found = (await this.#scripts.run("assistant_look", [keys.reply(roomId), keys.writing(roomId)], [])) as
      | [version: number, replyTo: string, state: Known["state"], problem: string, text: string]
      | null;
    if (!found) return undefined;
    const [version, replyTo, state, problem, text] = found;
    return { version, replyTo, state, problem: problem || null, text, bytes: Buffer.byteLength(text), at: performance.now() };
  }

  #lookFor(roomId: string, room: FollowedRoom): void {
    onceRedisAnswers(
      () => this.#look(roomId, room),
      () => room.holders.size > 0,
    ).catch((err: Error) => this.#log.error({ err, roomId }, "could not look at an answer"));
  }

  #lookAtSilent(): void {
    const since = performance.now() - SILENT;
    for (const [roomId, room] of this.#followed)
      if (room.known?.state === "WRITING" && room.known.at < since && !room.looking) this.#lookFor(roomId, room);
  }

  /** What was published, and who was removed from a room, while the connection was down was not heard. */
  async #catchUp(): Promise<void> {
    for (const [roomId, room] of this.#followed) {
      this.#lookFor(roomId, room);
      for (const [feed, userId] of room.feeds) {
        onceRedisAnswers(
          () => this.#rooms.check(userId, roomId),
          () => !feed.ended,
        ).catch((error) => feed.end(error));
      }
    }
  }
}

function recordOf(roomId: string, { replyTo, text, state, problem }: Known, delta: string): ReplyRecord {
  return { roomId, replyTo, text, delta, state, problem };
}

/** Whether an event says how the answer goes on, or begins one. */
const fits = ({ replyTo, offset }: ReplyEvent, known: Known) => offset === 0 || (replyTo === known.replyTo && offset === known.bytes);

function isReplyEvent(payload: unknown): payload is ReplyEvent {
  const { replyTo, state, version, offset, delta, problem } = (payload ?? {}) as Partial<ReplyEvent>;
  return (
    typeof replyTo === "string" &&
    STATES.includes(state ?? "") &&
    typeof version === "number" &&
    typeof offset === "number" &&
    typeof delta === "string" &&
    (problem === null || typeof problem === "string")
  );
}
