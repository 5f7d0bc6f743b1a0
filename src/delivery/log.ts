import { channels } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import type { Position } from "./position.js";
import type { RecentRanges } from "./recent-ranges.js";

/** An event as the log and the channel carry it; `kind` and what comes with it belong to the features. */
export interface RoomEvent {
  seq: number;
  epoch: string;
  kind: string;
  /** Microseconds since 1970, by Redis's clock. */
  at: number;
}

/** An event in its place: one object on this server for all who are told of it. */
export interface Entry<V> {
  position: Position;
  /** What the features made of the event; undefined for one that tells followers nothing. */
  value: V | undefined;
  /** Of its JSON, in characters: about how much memory it takes. */
  size: number;
}

/** Makes of an event what followers are told. */
export type ReadEvent<V> = (event: RoomEvent, position: Position) => V | undefined;

/** What the features know about events of the past. */
export interface Hindsight<V> {
  /** What followers who come back are told of these events now; the same objects where nothing has changed since. */
  now(values: readonly V[]): Promise<V[]>;
  /** Whether this event changes what is to be told of earlier ones. */
  alters(value: V): boolean;
}

/** A place in a room's events. */
export type Place = Omit<Position, "roomId">;

/** Entries of a log from some seq on, and where the log stood when they were read. */
export interface Stretch<V> {
  end: Place;
  entries: Entry<V>[];
}

const MOST_EVENTS = 100; // read from Redis at once: with the messages as they are now that takes about 5 ms
const MOST_BYTES = 64 * 1024; // the same

/** Reads a room's log, and knows what follows what in it. */
export class RoomLog<V> {
  readonly #scripts: Scripts;
  readonly #readEvent: ReadEvent<V>;
  readonly #hindsight: Hindsight<V>;
  readonly channel: string;
  readonly #recent: RecentRanges<V>;

  constructor(
    readonly roomId: string,
    scripts: Scripts,
    readEvent: ReadEvent<V>,
    hindsight: Hindsight<V>,
    recent: RecentRanges<V>,
  ) {
    this.#scripts = scripts;
    this.#readEvent = readEvent;
    this.#hindsight = hindsight;
    this.#recent = recent;
    this.channel = channels.room(roomId);
  }

  /** Where the log stands, without any event. */
  async end(): Promise<Position> {
    const { end } = await this.#read("", 0);
    return { roomId: this.roomId, ...end };
  }

  /** The newest events, at most so many. */
  newest(count: number): Promise<Stretch<V>> {
    return this.#read("", count);
  }

  /** Events from a seq on: a few hundred, or fewer where they are long. */
  async from(seq: number): Promise<Stretch<V>> {
    const stretch = await this.#read(seq, MOST_EVENTS);
    this.#recent.add(this.roomId, stretch);
    return stretch;
  }

  /** Events that were read within the last moments, of which the first is at this seq or before, and the last behind it. */
  lately(seq: number): Stretch<V> | undefined {
    return this.#recent.find(this.roomId, seq);
  }

  /** These entries as followers are told of them now. */
  async asTheyStand(entries: Entry<V>[]): Promise<Entry<V>[]> {
    const values = await this.#hindsight.now(entries.flatMap(({ value }) => (value === undefined ? [] : [value])));
    let next = 0;
    return entries.map((entry) => (entry.value === undefined ? entry : { ...entry, value: values[next++] }));
  }

  /** Whether this event changes what is to be told of earlier ones. */
  alters({ value }: Entry<V>): boolean {
    return value !== undefined && this.#hindsight.alters(value);
  }

  /** The log began anew: what was read of it is no longer true. */
  forget(): void {
    this.#recent.forget(this.roomId);
  }

  /**
   * The entry of an event that was heard on the channel; undefined for anything else that someone published there.
   * @param size characters of its JSON
   */
  entry(payload: unknown, size: number): Entry<V> | undefined {
    return isRoomEvent(payload) ? this.#entry(payload, size) : undefined;
  }

  async #read(from: number | "", count: number): Promise<Stretch<V>> {
    const { roomId } = this;
    const [seq, epoch, at, events] = (await this.#scripts.onRoom("log_read", roomId, [from, count, MOST_BYTES])) as [
      number,
      string,
      number,
      string[],
    ];
    return { end: { seq, epoch, at }, entries: events.map((json) => this.#entry(JSON.parse(json) as RoomEvent, json.length)) };
  }

  #entry(event: RoomEvent, size: number): Entry<V> {
    const { seq, epoch, at } = event;
    const position = { roomId: this.roomId, epoch, seq, at };
    return { position, value: this.#readEvent(event, position), size };
  }
}

export const isSamePlace = (one: Place, other: Place) => one.seq === other.seq && one.epoch === other.epoch && one.at === other.at;

/** Whether this is the very next event. To a place before the first event any log would seem to fit: there only reading tells. */
export function follows(next: Place, { epoch, seq }: Place): boolean {
  return next.seq === seq + 1 && next.epoch === epoch;
}

/** Whether this event has been passed on already, rather than another one with a number that was given out again. */
export function isKnown(event: Place, { epoch, seq, at }: Place): boolean {
  return event.epoch === epoch && event.seq <= seq && event.at <= at;
}

/**
 * The entries that come right after a place, from a stretch that begins at the place's seq or before.
 * @returns undefined where they do not: another life of the log, its end lost, or a gap
 */
export function after<V>(place: Place, { end, entries }: Stretch<V>): Entry<V>[] | undefined {
  if (end.epoch !== place.epoch && !isBeginning(place)) return undefined;
  if (place.seq > end.seq || (place.seq === end.seq && place.at !== end.at)) return undefined;
  const first = entries[0]?.position.seq ?? 0;
  const here = entries[place.seq - first]?.position;
  if (here?.seq === place.seq && here.at !== place.at) return undefined;
  const later = entries.slice(Math.max(0, place.seq + 1 - first));
  return place.seq === end.seq || later[0]?.position.seq === place.seq + 1 ? later : undefined;
}

const isBeginning = ({ epoch, seq }: Pick<Place, "epoch" | "seq">) => epoch === "" && seq === 0;

function isRoomEvent(payload: unknown): payload is RoomEvent {
  const { seq, epoch, kind, at } = (payload ?? {}) as Partial<RoomEvent>;
  return typeof seq === "number" && typeof epoch === "string" && typeof kind === "string" && typeof at === "number";
}
