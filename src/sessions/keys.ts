/**
 * | key | type | holds |
 * |---|---|---|
 * | `attempts:LIMIT:WHO` | string | recent attempts, such as wrong passwords from an address; WHO is hashed; expires |
 */
export const sessionKeys = {
  attempts: (limit: string, who: string) => `attempts:${limit}:${who}`,
} as const;
