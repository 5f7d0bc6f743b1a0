import type { Logger } from "pino";
import type { RedisClient } from "../redis/connect.js";
import { presenceKeys } from "./keys.js";
import type { PresenceStore } from "./presence.store.js";

const LEAVING = "leaving"; // the value of the lease of a server that has stopped, whose users may be connecting to another

/**
 * This server's sign of life. It renews one key, for any number of connections. A server whose key has expired is dead, and the connections
 * to it are removed.
 */
export class Lease {
  readonly #redis: RedisClient;
  readonly #presence: PresenceStore;
  readonly #log: Logger;
  readonly #server: string;
  readonly #seconds: number;
  readonly #grace: number;
  readonly #onForgotten: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();
  /** Until when other servers may have been unable to renew their leases, like this one (ms, by `performance.now`). */
  #patientUntil = 0;

  /**
   * @param seconds within which the other servers notice that a server is dead: its key lives for four fifths, and they check every fifth
   * @param grace seconds in which the users of a server that stops can reconnect elsewhere without going offline
   * @param onForgotten called when Redis had lost this server, once its connections have been written again
   */
  constructor(
    redis: RedisClient,
    presence: PresenceStore,
    log: Logger,
    { server, seconds, grace }: { server: string; seconds: number; grace: number },
    onForgotten: () => Promise<void>,
  ) {
    this.#redis = redis;
    this.#presence = presence;
    this.#log = log;
    this.#server = server;
    this.#seconds = seconds;
    this.#grace = grace;
    this.#onForgotten = onForgotten;
  }

  async start(): Promise<void> {
    await this.#beat(true);
    this.#timer = setInterval(() => {
      this.#beating = this.#beating
        .then(() => this.#beat())
        .catch((error: Error) => {
          this.#log.debug({ error: error.message }, "could not renew the lease; trying again");
          this.#bePatient();
        });
    }, this.#seconds * 200); // ms: a fifth
  }

  /** Releases the lease. A server that stays removes this server's connections once the grace period is over. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
    this.#presence.stop();
    // Set before the other leases are read: of two servers that stop together, at least the later one sees that no server stays.
    await this.#redis.set(presenceKeys.lease(this.#server), LEAVING, "PX", Math.max(1, this.#grace * 1_000));
    const servers = await this.#redis.smembers(presenceKeys.servers);
    const leases = await Promise.all(servers.map((server) => this.#redis.get(presenceKeys.lease(server))));
    const someoneStays = leases.some((lease) => lease !== null && lease !== LEAVING);
    const toForget = someoneStays ? (this.#grace === 0 ? [this.#server] : []) : servers;
    for (const server of toForget) await this.#forget(server);
  }

  async #beat(first = false): Promise<void> {
    const [renewed, added] = await Promise.all([
      this.#redis.set(presenceKeys.lease(this.#server), 1, "PX", this.#seconds * 800, "GET"),
      this.#redis.sadd(presenceKeys.servers, this.#server),
    ]);
    if (renewed === null && !first) this.#bePatient();
    // Added again: another server took this one for dead while it was cut off, or Redis lost its data.
    await this.#presence.settle(added === 1);
    if (added === 1 && !first) await this.#onForgotten();
    if (performance.now() >= this.#patientUntil) await this.#sweep();
  }

  /** This server could not renew its lease in time, so Redis was unavailable. The other servers get time to renew theirs. */
  #bePatient(): void {
    this.#patientUntil = performance.now() + this.#seconds * 1_000;
  }

  async #sweep(): Promise<void> {
    const servers = await this.#redis.smembers(presenceKeys.servers);
    for (const server of servers) {
      if ((await this.#redis.exists(presenceKeys.lease(server))) === 1) continue;
      // One server sweeps; if it dies before the end, another one sweeps once its claim has expired.
      if ((await this.#redis.set(presenceKeys.sweep(server), this.#server, "PX", this.#seconds * 1_000, "NX")) !== "OK") continue;
      this.#log.info({ server }, "a server's lease has run out; removing its connections");
      await this.#forget(server);
    }
  }

  async #forget(server: string): Promise<void> {
    await this.#presence.forget(server);
    await this.#redis.srem(presenceKeys.servers, server);
    await Promise.all([this.#redis.unlink(presenceKeys.lease(server)), this.#redis.unlink(presenceKeys.sweep(server))]);
  }
}
