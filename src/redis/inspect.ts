import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { CannotStart } from "../util/cannot-start.js";
import { createClient, type RedisAccess, type RedisClient } from "./client.js";
import { withoutPassword } from "./redis-address.js";

/** Redis cannot be used. The message states its address, the reason, and what to do. */
export class RedisUnusable extends CannotStart {
  /** Whether waiting may help, such as while Redis starts, fails over, or is full; not with a wrong password or version. */
  readonly mayPass: boolean;

  constructor(message: string, { mayPass = false } = {}) {
    super(message);
    this.mayPass = mayPass;
  }
}

/** The properties of a Redis that can be used. */
export interface Inspection {
  cluster: boolean;
  /** Its user may run INFO, which tells a client whether Redis is still loading its data. */
  mayAskInfo: boolean;
}

const LEAST_VERSION = 7; // sharded pub/sub
const PATIENCE = 3_000; // ms for the whole inspection of one address

/** Errors of Redis at the start, with what a person can do about them. `mayPass`: the error may pass without a person. */
const SENTENCES: { when: RegExp; say: string; mayPass: boolean }[] = [
  {
    when: /^(WRONGPASS|ERR invalid password|ERR AUTH)/,
    say: "It refuses the user name or password. Correct REDIS_URL or REDIS_PASSWORD.",
    mayPass: false,
  },
  { when: /^NOAUTH/, say: "It requires a password. Set it in REDIS_PASSWORD or REDIS_URL.", mayPass: false },
  {
    when: /^NOPERM.*channel/is,
    say: "Its user may not use Palaver's channels. Allow them: ACL SETUSER <name> allchannels.",
    mayPass: false,
  },
  {
    when: /^NOPERM/,
    say: "Its user has too few rights. Palaver needs all keys, all channels, and the commands +@all -@dangerous +info.",
    mayPass: false,
  },
  {
    when: /unknown command.*(SSUBSCRIBE|SPUBLISH)/is,
    say: `It has no sharded pub/sub. Palaver needs Redis ${LEAST_VERSION}.0 or newer, or Valkey.`,
    mayPass: false,
  },
  {
    when: /^ERR (invalid DB index|DB index is out of range)/,
    say: "It has no database with this number. Correct REDIS_URL.",
    mayPass: false,
  },
  {
    when: /^ERR SELECT is not allowed in cluster mode/,
    say: "A cluster has no numbered databases. Remove the number from REDIS_URL.",
    mayPass: false,
  },
  {
    when: /^READONLY/,
    say: "It is a read-only replica. Give the address of its primary, or of the Sentinels (redis-sentinel://…).",
    mayPass: true,
  },
  { when: /^OOM/, say: "It is full (maxmemory). Give it more memory, or delete data that you do not need.", mayPass: true },
  {
    when: /^MISCONF/,
    say: "It refuses writes because it cannot save to its disk, which is often full. The log of Redis has the reason.",
    mayPass: true,
  },
  { when: /^LOADING/, say: "It is still loading its data.", mayPass: true },
  { when: /^MASTERDOWN/, say: "It is a replica without a connection to its primary.", mayPass: true },
  {
    when: /^CLUSTERDOWN/,
    say: "The cluster is down: some of its slots have no node. List them with redis-cli --cluster check.",
    mayPass: true,
  },
  { when: /^NOREPLICAS/, say: "It has fewer replicas than min-replicas-to-write requires.", mayPass: true },
  {
    when: /Unknown RESP type|Protocol error/,
    say: "The server at this address does not speak the Redis protocol. Correct REDIS_URL.",
    mayPass: false,
  },
  { when: /All sentinels are unreachable/, say: "None of the Sentinels knows a primary of this name that can be reached.", mayPass: true },
  { when: /timed out|ETIMEDOUT|Socket timeout/i, say: "It does not answer.", mayPass: true },
];

/** Messages of ioredis for a command whose connection broke. */
const BROKEN = /max retries per request|Connection is closed|Stream isn't writeable/;

const UNREACHABLE = "Is it running, and are its address and password right? Without --redis (or REDIS_URL) Palaver starts its own Redis.";

/**
 * Checks everything that Palaver needs at this address: reading, writing, channels, version.
 * @throws RedisUnusable
 */
export async function inspectRedis(access: RedisAccess, urls: readonly string[]): Promise<Inspection> {
  const where = urls.map(withoutPassword).join(", ");
  const { address } = access;
  if (address.kind !== "cluster") return inspectOne(access, where);
  let failure: unknown;
  for (const url of address.urls) {
    try {
      const found = await inspectOne({ ...access, cluster: false, address: { kind: "server", url } }, where);
      if (found.cluster) return found;
    } catch (error) {
      failure ??= error;
      continue;
    }
    throw new RedisUnusable(`Cannot use Redis at ${where}: ${withoutPassword(url)} is not a node of a cluster. Give one address only.`);
  }
  throw failure;
}

async function inspectOne(access: RedisAccess, where: string): Promise<Inspection> {
  const failures: Error[] = [];
  const client = createClient(
    { ...access, cluster: false },
    {
      retryStrategy: () => null,
      sentinelRetryStrategy: () => null,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      commandTimeout: PATIENCE,
      reconnectOnError: () => false,
    },
  ) as Redis;
  client.on("error", (error) => failures.push(error));
  try {
    await client.connect();
    const found = await inspectServer(client, where);
    const [failure] = failures; // such as a missing database, after which the client continues with another one
    if (failure) throw failure;
    if (!found.cluster) await tryOut(client, client);
    else if (/cluster_state:fail/.test(String(await client.cluster("INFO")))) throw new Error("CLUSTERDOWN");
    return found;
  } catch (error) {
    throw asUnusable(where, error as Error, failures.at(-1));
  } finally {
    client.disconnect();
  }
}

/** The kind and version of a server, as far as the Redis user may read them. */
async function inspectServer(client: Redis, where: string): Promise<Inspection> {
  const info = await client.info("server").catch((error: Error) => {
    if (error.message.startsWith("NOPERM")) return ""; // `tryOut` finds out whether the rights are enough
    throw error;
  });
  const mode = /redis_mode:(\w+)/.exec(info)?.[1] ?? ((await isClusterNode(client)) ? "cluster" : "standalone");
  if (mode === "sentinel") {
    throw new RedisUnusable(
      `${where} is a Redis Sentinel, which stores no data. Write REDIS_URL as redis-sentinel://host:port/NAME, with the name of the primary that it watches.`,
    );
  }
  const version = /redis_version:(\S+)/.exec(info)?.[1];
  if (version !== undefined && Number.parseInt(version, 10) < LEAST_VERSION) {
    throw new RedisUnusable(
      `Redis at ${where} is version ${version}; Palaver needs Redis ${LEAST_VERSION}.0 or newer, or Valkey (for sharded pub/sub).`,
    );
  }
  return { cluster: mode === "cluster", mayAskInfo: info !== "" };
}

async function isClusterNode(client: Redis): Promise<boolean> {
  try {
    return /cluster_state/.test(String(await client.cluster("INFO")));
  } catch {
    return false;
  }
}

/** Writes, publishes and subscribes, as a running server does. */
export async function tryOut(commands: RedisClient, subscriber: RedisClient): Promise<void> {
  const name = `probe:${randomUUID()}`;
  await commands.set(name, 1, "PX", PATIENCE);
  await commands.eval("return redis.call('DEL', KEYS[1])", 1, name);
  await commands.spublish(name, "");
  await subscriber.ssubscribe(name);
  await subscriber.sunsubscribe(name);
}

/** Turns an error into a sentence for the operator who starts the server. */
export function asUnusable(where: string, error: Error, connectionError = error): RedisUnusable {
  if (error instanceof RedisUnusable) return error;
  const known = [error, connectionError].flatMap(({ message }) => SENTENCES.find(({ when }) => when.test(message)) ?? [])[0];
  if (known) return new RedisUnusable(`Cannot use Redis at ${where}. ${known.say}`, { mayPass: known.mayPass });
  return new RedisUnusable(`Cannot use Redis at ${where}: ${connectionError.message}.\n${UNREACHABLE}`, { mayPass: true });
}

/** The reason why Redis cannot be used now, as a sentence for the operator; the same at the start and later. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const known = SENTENCES.find(({ when }) => when.test(message))?.say;
  if (known) return known;
  if (BROKEN.test(message)) return "It cannot be reached: the connection broke, and no new one can be opened yet.";
  return `It cannot be reached: ${message}.`;
}
