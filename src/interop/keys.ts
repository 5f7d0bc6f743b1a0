/**
 * | key | type | holds |
 * |---|---|---|
 * | `meta:{room:ID}` | hash | `since`, `puzzle`, `deadline`, `awaited`, `dated`, `at:DIGEST` (all explained in `interop/lua/shared/other_writers.lua`) |
 * | `seeding:{total_users}` | string | while a server fills an empty database: when another server may take over (s) |
 */
export const demoKeys = {
  seeding: "seeding:{total_users}",
} as const;

/** What Palaver and the demo apps tell each other. */
export const demoChannels = {
  /** The demo apps' own channel; not sharded. */
  demos: "MESSAGES",
} as const;
