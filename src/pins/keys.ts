import type { RoomId } from "../util/ids.js";

/**
 * | key | type | holds |
 * |---|---|---|
 * | `pins:{room:ID}` | hash | id of a pinned message → `USER µs`: who pinned it, and when |
 */
export const pinKeys = {
  pins: (roomId: RoomId) => `pins:{room:${roomId}}`,
} as const;
