/**
 * | key | type | holds |
 * |---|---|---|
 * | `marks:{user:ID}` | string | the same for `markRead` |
 */
export const readKeys = {
  marks: (userId: string) => `marks:{user:${userId}}`,
} as const;
