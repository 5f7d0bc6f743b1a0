import type { RoomId } from "../util/ids.js";

/**
 * | key | type | holds |
 * |---|---|---|
 * | `room:ID` | sorted set | the messages of the room |
 * | `own:{room:ID}` | sorted set | `@:µs:DIGEST` for each demo app's message whose mentions are still to be looked up |
 * | `meta:{room:ID}` | hash | `named:µs:DIGEST` (users whom a demo app's message mentions); `told:ID` (time, in µs, at which the log took in a message whose date differs) |
 * | `mentioned:{room:ID}` | sorted set | `USER:µs` of each message, by mentioned user; for a demo app's message with `:DIGEST` appended |
 * | `reactions:{room:ID}` | hash | message id → its reactions as JSON, `[[emoji, count, first users], …]`; `ID EMOJI` → all users, in order |
 * | `deleted:{room:ID}` | sorted set | `USER MESSAGE` → time of deletion (s), for each user who may repeat the deletion; two days |
 * | `sent:{room:ID}:DAY` | hash | user and clientMessageId → the result of that send |
 * | `trimming` | string | the server that is trimming histories, or recently did; expires |
 */
export const messageKeys = {
  mentioned: (roomId: RoomId) => `mentioned:{room:${roomId}}`,
  reactions: (roomId: RoomId) => `reactions:{room:${roomId}}`,
  deleted: (roomId: RoomId) => `deleted:{room:${roomId}}`,
  /** @param day days since 1970, UTC */
  sent: (roomId: RoomId, day: number) => `sent:{room:${roomId}}:${day}`,
  trimming: "trimming",
} as const;

const DAY = 86_400_000; // ms

/** The keys of a room's messages. Sends are remembered for two days by Redis's clock, which may differ from ours by a day. */
export function keysOfMessages(roomId: RoomId): string[] {
  const today = Math.floor(Date.now() / DAY);
  const days = [-3, -2, -1, 0, 1].map((offset) => messageKeys.sent(roomId, today + offset));
  return [messageKeys.mentioned, messageKeys.reactions].map((of) => of(roomId)).concat(days);
}
