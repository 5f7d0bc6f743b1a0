import type { RoomId, UserId } from "../util/ids.js";

/**
 * | key | type | holds |
 * |---|---|---|
 * | `making:USER:HASH` | string | the room that belongs to a user's clientRoomId, and a digest of the arguments of the call; 25 hours |
 * | `made:{room:ID}` | string | `made` once the group exists, `told` once its members are notified; outlives `making` |
 */
export const groupKeys = {
  making: (userId: UserId, hash: string) => `making:${userId}:${hash}`,
  made: (roomId: RoomId) => `made:{room:${roomId}}`,
} as const;
