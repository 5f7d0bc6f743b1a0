import type { RoomId } from "../util/ids.js";

/**
 * | key | type | holds |
 * |---|---|---|
 * | `room:ID:name` | string | the room's name, if it has one |
 * | `room:ID` | sorted set | the room's history: JSON scored by time in seconds |
 * | `log:{room:ID}` | stream | the room's event log; the entry of event `seq` has the id `<seq>-0` |
 * | `meta:{room:ID}` | hash | the log's `seq` (last event), `epoch` (set when the log is created) and `time` (of the last event, µs); `known` (number of entries of `room:ID` that the log accounts for); other parts have further fields |
 * | `foreign:{room:ID}` | set | digests of the entries of `room:ID` that other programs added and the log knows |
 * | `own:{room:ID}` | sorted set | `USER:µs` of each entry of `room:ID`, by author. Also `!:µs:DIGEST` for each entry that is too long to be shown; other parts have further ones |
 * | `consumed:{room:ID}` | hash | places of consumers in the log. `NAME` is the first event that the consumer of that name has not handled, as `SEQ EPOCH µs`; absent if nothing waits. `NAME:fence` and `NAME:until` (ms) are the lease of the process that handles it, `NAME:tries` counts how often that event was begun |
 * | `confirmed:{room:ID}` | string | written so that replicas confirm it, with `ACK_REPLICAS`; expires |
 */
export const logKeys = {
  roomName: (id: string) => `room:${id}:name`,
  room: (id: string) => `room:${id}`,
  log: (roomId: RoomId) => `log:{room:${roomId}}`,
  meta: (roomId: RoomId) => `meta:{room:${roomId}}`,
  foreign: (roomId: RoomId) => `foreign:{room:${roomId}}`,
  own: (roomId: RoomId) => `own:{room:${roomId}}`,
  consumed: (roomId: RoomId) => `consumed:{room:${roomId}}`,
  confirmed: (roomId: RoomId) => `confirmed:{room:${roomId}}`,
} as const;

/** Events of the room, and notifications about it that are not stored. */
export const logChannels = {
  room: (id: string) => `room:${id}`,
} as const;

/** The keys of a room's log, and of the room itself. */
export const keysOfLog = (roomId: RoomId): string[] =>
  [logKeys.room, logKeys.log, logKeys.meta, logKeys.foreign, logKeys.own, logKeys.consumed].map((of) => of(roomId));
