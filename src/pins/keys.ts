/**
 * | key | type | holds |
 * |---|---|---|
 * | `pins:{room:ID}` | hash | id of a pinned message → `USER µs`: who pinned it, and when |
 */
export const pinKeys = {
  pins: (roomId: string) => `pins:{room:${roomId}}`,
} as const;
