import { RedisPubSub } from "graphql-redis-subscriptions";
import { Cluster, type Redis } from "ioredis";
import type { Logger } from "pino";
import type { RedisClient } from "../redis/connect.js";

type Listener = (payload: unknown) => void;

/**
 * The Redis channels that this server listens to: one subscription per channel, however many listen here.
 *
 * What is published while the connection to Redis is down never arrives; `onReconnect` tells when to look for it.
 */
export class Channels {
  readonly #pubSub: RedisPubSub;
  readonly #reconnectListeners = new Set<() => void>();

  constructor(subscriber: RedisClient, log: Logger) {
    const sharded = shardedFace(subscriber);
    this.#pubSub = new RedisPubSub({
      subscriber: sharded,
      publisher: sharded,
      messageEventName: "smessage",
      pmessageEventName: "none",
    });

    let connected = true;
    subscriber.on("close", () => {
      connected = false;
    });
    subscriber.on("ready", () => {
      if (connected) return;
      connected = true;
      // The client has sent its subscriptions again by now, but they are not acknowledged. Redis answers in order:
      // when the PING is answered, they are.
      const acknowledged = subscriber instanceof Cluster ? Promise.resolve("") : (subscriber as Redis).ping();
      acknowledged.then(
        () => {
          for (const listener of this.#reconnectListeners) listener();
        },
        (error: Error) => log.debug({ error: error.message }, "Redis went away again"),
      );
    });
  }

  /**
   * Calls the listener with the JSON value of everything published from the moment the promise resolves, which is when
   * Redis has acknowledged. The listener must not throw and not change what it gets: all listeners share it.
   * @returns a function that ends it
   */
  async subscribe(channel: string, listener: Listener): Promise<() => void> {
    const id = await this.#pubSub.subscribe(channel, listener);
    return () => this.#pubSub.unsubscribe(id);
  }

  /** @returns a function that ends it */
  onReconnect(listener: () => void): () => void {
    this.#reconnectListeners.add(listener);
    return () => this.#reconnectListeners.delete(listener);
  }
}

/** The client as graphql-redis-subscriptions wants it, with sharded pub/sub behind the plain names. */
function shardedFace(client: RedisClient): Redis {
  return {
    on: client.on.bind(client),
    subscribe: client.ssubscribe.bind(client),
    unsubscribe: (channel: string) => client.sunsubscribe(channel).catch(() => {}), // gone with its connection
    punsubscribe: () => {},
    publish: client.spublish.bind(client),
    quit: () => Promise.resolve("OK"),
  } as unknown as Redis;
}
