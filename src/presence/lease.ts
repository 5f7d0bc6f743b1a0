import type { Logger } from "pino";
import type { RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { PresenceStore } from "./presence.store.js";

const LEAVING = "leaving"; // value of the lease of a server that has stopped, and whose users may be on their way to another

/**
 * This server's sign of life. It renews one key, however many connections it has; where the key of another server has
 * run out, that server is dead, and its users lose the connections they had there.
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
  /** Until when others may not have been able to renew theirs, as this server was not (ms, by `performance.now`). */
  #patientUntil = 0;

  /**
   * @param seconds within which the others notice that a server is dead: its key lives for four fifths, and they look every fifth
   * @param grace seconds in which the users of a server that stops may come back elsewhere, and never were offline
   * @param onForgotten called when Redis did not know this server any more, and has been told again who is here
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

  /** Gives the lease back. Its users are left to a server that stays, which looks after them when the grace period is over. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
    this.#presence.stop();
    // Said before it is asked who else leaves: of two that stop together, at least the later one sees that nobody stays.
    await this.#redis.set(keys.lease(this.#server), LEAVING, "PX", Math.max(1, this.#grace * 1_000));
    const servers = await this.#redis.smembers(keys.servers);
    const leases = await Promise.all(servers.map((server) => this.#redis.get(keys.lease(server))));
    const someoneStays = leases.some((lease) => lease !== null && lease !== LEAVING);
    const toForget = someoneStays ? (this.#grace === 0 ? [this.#server] : []) : servers;
    for (const server of toForget) await this.#forget(server);
  }

  async #beat(first = false): Promise<void> {
    const [renewed, added] = await Promise.all([
      this.#redis.set(keys.lease(this.#server), 1, "PX", this.#seconds * 800, "GET"),
      this.#redis.sadd(keys.servers, this.#server),
    ]);
    if (renewed === null && !first) this.#bePatient();
    // Not known any more: another server took this one for dead while it was cut off, or Redis lost its data.
    await this.#presence.settle(added === 1);
    if (added === 1 && !first) await this.#onForgotten();
    if (performance.now() >= this.#patientUntil) await this.#sweep();
  }

  /** This server could not renew its lease in time, so Redis was away; the others get as long as they need to come back. */
  #bePatient(): void {
    this.#patientUntil = performance.now() + this.#seconds * 1_000;
  }

  async #sweep(): Promise<void> {
    const servers = await this.#redis.smembers(keys.servers);
    for (const server of servers) {
      if ((await this.#redis.exists(keys.lease(server))) === 1) continue;
      // One server sweeps; should it die amid that, another one does when its claim is over.
      if ((await this.#redis.set(keys.sweep(server), this.#server, "PX", this.#seconds * 1_000, "NX")) !== "OK") continue;
      this.#log.info({ server }, "a server's lease has run out; its connections count no more");
      await this.#forget(server);
    }
  }

  async #forget(server: string): Promise<void> {
    await this.#presence.forget(server);
    await this.#redis.srem(keys.servers, server);
    await Promise.all([this.#redis.unlink(keys.lease(server)), this.#redis.unlink(keys.sweep(server))]);
  }
}
