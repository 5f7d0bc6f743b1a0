import type { Logger } from "pino";
import { refusal } from "../errors.js";
import { onceRedisAnswers } from "../redis/connect.js";
import { channels, keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import type { Channels } from "./channels.js";
import { BEGINNING, type Position } from "./position.js";

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
  /** @param position where the event stands; the same object for every follower */
  event(event: RoomEvent, position: Position): void;
  over(reason: unknown): void;
}

export interface Following {
  from: Position;
  stop: () => void;
}

/** Follows the logs of rooms for the whole server: one Redis subscription per room, however many followers. */
export class RoomFeeds {
  readonly #rooms = new Map<string, RoomFeed>();
  readonly #channels: Channels;
  readonly #scripts: Scripts;
  readonly #log: Logger;
  readonly #check: NodeJS.Timeout;

  constructor(channels: Channels, scripts: Scripts, log: Logger) {
    this.#channels = channels;
    this.#scripts = scripts;
    this.#log = log;
    const lookAgain = () => {
      for (const room of this.#rooms.values()) room.catchUp();
    };
    channels.onReconnect(lookAgain);
    this.#check = setInterval(lookAgain, CHECK).unref();
  }

  /** Ends the regular checks. */
  close(): void {
    clearInterval(this.#check);
  }

  /** The number of rooms followed here. */
  get size(): number {
    return this.#rooms.size;
  }

  /** Where the room's events stand now. */
  async position(roomId: string): Promise<Position> {
    const { end } = await this.#read(roomId, Number.MAX_SAFE_INTEGER, 1);
    return { roomId, ...end };
  }

  /**
   * Tells the follower every event of the room after a position, or from now on.
   * @returns where it began, and a function that ends it; the follower hears nothing after that
   * @throws ChatError HISTORY_RESET where the position cannot be continued
   */
  async follow(roomId: string, after: Position | undefined, follower: Follower): Promise<Following> {
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

  async #read(roomId: string, from: number | "", count: number): Promise<LogStretch> {
    const [seq, epoch, at, events] = (await this.#scripts.run("log_read", [keys.log(roomId), keys.meta(roomId)], [from, count])) as [
      number,
      string,
      number,
      string[],
    ];
    return { end: { seq, epoch, at }, events: events.map((event) => JSON.parse(event) as RoomEvent) };
  }
}

/** A place in the room's events. */
type Place = Omit<Position, "roomId">;

/** Events of a log from some seq on, and where the log stood when they were read. */
interface LogStretch {
  end: Place;
  events: RoomEvent[];
}

/**
 * Milliseconds between two looks at where the log of each followed room stands. Pub/sub promises nothing: should an event be
 * lost in a way that shows in no broken connection, a room where nothing else happens would never notice.
 */
const CHECK = 10_000;

const STRETCH = 500; // events read from Redis at once
const REMEMBERED = 100; // events kept per followed room, at least; a message has at most 40 KB, and mostly a hundredth of that

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
  #place: Place | undefined; // once it is known where the log stands
  /** The newest events, so that who was away for a short while needs nothing from Redis. */
  #recent: RoomEvent[] = [];
  /** Reads of the log that are under way, by where they begin: those who come back together share them. */
  readonly #reads = new Map<number, Promise<LogStretch>>();
  #behind = false; // there may be events that were neither heard nor read
  #catchingUp: Promise<void> | undefined;

  constructor(
    readonly roomId: string,
    redisChannels: Channels,
    readonly read: (from: number | "", count: number) => Promise<LogStretch>,
    readonly log: Logger,
    readonly onEmpty: () => void,
  ) {
    this.#opened = (async () => {
      const unsubscribe = await redisChannels.subscribe(channels.room(roomId), (payload) => {
        if (isRoomEvent(payload)) this.#heard(payload);
      });
      try {
        const { end, events } = await this.read("", REMEMBERED);
        this.#place = end;
        // Only what leads up to where the log stands: after a loss there may be other things in it.
        if (events.at(-1)?.seq === end.seq && events.every(({ epoch }) => epoch === end.epoch)) this.#recent = events;
        if (this.#behind) this.catchUp();
      } catch (error) {
        unsubscribe();
        throw error;
      }
      return unsubscribe;
    })();
  }

  async follow(after: Position | undefined, follower: Follower): Promise<Following> {
    this.#joining++;
    try {
      await this.#opened;
      const from = after ?? this.#place ?? BEGINNING;
      const cursor = new Cursor(from, follower);
      this.#followers.add(cursor);
      try {
        if (after) await this.#replay(cursor);
      } catch (error) {
        this.#followers.delete(cursor);
        throw error;
      }
      const stop = () => {
        cursor.over = true;
        this.#followers.delete(cursor);
        this.#closeIfEmpty();
      };
      return { from: { ...placeOf(from), roomId: this.roomId }, stop };
    } finally {
      this.#joining--;
      this.#closeIfEmpty();
    }
  }

  /** Reads what the channel did not bring and passes it on; tries until Redis answers. */
  catchUp(): void {
    this.#behind = true;
    if (!this.#place) return; // opening looks again
    this.#catchingUp ??= this.#readOn(this.#place)
      .catch((err: unknown) => this.log.error({ err, room: this.roomId }, "could not read the room's log"))
      .finally(() => {
        this.#catchingUp = undefined;
      });
  }

  #heard(event: RoomEvent): void {
    const place = this.#place;
    // A read that is under way may have been made before this event: it has to look again.
    if (!place || this.#catchingUp) this.#behind = true;
    else if (follows(event, place)) this.#pass(event);
    else if (!isKnown(event, place)) this.catchUp();
  }

  async #readOn(from: Place): Promise<void> {
    let place = from;
    while (this.#behind && !this.#closed) {
      this.#behind = false;
      const { seq } = place;
      const stretch = await onceRedisAnswers(
        () => this.read(seq, STRETCH),
        () => !this.#closed,
      );
      if (!stretch) return;
      const events = after(place, stretch);
      if (events) for (const event of events) this.#pass(event);
      else this.#reset(stretch.end);
      place = events ? (events.at(-1) ?? place) : stretch.end;
      if (place.seq < stretch.end.seq) this.#behind = true;
    }
  }

  #pass(event: RoomEvent): void {
    this.#place = event;
    this.#recent.push(event);
    if (this.#recent.length > 2 * REMEMBERED) this.#recent = this.#recent.slice(-REMEMBERED);
    const position = this.#positionOf(event);
    for (const cursor of this.#followers) cursor.offer(event, position);
  }

  #reset(end: Place): void {
    this.#place = end;
    this.#recent = [];
    for (const cursor of this.#followers) cursor.end(refusal("HISTORY_RESET", this.roomId));
    this.#followers.clear();
    this.#closeIfEmpty();
  }

  /** Brings a cursor from its position to where the feed stands; events that the feed passes meanwhile wait in it. */
  async #replay(cursor: Cursor): Promise<void> {
    cursor.waiting = [];
    while (!cursor.over) {
      const stretch = this.#remembered(cursor.place) ?? (await this.#readTogether(cursor.place.seq));
      const events = after(cursor.place, stretch);
      if (!events) throw refusal("HISTORY_RESET", this.roomId);
      for (const event of events) cursor.tell(event, this.#positionOf(event));
      if (cursor.place.seq >= stretch.end.seq) break;
    }
    const { waiting } = cursor;
    cursor.waiting = undefined;
    for (const event of waiting) cursor.offer(event, this.#positionOf(event));
  }

  #positionOf(event: RoomEvent): Position {
    return { roomId: this.roomId, ...placeOf(event) };
  }

  /** What is remembered from a place on; undefined where the memory does not reach back to it. */
  #remembered({ seq }: Place): LogStretch | undefined {
    const first = this.#recent[0]?.seq;
    if (!this.#place || first === undefined || seq < first || seq > this.#place.seq) return undefined;
    return { end: placeOf(this.#place), events: this.#recent.slice(seq - first) };
  }

  #readTogether(seq: number): Promise<LogStretch> {
    const reading = this.#reads.get(seq) ?? this.read(seq, STRETCH).finally(() => this.#reads.delete(seq));
    this.#reads.set(seq, reading);
    return reading;
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
    public place: Place,
    readonly follower: Follower,
  ) {}

  offer(event: RoomEvent, position: Position): void {
    if (this.waiting) this.waiting.push(event);
    else if (event.seq > this.place.seq) this.tell(event, position);
  }

  tell(event: RoomEvent, position: Position): void {
    this.place = position;
    if (!this.over) this.follower.event(event, position);
  }

  end(reason: unknown): void {
    if (!this.over) this.follower.over(reason);
    this.over = true;
  }
}

const placeOf = ({ epoch, seq, at }: Place): Place => ({ epoch, seq, at });

/** Whether this is the very next event. */
function follows(event: RoomEvent, { epoch, seq }: Place): boolean {
  return event.seq === seq + 1 && (event.epoch === epoch || isBeginning({ epoch, seq }));
}

/** Whether this event has been passed on already, rather than another one with a number that was given out again. */
function isKnown(event: RoomEvent, { epoch, seq, at }: Place): boolean {
  return event.epoch === epoch && event.seq <= seq && event.at <= at;
}

const isBeginning = ({ epoch, seq }: Pick<Place, "epoch" | "seq">) => epoch === "" && seq === 0;

/**
 * The events that come right after a place, from a stretch that was read from the place's seq on.
 * @returns undefined where they do not: another life of the log, its end lost, or a gap
 */
function after(place: Place, { end, events }: LogStretch): RoomEvent[] | undefined {
  if (end.epoch !== place.epoch && !isBeginning(place)) return undefined;
  if (place.seq > end.seq || (place.seq === end.seq && place.at !== end.at)) return undefined;
  const [here] = events;
  if (here?.seq === place.seq && here.at !== place.at) return undefined;
  const later = events.filter(({ seq }) => seq > place.seq);
  return place.seq === end.seq || later[0]?.seq === place.seq + 1 ? later : undefined;
}

function isRoomEvent(payload: unknown): payload is RoomEvent {
  const { seq, epoch, kind, at } = (payload ?? {}) as Partial<RoomEvent>;
  return typeof seq === "number" && typeof epoch === "string" && typeof kind === "string" && typeof at === "number";
}
