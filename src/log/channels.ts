import { setTimeout as delay } from "node:timers/promises";
import { RedisPubSub } from "graphql-redis-subscriptions";
import { Cluster, type Redis } from "ioredis";
import type { Logger } from "pino";
import { databaseOf, isRedisAway, onceRedisAnswers, type RedisClient } from "../redis/connect.js";
import { channelIn } from "../redis/keys.js";

/** Publishes a value as JSON on a channel of the client's database. */
export async function publish(redis: RedisClient, channel: string, payload: object): Promise<void> {
  await redis.spublish(channelIn(databaseOf(redis), channel), JSON.stringify(payload));
}

/** @param size characters of the payload's JSON */
type Listener = (payload: unknown, size: number) => void;

const SUBSCRIBE_PAUSE = 100; // ms between two attempts
const REFUSED_PAUSE = 1_000; // the same, if Redis answers but refuses the subscription

/**
 * The Redis channels that this server subscribes to: one subscription per channel, for any number of listeners.
 *
 * What is published while the connection to Redis is down never arrives; `onReconnect` reports when to look for them.
 */
export class Channels {
  readonly #pubSub: RedisPubSub;
  readonly #reconnectListeners = new Set<() => unknown>();
  readonly #log: Logger;
  readonly #database: number;
  /** The number of listeners of each channel. */
  readonly #listeners = new Map<string, number>();
  /** Characters of the payload that is being delivered. */
  #size = 0;
  /** Channels that are being unsubscribed, until Redis has answered. */
  readonly #leaving = new Map<string, Promise<unknown>>();
  /** Channels that Redis refused to subscribe, with its errors. */
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
   * Calls the listener with each JSON value published after the promise resolves, which is when Redis has acknowledged the
   * subscription. The listener must not change the value: all listeners share it. Anyone with access to this Redis may have published it,
   * so the listener must check it.
   * @returns a function that unsubscribes
   * @throws the error with which Redis refused
   */
  async subscribe(name: string, listener: Listener): Promise<() => void> {
    const channel = channelIn(this.#database, name);
    const id = await this.#pubSub.subscribe(channel, (payload: unknown) => {
      try {
        listener(payload, this.#size);
      } catch (err) {
        this.#log.error({ err, channel }, "could not handle a payload; skipping it"); // the other listeners still get it
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
   * Calls the listener when the connection is back and all channels are subscribed again.
   * @returns a function that removes the listener
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
      // Not left to ioredis: if Redis refused a channel, its rejection would be unhandled, and end the process.
      void this.#reconnected(subscriber, () => Promise.all([...this.#listeners.keys()].map((channel) => subscriber.ssubscribe(channel))));
    });
  }

  #watchCluster(subscriber: Cluster): void {
    subscriber.on("subscribersReady", () => {
      // As above, on each shard: a probe in a channel's slot uses the same connection as the channel.
      void this.#reconnected(subscriber, async () => {
        const probes = [...this.#listeners.keys()].map((channel) => `{${channel}}:probe`);
        await Promise.all(probes.map((probe) => subscriber.ssubscribe(probe)));
        await Promise.all(probes.map((probe) => subscriber.sunsubscribe(probe)));
      });
    });
  }

  /**
   * Notifies the listeners once Redis has acknowledged. Retries if that fails: one connection of a cluster may break while another comes
   * back, and what was missed on each of them has to be looked for in the end.
   */
  async #reconnected(client: RedisClient, acknowledged: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await acknowledged();
        break;
      } catch (error) {
        this.#log.debug({ error: String(error) }, "could not subscribe to the channels again; trying again");
        if (client.status === "end") return;
        await delay(isRedisAway(error) ? SUBSCRIBE_PAUSE : REFUSED_PAUSE);
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
      this.#log.error({ err }, "could not catch up after a lost connection");
    }
  }

  /**
   * The client in the form that graphql-redis-subscriptions expects, with sharded pub/sub behind the plain names. A refusal is kept for
   * `subscribe` to throw: if the library got it, it would also cause an unhandled rejection there.
   */
  #shardedFace(client: RedisClient): Redis {
    return {
      on: (event: string, listener: (channel: string, payload: string) => void) =>
        client.on(event as "smessage", (channel: string, payload: string) => {
          this.#size = payload.length;
          listener(channel, payload);
        }),
      subscribe: async (channel: string, done: () => void) => {
        this.#refused.delete(channel);
        await this.#leaving.get(channel);
        // The connections of a cluster do not retry by themselves.
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
        // A cluster's client sends this again some time after it lost a connection. A subscription that was made to the channel in between
        // would end unnoticed, so `subscribe` waits for the answer.
        const leaving = client
          .sunsubscribe(channel)
          .catch(() => {}) // the subscription ended with its connection
          .finally(() => this.#leaving.delete(channel));
        this.#leaving.set(channel, leaving);
      },
      punsubscribe: () => {},
      publish: client.spublish.bind(client),
      quit: () => Promise.resolve("OK"),
    } as unknown as Redis;
  }
}
