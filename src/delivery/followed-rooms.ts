import type { Logger } from "pino";
import type { Scripts } from "../redis/scripts.js";
import type { Channels } from "./channels.js";
import { after, type Entry, type Hindsight, type Place, type ReadEvent, RoomLog } from "./log.js";
import { NewestEvents } from "./newest.js";
import type { Position } from "./position.js";
import { RecentRanges } from "./recent-ranges.js";
import { type Follower, type Following, RoomFeed } from "./room-feed.js";

const MEMORY = 16 * 1024 * 1024; // characters of events' JSON that are kept, over all rooms

/**
 * Milliseconds that a followed room may be silent before its log is looked at. Pub/sub promises nothing: should an event be
 * lost in a way that shows in no broken connection, a room where nothing else happens would never notice.
 */
const LONGEST_SILENCE = 60_000;
const LOOK = 1_000; // ms between two looks for silent rooms

/** Follows the logs of rooms for the whole server: one Redis subscription per room, however many followers. */
export class FollowedRooms<V> {
  readonly #rooms = new Map<string, RoomFeed<V>>();
  readonly #newest = new NewestEvents<V>(MEMORY);
  readonly #recent = new RecentRanges<V>();
  readonly #channels: Channels;
  readonly #scripts: Scripts;
  readonly #readEvent: ReadEvent<V>;
  readonly #hindsight: Hindsight<V>;
  readonly #log: Logger;
  readonly #look: NodeJS.Timeout;
  #logReads = 0;

  /**
   * @param readEvent makes of an event what its followers are told
   * @param hindsight makes of an event of the past what followers who come back are told
   */
  constructor(channels: Channels, scripts: Scripts, readEvent: ReadEvent<V>, hindsight: Hindsight<V>, log: Logger) {
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

  /** Ends the regular looks. */
  close(): void {
    clearInterval(this.#look);
  }

  /** Looks at every followed room's log: something may have happened that was not heard. */
  catchUp(): void {
    for (const room of this.#rooms.values()) room.catchUp();
  }

  /** The number of rooms followed here. */
  get size(): number {
    return this.#rooms.size;
  }

  /** Characters of events' JSON that are kept for who comes back. */
  get remembered(): number {
    return this.#newest.size;
  }

  /** How often a room's log was read so far, because memory did not reach back far enough. */
  get logReads(): number {
    return this.#logReads;
  }

  /** Where the room's events stand now. */
  position(roomId: string): Promise<Position> {
    return this.#logOf(roomId).end();
  }

  /** Tells the follower every event of the room after a position. */
  follow(roomId: string, after: Position, follower: Follower<V>): Following {
    const room = this.#rooms.get(roomId) ?? this.#open(roomId);
    return room.follow(after, follower);
  }

  /** The events after a position that are in the log now; none where it cannot be continued. */
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

  #logOf(roomId: string): RoomLog<V> {
    return new RoomLog(roomId, this.#scripts, this.#readEvent, this.#hindsight, this.#recent);
  }

  #open(roomId: string): RoomFeed<V> {
    const room = new RoomFeed(this.#logOf(roomId), this.#channels, this.#newest.room(), this.#log, {
      onRead: () => this.#logReads++,
      onEmpty: () => this.#rooms.delete(roomId),
    });
    this.#rooms.set(roomId, room);
    return room;
  }
}
