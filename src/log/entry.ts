import type { Position } from "./position.js";

/** An event as stored in the log and published on the channel; `kind` and all further fields belong to the features. */
export interface RoomEvent {
  seq: number;
  epoch: string;
  kind: string;
  /** Microseconds since 1970, by Redis's clock. */
  at: number;
}

/** An event with its position: one object on this server for all subscribers. */
export interface Entry<V> {
  position: Position;
  /** The value that the features turned the event into; undefined if subscribers do not get the event. */
  value: V | undefined;
  /** Characters of its JSON, roughly the memory that it takes. */
  size: number;
}

/** A position in the log of a known room. */
export type Place = Omit<Position, "roomId">;

/** A range of a log: entries from some seq on, and the end of the log when they were read. */
export interface LogRange<V> {
  end: Place;
  entries: Entry<V>[];
}

export const isSamePlace = (one: Place, other: Place) => one.seq === other.seq && one.epoch === other.epoch && one.at === other.at;

/** Whether `next` directly follows the place. Never true before the first event: any log would seem to fit there, so it has to be read. */
export function follows(next: Place, { epoch, seq }: Place): boolean {
  return next.seq === seq + 1 && next.epoch === epoch;
}

/** Whether this event has already been passed on, rather than a different event whose number was assigned a second time. */
export function isKnown(event: Place, { epoch, seq, at }: Place): boolean {
  return event.epoch === epoch && event.seq <= seq && event.at <= at;
}

/**
 * The entries directly after a place, from a range that begins at the place's seq or before.
 * @returns undefined if the place cannot be resumed: the log was restarted, its end was lost, or there is a gap
 */
export function after<V>(place: Place, { end, entries }: LogRange<V>): Entry<V>[] | undefined {
  if (end.epoch !== place.epoch && !isBeginning(place)) return undefined;
  if (place.seq > end.seq || (place.seq === end.seq && place.at !== end.at)) return undefined;
  const first = entries[0]?.position.seq ?? 0;
  const here = entries[place.seq - first]?.position;
  if (here?.seq === place.seq && here.at !== place.at) return undefined;
  const later = entries.slice(Math.max(0, place.seq + 1 - first));
  return place.seq === end.seq || later[0]?.position.seq === place.seq + 1 ? later : undefined;
}

const isBeginning = ({ epoch, seq }: Pick<Place, "epoch" | "seq">) => epoch === "" && seq === 0;
