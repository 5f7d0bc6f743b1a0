import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { refusal } from "../errors.js";
import { channels, keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import type { Channels } from "./channels.js";
import type { Position } from "./position.js";

/** An event as the log and the channel carry it; `kind` and what comes with it belong to the features. */
export interface RoomEvent {
  seq: number;
  epoch: string;
  kind: string;
  /** Microseconds since 1970, by Redis's clock. */
  at: number;
}

/** What a follower is told, in order: each event once, then at most one reason why there will be no more. */
export interface Follower {
  event(event: RoomEvent): void;
  over(reason: unknown): void;
}

/** Follows the logs of rooms for the whole server: one Redis subscription per room, however many followers. */
export class RoomFeeds {
  readonly #rooms = new Map<string, RoomFeed>();
  readonly #channels: Channels;
  readonly #scripts: Scripts;
  readonly #log: Logger;

  constructor(channels: Channels, scripts: Scripts, log: Logger) {
    this.#channels = channels;
    this.#scripts = scripts;
    this.#log = log;
    channels.onReconnect(() => {
      for (const room of this.#rooms.values()) void room.catchUp();
    });
  }

  /** The number of rooms followed here. */
  get size(): number {
    return this.#rooms.size;
  }

  /** Where the room's events stand now. */
  async position(roomId: string): Promise<Position> {
    const { seq, epoch } = await this.#read(roomId, Number.MAX_SAFE_INTEGER, 1);
    return { roomId, seq, epoch };
  }

  /**
   * Tells the follower every event of the room after a position, or from now on.
   * @returns a function that ends it; the follower hears nothing after that
   * @throws ChatError HISTORY_RESET where the position cannot be continued
   */
  async follow(roomId: string, after: Position | undefined, follower: Follower): Promise<() => void> {
    let room = this.#rooms.get(roomId);
    if (!room) {
      room = new RoomFeed(
        roomId,
        this.#channels,
        (seq, count) => this.#read(roomId, seq, count),
        this.#log,
        () => {
          this.#rooms.delete(roomId);
        },
      );
      this.#rooms.set(roomId, room);
    }
    return room.follow(after, follower);
  }

  async #read(roomId: string, after: number, count: number): Promise<LogStretch> {
    const [seq, epoch, events] = (await this.#scripts.run("log_read", [keys.log(roomId), keys.meta(roomId)], [after, count])) as [
      number,
      string,
      string[],
    ];
    return { seq, epoch, events: events.map((event) => JSON.parse(event) as RoomEvent) };
  }
}

/** Events of a log after some seq, and where the log stood when they were read. */
interface LogStretch {
  seq: number;
  epoch: string;
  events: RoomEvent[];
}

const STRETCH = 500; // events read from Redis at once
const RETRY_PAUSE = 100; // ms

/**
 * One followed room. The order in which it starts is the argument that nothing is missed: subscribe to the channel and
 * wait for Redis's acknowledgement, then read where the log stands, then follow. An event with the next seq passes on;
 * a later one, or a new connection to Redis, makes it read the log from where it is; an earlier one is dropped.
 */
class RoomFeed {
  readonly #followers = new Set<Cursor>();
  readonly #opened: Promise<() => void>;
  #joining = 0;
  #closed = false;
  #epoch = "";
  #seq: number | undefined; // once it is known where the log stands
  #behind = false; // there may be events that were neither heard nor read
  #catchingUp: Promise<void> | undefined;

  constructor(
    readonly roomId: string,
    redisChannels: Channels,
    readonly read: (after: number, count: number) => Promise<LogStretch>,
    readonly log: Logger,
    readonly onEmpty: () => void,
  ) {
    this.#opened = (async () => {
      const unsubscribe = await redisChannels.subscribe(channels.room(roomId), (payload) => this.#heard(payload));
      try {
        const { seq, epoch } = await this.read(Number.MAX_SAFE_INTEGER, 1);
        this.#epoch = epoch;
        this.#seq = seq;
        if (this.#behind) void this.catchUp();
      } catch (error) {
        unsubscribe();
        throw error;
      }
      return unsubscribe;
    })();
  }

  async follow(after: Position | undefined, follower: Follower): Promise<() => void> {
    this.#joining++;
    try {
      await this.#opened;
      const cursor = new Cursor(after?.seq ?? this.#seq ?? 0, follower);
      this.#followers.add(cursor);
      try {
        if (after) await this.#replay(cursor, after);
      } catch (error) {
        this.#followers.delete(cursor);
        throw error;
      }
      return () => {
        cursor.over = true;
        this.#followers.delete(cursor);
        this.#closeIfEmpty();
      };
    } finally {
      this.#joining--;
      this.#closeIfEmpty();
    }
  }

  /** Reads what the channel did not bring and passes it on; tries until Redis answers. */
  catchUp(): Promise<void> {
    this.#behind = true;
    this.#catchingUp ??= this.#readOn().finally(() => {
      this.#catchingUp = undefined;
    });
    return this.#catchingUp;
  }

  #heard(payload: unknown): void {
    const event = payload as RoomEvent;
    // A read that is under way may have been made before this event: it has to look again.
    if (this.#seq === undefined || this.#catchingUp) {
      this.#behind = true;
      return;
    }
    const born = this.#epoch === "" && event.seq === 1;
    const known = event.epoch === this.#epoch;
    if (event.seq === this.#seq + 1 && (known || born)) this.#pass(event);
    else if (!(known && event.seq <= this.#seq)) void this.catchUp();
  }

  async #readOn(): Promise<void> {
    while (this.#behind && !this.#closed) {
      this.#behind = false;
      try {
        const stretch = await this.read(this.#seq ?? 0, STRETCH);
        if (!continues(stretch, this.#epoch, this.#seq ?? 0)) this.#reset(stretch);
        else for (const event of stretch.events) this.#pass(event);
        if ((this.#seq ?? 0) < stretch.seq) this.#behind = true;
      } catch (error) {
        this.log.debug({ room: this.roomId, error: String(error) }, "could not read the room's log; trying again");
        this.#behind = true;
        await delay(RETRY_PAUSE);
      }
    }
  }

  #pass(event: RoomEvent): void {
    this.#seq = event.seq;
    this.#epoch = event.epoch;
    for (const cursor of this.#followers) cursor.offer(event);
  }

  #reset({ seq, epoch }: LogStretch): void {
    this.#seq = seq;
    this.#epoch = epoch;
    for (const cursor of this.#followers) cursor.follower.over(refusal("HISTORY_RESET", this.roomId));
    this.#followers.clear();
    this.#closeIfEmpty();
  }

  /** Brings a cursor from its position to where the feed stands; events that the feed passes meanwhile wait in it. */
  async #replay(cursor: Cursor, after: Position): Promise<void> {
    let epoch = after.epoch;
    cursor.waiting = [];
    while (!cursor.over) {
      const stretch = await this.read(cursor.seq, STRETCH);
      if (!continues(stretch, epoch, cursor.seq)) throw refusal("HISTORY_RESET", this.roomId);
      epoch = stretch.epoch;
      for (const event of stretch.events) cursor.tell(event);
      if (cursor.seq >= stretch.seq) break;
    }
    const { waiting } = cursor;
    cursor.waiting = undefined;
    for (const event of waiting) cursor.offer(event);
  }

  #closeIfEmpty(): void {
    if (this.#closed || this.#joining > 0 || this.#followers.size > 0) return;
    this.#closed = true;
    this.onEmpty();
    this.#opened.then(
      (unsubscribe) => unsubscribe(),
      () => {}, // those who asked to follow were told
    );
  }
}

/** Where one follower is in the room's events. */
class Cursor {
  waiting: RoomEvent[] | undefined;
  over = false;

  constructor(
    public seq: number,
    readonly follower: Follower,
  ) {}

  offer(event: RoomEvent): void {
    if (this.waiting) this.waiting.push(event);
    else if (event.seq > this.seq) this.tell(event);
  }

  tell(event: RoomEvent): void {
    this.seq = event.seq;
    if (!this.over) this.follower.event(event);
  }
}

/** Whether the stretch begins right after (epoch, seq), and not in another life of the log or behind a gap. */
function continues({ seq, epoch, events }: LogStretch, afterEpoch: string, after: number): boolean {
  if (epoch !== afterEpoch && !(afterEpoch === "" && after === 0)) return false;
  if (after > seq) return false;
  return after === seq || events[0]?.seq === after + 1;
}
