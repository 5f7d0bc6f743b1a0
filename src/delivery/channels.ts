import { setTimeout as delay } from "node:timers/promises";
import { RedisPubSub } from "graphql-redis-subscriptions";
import { Cluster, type Redis } from "ioredis";
import type { Logger } from "pino";
import { databaseOf, isRedisAway, onceRedisAnswers, type RedisClient } from "../redis/connect.js";
import { channelIn } from "../redis/keys.js";

/** Publishes a JSON value to who listens to a channel in the database that the client uses. */
export async function publish(redis: RedisClient, channel: string, payload: object): Promise<void> {
  await redis.spublish(channelIn(databaseOf(redis), channel), JSON.stringify(payload));
}

/** @param size characters of the payload's JSON */
type Listener = (payload: unknown, size: number) => void;

const PAUSE = 100; // ms between two tries
const REFUSED_PAUSE = 1_000; // ms, where Redis answers and does not let us listen

/**
 * The Redis channels that this server listens to: one subscription per channel, however many listen here.
 *
 * What is published while the connection to Redis is down never arrives; `onReconnect` tells when to look for it.
 */
export class Channels {
  readonly #pubSub: RedisPubSub;
  readonly #reconnectListeners = new Set<() => unknown>();
  readonly #log: Logger;
  readonly #database: number;
  /** How many listen to each channel. */
  readonly #listeners = new Map<string, number>();
  /** Of what is being handed out, in characters. */
  #size = 0;
  /** The channels that are being left, until Redis has answered. */
  readonly #leaving = new Map<string, Promise<unknown>>();
  /** The channels that Redis did not let us subscribe to, and why. */
  readonly #refused = new Map<string, Error>();

  constructor(subscriber: RedisClient, log: Logger) {
    this.#log = log;
    this.#database = databaseOf(subscriber);
    const sharded = this.#shardedFace(subscriber);
    this.#pubSub = new RedisPubSub({
      subscriber: sharded,
      publisher: sharded,
      messageEventName: "smessage",
      pmessageEventName: "none",
    });
    if (subscriber instanceof Cluster) this.#watchCluster(subscriber);
    else this.#watch(subscriber);
  }

  /**
   * Calls the listener with the JSON value of everything published from the moment the promise resolves, which is when
   * Redis has acknowledged. The listener must not change what it gets: all listeners share it. Whoever can publish on
   * this Redis may have published it: look before you believe.
   * @returns a function that ends it
   * @throws the error with which Redis refused
   */
  async subscribe(name: string, listener: Listener): Promise<() => void> {
    const channel = channelIn(this.#database, name);
    const id = await this.#pubSub.subscribe(channel, (payload: unknown) => {
      try {
        listener(payload, this.#size);
      } catch (err) {
        this.#log.error({ err, channel }, "a payload could not be handled"); // and the other listeners get it all the same
      }
    });
    const refused = this.#refused.get(channel);
    if (refused) {
      this.#pubSub.unsubscribe(id);
      throw refused;
    }
    this.#listeners.set(channel, (this.#listeners.get(channel) ?? 0) + 1);
    return () => {
      const left = (this.#listeners.get(channel) ?? 0) - 1;
      if (left > 0) this.#listeners.set(channel, left);
      else this.#listeners.delete(channel);
      this.#pubSub.unsubscribe(id);
    };
  }

  /**
   * Calls the listener when the connection is back and every channel is listened to again.
   * @returns a function that ends it
   */
  onReconnect(listener: () => unknown): () => void {
    this.#reconnectListeners.add(listener);
    return () => this.#reconnectListeners.delete(listener);
  }

  #watch(subscriber: Redis): void {
    let connected = true;
    subscriber.on("close", () => {
      connected = false;
    });
    subscriber.on("ready", () => {
      if (connected) return;
      connected = true;
      // Not left to the client: where Redis refuses a channel, its rejection would be nobody's, and end the process.
      void this.#reconnected(subscriber, () => Promise.all([...this.#listeners.keys()].map((channel) => subscriber.ssubscribe(channel))));
    });
  }

  #watchCluster(subscriber: Cluster): void {
    subscriber.on("subscribersReady", () => {
      // As above, on each shard: a probe beside a channel goes over the connection that the channel comes by.
      void this.#reconnected(subscriber, async () => {
        const probes = [...this.#listeners.keys()].map((channel) => `{${channel}}:probe`);
        await Promise.all(probes.map((probe) => subscriber.ssubscribe(probe)));
        await Promise.all(probes.map((probe) => subscriber.sunsubscribe(probe)));
      });
    });
  }

  /**
   * Tells the listeners once Redis has acknowledged. It asks again where that fails: of a cluster's connections one may
   * break while another comes back, and what was missed on any of them has to be looked for in the end.
   */
  async #reconnected(client: RedisClient, acknowledged: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await acknowledged();
        break;
      } catch (error) {
        this.#log.debug({ error: String(error) }, "Redis went away again");
        if (client.status === "end") return;
        await delay(isRedisAway(error) ? PAUSE : REFUSED_PAUSE);
      }
    }
    for (const listener of this.#reconnectListeners) void this.#call(client, listener);
  }

  async #call(client: RedisClient, listener: () => unknown): Promise<void> {
    try {
      await onceRedisAnswers(
        async () => listener(),
        () => client.status !== "end",
      );
    } catch (err) {
      this.#log.error({ err }, "could not make up for a lost connection");
    }
  }

  /**
   * The client as graphql-redis-subscriptions wants it, with sharded pub/sub behind the plain names. A refusal is kept
   * for `subscribe` to throw: given to the library, it would also raise an unhandled rejection there.
   */
  #shardedFace(client: RedisClient): Redis {
    return {
      on: (event: string, listener: (channel: string, message: string) => void) =>
        client.on(event as "smessage", (channel: string, message: string) => {
          this.#size = message.length;
          listener(channel, message);
        }),
      subscribe: async (channel: string, done: () => void) => {
        this.#refused.delete(channel);
        await this.#leaving.get(channel);
        // A cluster's connections do not try again by themselves.
        await onceRedisAnswers(
          () => client.ssubscribe(channel),
          () => client.status !== "end",
        ).then(
          (acknowledged) => acknowledged === undefined && this.#refused.set(channel, new Error("Connection is closed.")),
          (error: Error) => this.#refused.set(channel, error),
        );
        done();
      },
      unsubscribe: (channel: string) => {
        // A cluster's client sends it again some time after a connection is lost. Had the channel been subscribed to anew
        // by then, that would end without anyone knowing: so it is waited for.
        const leaving = client
          .sunsubscribe(channel)
          .catch(() => {}) // gone with its connection
          .finally(() => this.#leaving.delete(channel));
        this.#leaving.set(channel, leaving);
      },
      punsubscribe: () => {},
      publish: client.spublish.bind(client),
      quit: () => Promise.resolve("OK"),
    } as unknown as Redis;
  }
}
