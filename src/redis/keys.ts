/**
 * | key | type | holds |
 * |---|---|---|
 * | `probe:SERVER`, `probe:{TAG}:SERVER` | string | written by that server every second to check that Redis works; expires; a channel has the same name |
 */
export const redisKeys = {
  /** @param tag a hash tag in a slot of the probed node, empty if there is only one node @param server the server that probes */
  probe: (tag: string, server: string) => `probe:${tag}${tag && ":"}${server}`,
} as const;

/**
 * A channel's name in a database. Pub/sub is independent of the database: without the number, servers on two databases of one Redis
 * would receive each other's events. In database 0, the only one that clusters have, the name is plain, because older servers use it.
 */
export const channelIn = (database: number, channel: string) => (database === 0 ? channel : `${database}|${channel}`);
