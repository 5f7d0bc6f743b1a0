import type { RoomId } from "../util/ids.js";

/**
 * | key | type | holds |
 * |---|---|---|
 * | `assistant` | string | the assistant's user id |
 * | `replies:{assistant}` | hash | number of ended answers, by state |
 * | `reply:{room:ID}` | hash | the answer that is being written, or that ended within the last minute: see `lua/shared/reply.lua` |
 * | `writing:{room:ID}` | string | the text of that answer so far |
 * | `cancelled:{room:ID}` | hash | user → the log's last event when that user last cancelled questions; expires |
 * | `withdrawn:{room:ID}` | sorted set | questions cancelled before any of the answer was written → time (s); expires |
 */
export const assistantKeys = {
  assistant: "assistant",
  replies: "replies:{assistant}",
  reply: (roomId: RoomId) => `reply:{room:${roomId}}`,
  writing: (roomId: RoomId) => `writing:{room:${roomId}}`,
  cancelled: (roomId: RoomId) => `cancelled:{room:${roomId}}`,
  withdrawn: (roomId: RoomId) => `withdrawn:{room:${roomId}}`,
} as const;

/** Names the consumer that answers. */
export const ASSISTANT = "assistant";

/** Its keys of a room. */
export const keysOfAssistant = (roomId: RoomId): string[] =>
  [assistantKeys.reply, assistantKeys.writing, assistantKeys.cancelled, assistantKeys.withdrawn].map((of) => of(roomId));
