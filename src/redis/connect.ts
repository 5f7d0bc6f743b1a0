import { setTimeout as delay } from "node:timers/promises";
import { Cluster } from "ioredis";
import type { Logger } from "pino";
import type { LimitedLog } from "../limited-log.js";
import { readRedisAddress, withoutPassword } from "../redis-address.js";
import { createClient, type RedisAccess, type RedisClient } from "./client.js";
import { asUnusable, inspectRedis, RedisUnusable, tryOut } from "./inspect.js";

export { withoutPassword } from "../redis-address.js";
export type { RedisClient } from "./client.js";
export { RedisUnusable } from "./inspect.js";

/** The connections of a server: one for commands, one that listens to channels. */
export interface RedisConnections {
  commands: RedisClient;
  subscriber: RedisClient;
  /** One more that listens to channels that are not sharded: what others publish there must not break the first. Subscribe again when it is ready again. */
  connectListener(): Promise<RedisClient>;
  /** One more for commands that wait in Redis, each for at most `longest` ms. */
  connectWaiting(longest: number): Promise<RedisClient>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** Overrides the password in the URL. */
  password?: string | undefined;
  sentinelPassword?: string | undefined;
  /** Seconds to wait for a Redis that cannot be used yet. */
  wait?: number;
}

const HANGS = 5_000; // ms without an answer: a Redis that hangs is as good as gone
const ATTEMPT_PAUSE = 500; // ms between two attempts at the start
const LISTENER_CHECK = 1_000; // ms between two checks of a cluster's listener
const LISTENER_SILENCE = 4_000; // ms without an answer to such a check

/**
 * Connects to the Redis, Redis Cluster or Sentinel at these URLs. Waits for one that cannot be used yet, such as one that starts
 * or fails over; what only a person can change fails at once.
 * @param urls as `splitRedisUrls` gives them
 * @throws RedisUnusable that says in a sentence what is wrong and what to do
 */
export async function connectRedis(urls: readonly string[], options: ConnectOptions, log: Logger): Promise<RedisConnections> {
  const address = readRedisAddress(urls);
  const { password, sentinelPassword, wait = 0 } = options;
  const access = { address, cluster: address.kind === "cluster", mayAskInfo: true, password, sentinelPassword };
  const deadline = performance.now() + wait * 1_000;
  for (let told = false; ; ) {
    try {
      return await openConnections({ ...access, ...(await inspectRedis(access, urls)) }, urls, log);
    } catch (error) {
      if (!(error instanceof RedisUnusable) || !error.mayPass || performance.now() >= deadline) throw error;
      if (!told) log.warn(`${error.message.split("\n")[0]} Trying again for ${wait} s.`);
      told = true;
      await delay(ATTEMPT_PAUSE);
    }
  }
}

async function openConnections(access: RedisAccess, urls: readonly string[], log: Logger): Promise<RedisConnections> {
  const clients: RedisClient[] = [];
  const timers: NodeJS.Timeout[] = [];
  const open = async (options: Parameters<typeof createClient>[1]) => {
    const client = createClient(access, options);
    clients.push(client);
    // The health check says that Redis is away, once for all connections; here are the details.
    client.on("error", (error: Error) => log.debug({ error: error.message }, "a connection to Redis failed"));
    try {
      await inTime(client.connect());
      return client;
    } catch (error) {
      client.disconnect(); // else it would go on trying
      clients.splice(clients.indexOf(client), 1);
      throw error;
    }
  };
  const close = async () => {
    for (const timer of timers) clearInterval(timer);
    for (const client of clients) client.disconnect();
  };
  try {
    // A command that was sent and not answered may have run. It fails, rather than run again behind its caller's back.
    const commandOptions = { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false };
    const [commands, subscriber] = await Promise.all([
      open({ ...commandOptions, commandTimeout: HANGS }),
      open({ maxRetriesPerRequest: null, autoResubscribe: false }), // `Channels` subscribes again
    ]);
    if (access.cluster) await inTime(tryOut(commands, subscriber)); // a single Redis was tried out before
    return {
      commands,
      subscriber,
      async connectListener() {
        const listener = await open({ maxRetriesPerRequest: null, autoResubscribe: false });
        timers.push(keepListening(listener));
        return listener;
      },
      connectWaiting: (longest) => open({ ...commandOptions, commandTimeout: longest + HANGS, socketTimeout: longest + HANGS }),
      close,
    };
  } catch (error) {
    await close();
    throw asUnusable(urls.map(withoutPassword).join(", "), error as Error);
  }
}

/** Fails after a while. A cluster's client that finds its cluster down neither connects nor says so. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  try {
    return await Promise.race([
      work,
      delay(HANGS, undefined, { signal: stop.signal }).then(() => {
        throw new Error("Connecting timed out");
      }),
    ]);
  } finally {
    stop.abort();
  }
}

/**
 * Asks the listener for an answer now and then. A connection of its own then notices that it is dead; a cluster's client, which
 * does not look at its listener, is made to connect again.
 */
function keepListening(listener: RedisClient): NodeJS.Timeout {
  let asked: number | undefined;
  return setInterval(() => {
    if (asked === undefined) {
      asked = performance.now();
      const answered = () => {
        asked = undefined;
      };
      listener.unsubscribe("palaver-check").then(answered, answered);
    } else if (listener instanceof Cluster && performance.now() - asked > LISTENER_SILENCE) {
      asked = undefined;
      if (listener.status === "ready") listener.disconnect(true); // one that is connecting would end for good
    }
  }, LISTENER_CHECK).unref();
}

/** Whether Redis could not be reached, or cannot do what was asked now: an error of the connection or of its state, not of the call. */
export function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    error.name === "MaxRetriesPerRequestError" ||
    error.name === "ClusterAllFailedError" ||
    error.name === "AbortError" ||
    /^(Connection is closed|Command timed out|Stream isn't writeable|Socket timeout|Too many Cluster redirections|Cluster is|All sentinels)/.test(
      error.message,
    ) ||
    wasNotExecuted(error) ||
    /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|None of startup nodes/.test(error.message)
  );
}

const REFUSED =
  /^(LOADING|BUSY|OOM|MISCONF|MOVED|ASK|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|READONLY|UNBLOCKED|NOREPLICAS|CROSSSLOT during|Too many Cluster redirections|ERR max number of clients|NOAUTH|WRONGPASS)/;

/** Whether Redis refused a call for its own state before it executed anything: the call can be repeated without doubling. */
export function wasNotExecuted(error: unknown): boolean {
  return error instanceof Error && REFUSED.test(error.message);
}

/** Gives what Redis answers, or something instead where a key of the demo apps' layout holds a value of another type. */
export type Lenient = <T>(answer: Promise<T>, instead: T) => Promise<T>;

/** @param log gets a line when a key's type is wrong: anything that shares this Redis can make it so */
export function leniently(log: LimitedLog): Lenient {
  return async (answer, instead) => {
    try {
      return await answer;
    } catch (error) {
      const { message, command } = error as Error & { command?: { args?: unknown[] } };
      if (!message.includes("WRONGTYPE")) throw error;
      log.warn(
        "wrong type",
        { arguments: command?.args?.slice(0, 3) },
        "a key holds another type than the demo apps' layout says; it is left out",
      );
      return instead;
    }
  };
}

const PAUSE = 100; // ms between two tries

/** Gives what `work` gives, trying again while Redis is away; undefined once it is not wanted any more. */
export async function onceRedisAnswers<T>(work: () => Promise<T>, wanted: () => boolean): Promise<T | undefined> {
  while (wanted()) {
    try {
      return await work();
    } catch (error) {
      if (!isRedisAway(error)) throw error;
      await delay(PAUSE);
    }
  }
  return undefined;
}

/** The number of the database that a client uses; a cluster has one alone. */
export function databaseOf(client: RedisClient): number {
  return client instanceof Cluster ? 0 : (client.options.db ?? 0);
}
