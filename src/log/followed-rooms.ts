import type { Logger } from "pino";
import type { RoomId } from "../util/ids.js";
import type { Channels } from "./channels.js";
import { after, type Entry, type Place } from "./entry.js";
import { type Hindsight, type ReadEvent, RoomLog } from "./log.js";
import { NewestEvents } from "./newest.js";
import type { Position } from "./position.js";
import { RecentRanges } from "./recent-ranges.js";
import { type Follower, type Following, RoomFeed } from "./room-feed.js";
import type { RoomScripts } from "./room-scripts.js";

const MEMORY = 16 * 1024 * 1024; // characters of events' JSON kept in memory, over all rooms

/**
 * Milliseconds without an event after which a followed room's log is read. Pub/sub does not guarantee delivery: if an event is lost while
 * no connection breaks, a room without further events would never notice.
 */
const LONGEST_SILENCE = 60_000;
const LOOK = 1_000; // ms between two checks for silent rooms

/** Follows the logs of rooms for the whole server: one Redis subscription per room, for any number of subscribers. */
export class FollowedRooms<V> {
  readonly #rooms = new Map<RoomId, RoomFeed<V>>();
  readonly #newest = new NewestEvents<V>(MEMORY);
  readonly #recent = new RecentRanges<V>();
  readonly #channels: Channels;
  readonly #scripts: RoomScripts;
  readonly #readEvent: ReadEvent<V>;
  readonly #hindsight: Hindsight<V>;
  readonly #log: Logger;
  readonly #look: NodeJS.Timeout;
  #logReads = 0;

  /**
   * @param readEvent turns an event into the value that subscribers get
   * @param hindsight turns past events into the values that subscribers get when they resume
   */
  constructor(channels: Channels, scripts: RoomScripts, readEvent: ReadEvent<V>, hindsight: Hindsight<V>, log: Logger) {
    this.#channels = channels;
    this.#scripts = scripts;
    this.#readEvent = readEvent;
    this.#hindsight = hindsight;
    this.#log = log;
    channels.onReconnect(() => this.catchUp());
    this.#look = setInterval(() => {
      const since = performance.now() - LONGEST_SILENCE;
      for (const room of this.#rooms.values()) if (room.lookedAt < since) room.catchUp();
    }, LOOK).unref();
  }

  /** Ends the periodic checks. */
  close(): void {
    clearInterval(this.#look);
  }

  /** Reads the log of each followed room, because events may have been missed. */
  catchUp(): void {
    for (const room of this.#rooms.values()) room.catchUp();
  }

  /** The number of rooms that this server follows. */
  get size(): number {
    return this.#rooms.size;
  }

  /** Characters of events' JSON kept for subscribers that resume. */
  get remembered(): number {
    return this.#newest.size;
  }

  /** The number of reads of rooms' logs so far: when a room opens, to catch up, and if memory does not reach back far enough. */
  get logReads(): number {
    return this.#logReads;
  }

  /** The room's current position. */
  position(roomId: RoomId): Promise<Position> {
    return this.#logOf(roomId).end();
  }

  /** Delivers every event of the room after a position to the subscriber. */
  follow(roomId: RoomId, after: Position, follower: Follower<V>): Following {
    const room = this.#rooms.get(roomId) ?? this.#open(roomId);
    return room.follow(after, follower);
  }

  /** The events after a position that are in the log now; none if the position cannot be resumed. */
  async *eventsAfter(position: Position): AsyncGenerator<Entry<V>, void, void> {
    const log = this.#logOf(position.roomId);
    for (let place: Place = position; ; ) {
      const entries = after(place, await log.from(place.seq));
      const last = entries?.at(-1);
      if (!entries || !last) return;
      yield* entries;
      place = last.position;
    }
  }

  #logOf(roomId: RoomId): RoomLog<V> {
    return new RoomLog(roomId, this.#scripts, this.#readEvent, this.#hindsight, this.#recent);
  }

  #open(roomId: RoomId): RoomFeed<V> {
    const room = new RoomFeed(this.#logOf(roomId), this.#channels, this.#newest.room(), this.#log, {
      onRead: () => this.#logReads++,
      onEmpty: () => this.#rooms.delete(roomId),
    });
    this.#rooms.set(roomId, room);
    return room;
  }
}
