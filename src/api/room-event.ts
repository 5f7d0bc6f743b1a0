import type { RoomEvent as LogEvent } from "../log/entry.js";
import type { ReadEvent } from "../log/log.js";
import { encodePosition } from "../log/position.js";
import type { RoomId } from "../util/ids.js";

/**
 * The kinds of events in the logs of rooms, with the fields that each has in the API. Each feature adds its own:
 *
 *     declare module "../api/room-event.js" {
 *       interface RoomEventFields { "message.pinned": { messageId: string } }
 *     }
 */
// biome-ignore lint/suspicious/noEmptyInterface: the features add to it
export interface RoomEventFields {}

type KindName = keyof RoomEventFields;

/** An event of a room, as the API returns it. */
export type RoomEventRecord = {
  [K in KindName]: { kind: K; position: string; roomId: RoomId; at: Date } & RoomEventFields[K];
}[KindName];

/** Where an event is: its room, and its position as clients get it. */
export interface EventPlace {
  roomId: RoomId;
  position: string;
}

interface KindOf<K extends KindName> {
  /** Two words. The GraphQL type of `message.added` is `MessageAdded`. */
  kind: K;
  /** That type. */
  // biome-ignore lint/complexity/noBannedTypes: type-graphql's own type
  type: Function;
  /**
   * Reads the fields of an event in the log; undefined for a malformed event, since anyone who can write to this Redis may have written
   * it.
   */
  read(event: Record<string, unknown>, place: EventPlace): RoomEventFields[K] | undefined;
  /** Whether it changes what an earlier event delivered. */
  alters?: boolean;
}

/** A kind of event, as the feature that adds it declares it. */
export type RoomEventKind = { [K in KindName]: KindOf<K> }[KindName];

/** The name of the GraphQL type of a kind. */
export const typeNameOf = (kind: string): string => kind.replace(/(?:^|\.)(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Returns a reader of events; it returns undefined for an unknown kind and for a malformed event. */
export function eventReader(kinds: readonly RoomEventKind[]): ReadEvent<RoomEventRecord> {
  const readers = new Map<string, RoomEventKind["read"]>(kinds.map(({ kind, read }) => [kind, read]));
  return (event: LogEvent, place) => {
    const position = encodePosition(place);
    const fields = readers.get(event.kind)?.({ ...event }, { roomId: place.roomId, position });
    if (!fields) return undefined;
    return { kind: event.kind, position, roomId: place.roomId, at: new Date(event.at / 1_000), ...fields } as RoomEventRecord;
  };
}
