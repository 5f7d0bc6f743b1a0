import type { UserId } from "../util/ids.js";

/**
 * | key | type | holds |
 * |---|---|---|
 * | `online_users` | set | ids of the users who are online |
 * | `presence:{user:ID}` | hash | server → the user's open connections there; `version` |
 * | `versions:{online_users}`| hash | user → version last applied to `online_users` |
 * | `announced:{online_users}`| set | ids of the users whom subscribers currently see as online |
 * | `lease:SERVER` | string | expires unless the server renews it |
 * | `sweep:SERVER` | string | the server that removes the connections of that dead server; expires |
 * | `users:SERVER` | set | ids of the users with connections there |
 * | `servers` | set | servers whose users need cleanup if the server dies |
 */
export const presenceKeys = {
  presence: (userId: UserId) => `presence:{user:${userId}}`,
  onlineUsers: "online_users",
  onlineVersions: "versions:{online_users}",
  announced: "announced:{online_users}",
  lease: (server: string) => `lease:${server}`,
  sweep: (server: string) => `sweep:${server}`,
  serverUsers: (server: string) => `users:${server}`,
  servers: "servers",
} as const;

/** Who came online or went offline. */
export const presenceChannels = {
  onlineUsers: "online_users",
} as const;
