import type { RoomId } from "../util/ids.js";

/**
 * | key | type | holds |
 * |---|---|---|
 * | `room:ID:name` | string | the room's name; absent for private rooms. For a group, a copy of `name` in `meta` |
 * | `room:ID` | sorted set | messages: JSON scored by time in seconds |
 * | `log:{room:ID}` | stream | the room's event log; the entry of event `seq` has the id `<seq>-0` |
 * | `meta:{room:ID}` | hash | the log's `seq` (last event), `epoch` (set when the log is created) and `time` (of the last event, µs); `opened:USER` (1 if that user opened this private room); `shown` (0 until the users of a private room are notified of its first message, then 1) and `showing` (since when `shown` is 0, µs); a group's `name`, `mayInvite` and `joined:USER` (position of the log just before the user joined); `known` (number of members of `room:ID` that the log accounts for), `since`, `puzzle`, `deadline`, `awaited`, `dated`, `at:DIGEST` (all explained in `interop/lua/shared/other_writers.lua`); `named:µs:DIGEST` (users whom a demo app's message mentions); `told:ID` (time, in µs, at which the log took in a message whose date differs); in a private room `blocked:USER` (set if that user blocks the other) |
 * | `foreign:{room:ID}` | set | digests of the messages that demo apps wrote and the log knows |
 * | `own:{room:ID}` | sorted set | `USER:µs` of each message, by author: a user's own messages do not count as unread. Also `@:µs:DIGEST` for each demo app's message whose mentions are still to be looked up, and `!:µs:DIGEST` for each member that is too long to be a message |
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
