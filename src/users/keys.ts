import type { UserId } from "../util/ids.js";

/**
 * | key | type | holds |
 * |---|---|---|
 * | `total_users` | string | user id counter; if it exists, the database is in use |
 * | `username:NAME` | string | `user:ID` |
 * | `user:ID` | hash | the demos' `username` and `password` (bcrypt); Palaver's `name`, `email`, `createdAt`, `assistant`, `passwordSince` (s; set by `changePassword`); a guest's `guest`, `until` (ms, end of the last session), `claim` (JSON, a registration in progress), `ended` (1 once the guest's data is being deleted) |
 * | `user:ID:rooms` | set | ids of the user's rooms; includes `0` from registration on |
 * | `vacant:{total_users}` | bitmap | ids that were reserved and do not belong to an account (yet) |
 * | `guests:{total_users}` | sorted set | guest → when to check whether to forget them (s) |
 * | `looks:{total_users}` | hash | skeleton of a username (see `users/likeness.ts`) → the first user with such a name; while an account is being created, `USER DEADLINE` (s) |
 * | `named:{total_users}` | hash | `up_to` (the last user id whose name is in `looks`); `server` and `deadline` (s) of the server that is indexing |
 * | `highest_user_id:N` | string | the highest user id handed out; three copies, in other slots than the counter |
 * | `directory:2:{total_users}`| sorted set | the user search index, all of score 0: `<name, folded>\\0<user id>`, and `\\0<username, as mentions compare it>\\0<user id>`. The number in the key changes with the folding: servers of different versions each keep their own |
 * | `indexed:2:{total_users}` | hash | `up_to` (the last user id that is in the directory); `server` and `deadline` (s) of the server that is indexing; `guests`, set once the guests are in their list |
 * | `sends:{user:ID}` | string | when all sends charged to the user are paid off (ms) |
 * | `sessions:{user:ID}` | sorted set | SHA-256 of token → expiry in ms |
 * | `session-details:{user:ID}` | hash | SHA-256 of token → the session's id, kind, start and last use (ms); expires with the last session |
 */
export const userKeys = {
  totalUsers: "total_users",
  vacant: "vacant:{total_users}",
  /** @param n 0, 1 or 2: the number of the copy */
  highestUserId: (n: number) => `highest_user_id:${n}`,
  guests: "guests:{total_users}",
  looks: "looks:{total_users}",
  named: "named:{total_users}",
  directory: "directory:2:{total_users}",
  indexed: "indexed:2:{total_users}",
  formerDirectory: "directory:{total_users}",
  formerIndexed: "indexed:{total_users}",
  username: (name: string) => `username:${name}`,
  user: (id: UserId) => `user:${id}`,
  userRooms: (id: UserId) => `user:${id}:rooms`,
  sends: (userId: UserId) => `sends:{user:${userId}}`,
  sessions: (userId: UserId) => `sessions:{user:${userId}}`,
  sessionDetails: (userId: UserId) => `session-details:{user:${userId}}`,
} as const;

/** Events for one user. */
export const userChannels = {
  user: (id: UserId) => `user:${id}`,
} as const;
