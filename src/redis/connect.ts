import { setTimeout as delay } from "node:timers/promises";
import { Cluster, Redis, type RedisOptions } from "ioredis";
import type { Logger } from "pino";
import type { LimitedLog } from "../limited-log.js";

export type RedisClient = Redis | Cluster;

/** The connections of a server: one for commands, one that listens to channels. */
export interface RedisConnections {
  commands: RedisClient;
  subscriber: RedisClient;
  /** One more that listens: where others decide how much there is to hear, it must not break the first. */
  connectListener(): Promise<RedisClient>;
  /** One more for commands that wait in Redis, at most so many ms. */
  connectWaiting(longest: number): Promise<RedisClient>;
  close(): Promise<void>;
}

/** Redis cannot be used; the message says which one, why, and what to do. */
export class RedisUnusable extends Error {}

type ClientOptions = Omit<RedisOptions, "replyMapping">;

const HANGS = 5_000; // ms without an answer: a Redis that hangs is as good as gone
const LEAST_VERSION = 7; // sharded pub/sub

/**
 * Connects to a Redis, or with several URLs to the Redis Cluster they are seeds of.
 * @throws RedisUnusable when it cannot be reached or is too old
 */
export async function connectRedis(urls: string[], password: string | undefined, log: Logger): Promise<RedisConnections> {
  const commands = createClient(urls, password, {
    // A command that was sent and not answered may have run. It fails, rather than run again behind its caller's back.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: HANGS,
    enableAutoPipelining: true,
  });
  const subscriber = createClient(urls, password, { maxRetriesPerRequest: null });
  const clients = [commands, subscriber];
  const close = async () => {
    for (const client of clients) client.disconnect();
  };

  try {
    const failures: Error[] = [];
    for (const client of clients) client.on("error", (error: Error) => failures.push(error));
    await Promise.all(clients.map((client) => client.connect())).catch((error: Error) => {
      throw new RedisUnusable(unreachable(urls, failures.at(-1) ?? error));
    });
    await requireVersion(commands, urls);
  } catch (error) {
    await close();
    throw error;
  }

  for (const client of clients) {
    client.removeAllListeners("error");
    logOutages(client, log);
  }
  const connectAnother = async (options: ClientOptions) => {
    const another = createClient(urls, password, options);
    clients.push(another);
    logOutages(another, log);
    await another.connect();
    return another;
  };
  return {
    commands,
    subscriber,
    connectListener: () => connectAnother({ maxRetriesPerRequest: null }),
    connectWaiting: (longest) =>
      connectAnother({ maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false, commandTimeout: longest + HANGS }),
    close,
  };
}

/** Redis was away while this was tried: an error of the connection rather than an answer. */
export function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    error.name === "MaxRetriesPerRequestError" ||
    error.name === "ClusterAllFailedError" ||
    error.name === "AbortError" ||
    /^(Connection is closed|Command timed out|Stream isn't writeable|LOADING|BUSY|OOM|MISCONF|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|READONLY|UNBLOCKED)/.test(
      error.message,
    ) ||
    /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|None of startup nodes/.test(error.message)
  );
}

/** Gives what Redis answers, or something instead where a key of the demo apps' layout holds a value of another type. */
export type Lenient = <T>(answer: Promise<T>, instead: T) => Promise<T>;

/** @param log is told when a key's type is wrong: whoever shares this Redis can make it so */
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

/** The URL without what may be secret in it, for people and logs. */
export function withoutPassword(url: string): string {
  const { protocol, username, password, host, pathname } = new URL(url);
  const login = username || password ? `${username}${password && ":…"}@` : "";
  return `${protocol}//${login}${host}${pathname}`;
}

function createClient(urls: string[], password: string | undefined, options: ClientOptions): RedisClient {
  const [first, ...others] = urls;
  if (first === undefined) throw new Error("at least one Redis URL is needed");
  const shared: ClientOptions = {
    lazyConnect: true,
    connectTimeout: 3_000, // 3 seconds
    retryStrategy,
    ...(password !== undefined && { password }),
    ...options,
  };
  if (others.length === 0) return new Redis(first, shared);

  const { username, password: urlPassword, protocol } = new URL(first);
  const { maxRetriesPerRequest, commandTimeout, autoResendUnfulfilledCommands, connectTimeout } = shared;
  return new Cluster(urls, {
    lazyConnect: true,
    enableAutoPipelining: shared.enableAutoPipelining === true,
    shardedSubscribers: true,
    clusterRetryStrategy: retryStrategy,
    redisOptions: Object.assign(
      { maxRetriesPerRequest, commandTimeout, autoResendUnfulfilledCommands, connectTimeout },
      username && { username: decodeURIComponent(username) },
      (password ?? urlPassword) && { password: password ?? decodeURIComponent(urlPassword) },
      protocol === "rediss:" && { tls: {} },
    ),
  });
}

const retryStrategy = (attempt: number) => Math.min(attempt * 50, 1_000); // ms

function unreachable(urls: string[], error: Error): string {
  const where = urls.map(withoutPassword).join(", ");
  return (
    `Cannot use Redis at ${where}: ${error.message}\n` +
    "Is it running, and are its address and password right? Without --redis (or REDIS_URL) Palaver starts a Redis of its own."
  );
}

async function requireVersion(client: RedisClient, urls: string[]): Promise<void> {
  const info = String(await client.call("INFO", "server"));
  const version = /redis_version:(\S+)/.exec(info)?.[1] ?? "unknown";
  if (Number.parseInt(version, 10) >= LEAST_VERSION) return;
  throw new RedisUnusable(
    `Redis at ${urls.map(withoutPassword).join(", ")} is version ${version}; Palaver needs Redis ${LEAST_VERSION}.0 or newer, or Valkey (for sharded pub/sub).`,
  );
}

/** One line when a connection breaks and one when it is back, however many attempts lie between. */
function logOutages(client: RedisClient, log: Logger): void {
  let away = false;
  client.on("error", (error: Error) => {
    if (!away) log.error({ error: error.message }, "Redis is away; trying again until it is back");
    away = true;
  });
  client.on("ready", () => {
    if (away) log.info("Redis is back");
    away = false;
  });
}
