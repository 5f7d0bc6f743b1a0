import type { RoomId, UserId } from "../util/ids.js";

/**
 * | key | type | holds |
 * |---|---|---|
 * | `meta:{room:ID}` | hash | of a private room: `opened:USER` (1 if that user opened it), `blocked:USER` (set if that user blocks the other), `shown` (0 until its users are notified of its first message, then 1) and `showing` (since when `shown` is 0, µs). Of a group: `name`, of which `room:ID:name` is a copy, `mayInvite`, and `joined:USER` (position of the log just before the user joined) |
 * | `members:{room:ID}` | hash | of a group: user → `OWNER µs` or `MEMBER µs`, the time of joining; authoritative, `user:ID:rooms` is only a copy |
 * | `spoken:N` | sorted set | room → time of its last message (µs; 0 if it has none), for the order of `rooms`; eight keys, chosen by a hash of the room's id. Only a hint, because the room is in another slot |
 * | `opened:{user:ID}` | set | private rooms that the user opened; those opened by others do not count |
 * | `reads:{room:ID}` | hash | user → score and id of the message up to which they have read |
 */
export const roomKeys = {
  opened: (userId: UserId) => `opened:{user:${userId}}`,
  members: (roomId: RoomId) => `members:{room:${roomId}}`,
  /** @param shard chosen by the room's id, in `room-list.store` */
  spoken: (shard: number) => `spoken:${shard}`,
  reads: (roomId: RoomId) => `reads:{room:${roomId}}`,
} as const;
