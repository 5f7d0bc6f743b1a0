import type { UserId } from "../util/ids.js";

/**
 * | key | type | holds |
 * |---|---|---|
 * | `marks:{user:ID}` | string | the same for `markRead` |
 */
export const readKeys = {
  marks: (userId: UserId) => `marks:{user:${userId}}`,
} as const;
