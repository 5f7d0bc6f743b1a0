import type { UserId } from "../util/ids.js";

/**
 * | key | type | holds |
 * |---|---|---|
 * | `blocked:{user:ID}` | sorted set | user → when (µs) this user blocked them; `blocked:USER` in `meta` of their private room is authoritative |
 */
export const blockKeys = {
  blocked: (userId: UserId) => `blocked:{user:${userId}}`,
} as const;
