import { setTimeout as delay } from "node:timers/promises";
import { Cluster } from "ioredis";
import type { Logger } from "pino";
import type { LimitedLog } from "../util/limited-log.js";
import { createClient, type RedisAccess, type RedisClient } from "./client.js";
import { asUnusable, inspectRedis, RedisUnusable, tryOut } from "./inspect.js";
import { readRedisAddress, withoutPassword } from "./redis-address.js";

export type { RedisClient } from "./client.js";
export { RedisUnusable } from "./inspect.js";
export { withoutPassword } from "./redis-address.js";

/** The connections of a server: one for commands, and one that listens to channels. */
export interface RedisConnections {
  commands: RedisClient;
  subscriber: RedisClient;
  /**
   * Another connection, for channels that are not sharded: messages of other programs there must not break the first one. The caller has to
   * subscribe again whenever the connection is ready again.
   */
  connectListener(): Promise<RedisClient>;
  /** Another connection, for commands that wait in Redis for at most `longest` ms each. */
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

const HANGS = 5_000; // ms without an answer, after which Redis counts as away
const ATTEMPT_PAUSE = 500; // ms between two attempts at the start
const LISTENER_CHECK = 1_000; // ms between two checks of a cluster's listener
const LISTENER_SILENCE = 4_000; // ms without an answer to such a check

/**
 * Connects to the Redis, Redis Cluster or Sentinel at these URLs. Waits for a Redis that cannot be used yet, for example because it
 * starts or fails over; fails at once on a problem that only a person can fix.
 * @param urls as returned by `splitRedisUrls`
 * @throws RedisUnusable with a sentence that states the problem and what to do
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
    // The health check reports once for all connections that Redis is away; this line has the details.
    client.on("error", (error: Error) => log.debug({ error: error.message }, "a connection to Redis failed"));
    try {
      await inTime(client.connect());
      return client;
    } catch (error) {
      client.disconnect(); // otherwise it keeps trying
      clients.splice(clients.indexOf(client), 1);
      throw error;
    }
  };
  const close = async () => {
    for (const timer of timers) clearInterval(timer);
    for (const client of clients) client.disconnect();
  };
  try {
    // A command that was sent and not answered may have run. It fails, so that it never runs twice without its caller's knowledge.
    const commandOptions = { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false };
    const [commands, subscriber] = await Promise.all([
      open({ ...commandOptions, commandTimeout: HANGS }),
      open({ maxRetriesPerRequest: null, autoResubscribe: false }), // `Channels` subscribes again
    ]);
    if (access.cluster) await inTime(tryOut(commands, subscriber)); // `inspectRedis` has already tried out a single Redis
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

/** Adds a timeout to a connection attempt: a cluster client whose cluster is down neither connects nor fails. */
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
 * Regularly requests an answer on the listener. A plain client then notices a dead connection itself. A cluster client does not monitor
 * its listener, so this function makes it reconnect.
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
      if (listener.status === "ready") listener.disconnect(true); // `disconnect` would end a connecting client for good
    }
  }, LISTENER_CHECK).unref();
}

/** Whether an error is due to the connection or the state of Redis, which may pass, and not to the call. */
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

/** Whether Redis refused a call because of its state before it executed anything, so that a retry cannot run the call twice. */
export function wasNotExecuted(error: unknown): boolean {
  return error instanceof Error && REFUSED.test(error.message);
}

/** Returns the answer of Redis, or `instead` if a key that other programs may write holds a value of another type. */
export type Lenient = <T>(answer: Promise<T>, instead: T) => Promise<T>;

/** @param log gets a line when a key has the wrong type, which any program that shares this Redis can cause */
export function leniently(log: LimitedLog): Lenient {
  return async (answer, instead) => {
    try {
      return await answer;
    } catch (error) {
      const { message, command } = error as Error & { command?: { args?: unknown[] } };
      if (!message.includes("WRONGTYPE")) throw error;
      log.warn("wrong type", { arguments: command?.args?.slice(0, 3) }, "a key has another type than it should; ignoring it");
      return instead;
    }
  };
}

const ANSWER_PAUSE = 100; // ms between two tries

/** Runs `work`, and retries it while Redis is away. @returns its result, or undefined once `wanted` returns false */
export async function onceRedisAnswers<T>(work: () => Promise<T>, wanted: () => boolean): Promise<T | undefined> {
  while (wanted()) {
    try {
      return await work();
    } catch (error) {
      if (!isRedisAway(error)) throw error;
      await delay(ANSWER_PAUSE);
    }
  }
  return undefined;
}

/** The number of the database that a client uses; a cluster has only database 0. */
export function databaseOf(client: RedisClient): number {
  return client instanceof Cluster ? 0 : (client.options.db ?? 0);
}
