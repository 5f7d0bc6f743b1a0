import { channels, keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import type { Position } from "./position.js";

/** An event as the log and the channel carry it; `kind` and what comes with it belong to the features. */
export interface RoomEvent {
  seq: number;
  epoch: string;
  kind: string;
  /** Microseconds since 1970, by Redis's clock. */
  at: number;
}

/** An event in its place: one object on this server for all who are told of it. */
export interface Entry {
  event: RoomEvent;
  position: Position;
  /** Of its JSON, in characters: about how much memory it takes. */
  size: number;
}

/** A place in a room's events. */
export type Place = Omit<Position, "roomId">;

/** Entries of a log from some seq on, and where the log stood when they were read. */
export interface Stretch {
  end: Place;
  entries: Entry[];
}

const MOST_EVENTS = 500; // read from Redis at once
const MOST_BYTES = 256 * 1024; // the same
const LATELY = 2_000; // ms for which those who come back share what was read for others

/** Reads a room's log, and knows what follows what in it. */
export class RoomLog {
  readonly #scripts: Scripts;
  readonly channel: string;
  #readLately: { at: number; stretch: Stretch }[] = [];

  constructor(
    readonly roomId: string,
    scripts: Scripts,
  ) {
    this.#scripts = scripts;
    this.channel = channels.room(roomId);
  }

  /** Where the log stands, without any event. */
  async end(): Promise<Position> {
    const { end } = await this.#read("", 0);
    return { roomId: this.roomId, ...end };
  }

  /** The newest events, at most so many. */
  newest(count: number): Promise<Stretch> {
    return this.#read("", count);
  }

  /** Events from a seq on: a few hundred, or fewer where they are long. */
  async from(seq: number): Promise<Stretch> {
    const stretch = await this.#read(seq, MOST_EVENTS);
    const at = performance.now();
    this.#readLately = this.#readLately.filter((read) => at - read.at < LATELY);
    this.#readLately.push({ at, stretch });
    return stretch;
  }

  /** Events that were read within the last moments, of which the first is at this seq or before, and the last behind it. */
  lately(seq: number): Stretch | undefined {
    const since = performance.now() - LATELY;
    const fits = ({ entries }: Stretch) =>
      (entries[0]?.event.seq ?? Number.POSITIVE_INFINITY) <= seq && (entries.at(-1)?.event.seq ?? 0) > seq;
    return this.#readLately.find(({ at, stretch }) => at > since && fits(stretch))?.stretch;
  }

  /** The log began anew: what was read of it is no longer true. */
  forget(): void {
    this.#readLately = [];
  }

  /** The entry of an event that was heard on the channel; undefined for anything else that someone published there. */
  entry(payload: unknown): Entry | undefined {
    return isRoomEvent(payload) ? this.#entry(payload, JSON.stringify(payload).length) : undefined;
  }

  async #read(from: number | "", count: number): Promise<Stretch> {
    const { roomId } = this;
    const [seq, epoch, at, events] = (await this.#scripts.run(
      "log_read",
      [keys.log(roomId), keys.meta(roomId)],
      [from, count, MOST_BYTES],
    )) as [number, string, number, string[]];
    return { end: { seq, epoch, at }, entries: events.map((json) => this.#entry(JSON.parse(json) as RoomEvent, json.length)) };
  }

  #entry(event: RoomEvent, size: number): Entry {
    return { event, position: { roomId: this.roomId, ...placeOf(event) }, size };
  }
}

/** The place alone, of something that has one. */
export const placeOf = ({ epoch, seq, at }: Place): Place => ({ epoch, seq, at });

export const isSamePlace = (one: Place, other: Place) => one.seq === other.seq && one.epoch === other.epoch && one.at === other.at;

/** Whether this is the very next event. */
export function follows(event: RoomEvent, { epoch, seq }: Place): boolean {
  return event.seq === seq + 1 && (event.epoch === epoch || isBeginning({ epoch, seq }));
}

/** Whether this event has been passed on already, rather than another one with a number that was given out again. */
export function isKnown(event: RoomEvent, { epoch, seq, at }: Place): boolean {
  return event.epoch === epoch && event.seq <= seq && event.at <= at;
}

/**
 * The entries that come right after a place, from a stretch that begins at the place's seq or before.
 * @returns undefined where they do not: another life of the log, its end lost, or a gap
 */
export function after(place: Place, { end, entries }: Stretch): Entry[] | undefined {
  if (end.epoch !== place.epoch && !isBeginning(place)) return undefined;
  if (place.seq > end.seq || (place.seq === end.seq && place.at !== end.at)) return undefined;
  const first = entries[0]?.event.seq ?? 0;
  const here = entries[place.seq - first]?.event;
  if (here?.seq === place.seq && here.at !== place.at) return undefined;
  const later = entries.slice(Math.max(0, place.seq + 1 - first));
  return place.seq === end.seq || later[0]?.event.seq === place.seq + 1 ? later : undefined;
}

const isBeginning = ({ epoch, seq }: Pick<Place, "epoch" | "seq">) => epoch === "" && seq === 0;

function isRoomEvent(payload: unknown): payload is RoomEvent {
  const { seq, epoch, kind, at } = (payload ?? {}) as Partial<RoomEvent>;
  return typeof seq === "number" && typeof epoch === "string" && typeof kind === "string" && typeof at === "number";
}
