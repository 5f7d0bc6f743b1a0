import type { Logger } from "pino";
import type { RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { PresenceStore } from "./presence.store.js";

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
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();

  /** @param seconds within which the others notice that a server is dead: its key lives for four fifths, and they look every fifth */
  constructor(redis: RedisClient, presence: PresenceStore, log: Logger, server: string, seconds: number) {
    this.#redis = redis;
    this.#presence = presence;
    this.#log = log;
    this.#server = server;
    this.#seconds = seconds;
  }

  async start(): Promise<void> {
    await this.#beat();
    this.#timer = setInterval(() => {
      this.#beating = this.#beating
        .then(() => this.#beat())
        .catch((error: Error) => this.#log.debug({ error: error.message }, "could not renew the lease; trying again"));
    }, this.#seconds * 200); // ms: a fifth
  }

  /** Gives the lease back; the connections of this server count no more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
    await this.#presence.forget(this.#server);
    await Promise.all([this.#redis.unlink(keys.lease(this.#server)), this.#redis.srem(keys.servers, this.#server)]);
  }

  async #beat(): Promise<void> {
    const [, added] = await Promise.all([
      this.#redis.set(keys.lease(this.#server), 1, "PX", this.#seconds * 800),
      this.#redis.sadd(keys.servers, this.#server),
    ]);
    // Not known any more: another server took this one for dead while it was cut off, or Redis lost its data.
    await this.#presence.settle(added === 1);
    await this.#sweep();
  }

  async #sweep(): Promise<void> {
    const servers = await this.#redis.smembers(keys.servers);
    for (const server of servers) {
      if ((await this.#redis.exists(keys.lease(server))) === 1) continue;
      this.#log.info({ server }, "a server's lease has run out; its connections count no more");
      await this.#presence.forget(server);
      await this.#redis.srem(keys.servers, server);
    }
  }
}
