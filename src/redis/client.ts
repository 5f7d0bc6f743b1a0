import { type Cluster, Redis, type RedisOptions } from "ioredis";
import { ClusterClient } from "./cluster-client.js";
import { type RedisAddress, splitLogin } from "./redis-address.js";

export type RedisClient = Redis | Cluster;

/** Properties that all clients of one program share. */
export interface RedisAccess {
  address: RedisAddress;
  /** The server at the address is a node of a cluster. */
  cluster: boolean;
  /** Its user may run INFO. */
  mayAskInfo: boolean;
  /** Overrides the password in the URL. */
  password: string | undefined;
  sentinelPassword: string | undefined;
}

export type ClientOptions = Omit<RedisOptions, "replyMapping">;

const CONNECT_TIMEOUT = 3_000; // ms to establish a TCP connection
const SILENCE = 3_000; // ms without a byte while an answer is due: after that the connection counts as dead
const DESTROY_AFTER = 200; // ms that an abandoned connection gets to close itself
const TOPOLOGY = 2_000; // ms between two refreshes of a cluster's slot map
const RENEW = 1_000; // ms, in which at most one connection is replaced because its server is a replica

/** ms until the next attempt to connect. */
const retryStrategy = (attempt: number) => Math.min(attempt * 50, 1_000);

/**
 * Creates a client that is not connected yet.
 *
 * The client reopens a connection that owes an answer and stays silent, because nothing else reveals a frozen proxy or a dropped route.
 * It also reopens a connection that leads to a replica: after a failover behind one address, only a new connection leads to the primary.
 */
export function createClient(
  { address, cluster, mayAskInfo, password, sentinelPassword }: RedisAccess,
  options: ClientOptions = {},
): RedisClient {
  const shared: ClientOptions = {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT,
    socketTimeout: SILENCE,
    disconnectTimeout: DESTROY_AFTER,
    retryStrategy,
    reconnectOnError: renewOnReplica(),
    enableReadyCheck: mayAskInfo,
    disableClientInfo: true, // so that a user with few rights is enough
    ...(password !== undefined && { password }),
    ...options,
  };
  if (address.kind === "socket") return gathering(new Redis({ ...shared, path: address.path }));
  if (address.kind === "sentinel") {
    const { sentinels, name, database, username, tls } = address;
    const client = new Redis({
      ...shared,
      sentinels,
      name,
      db: database,
      sentinelRetryStrategy: options.sentinelRetryStrategy ?? retryStrategy,
      sentinelCommandTimeout: SILENCE,
      ...(sentinelPassword !== undefined && { sentinelPassword }),
      ...(username !== undefined && { username }),
      ...(password === undefined && address.password !== undefined && { password: address.password }),
      ...(tls && { tls: {}, enableTLSForSentinelMode: true, sentinelTLS: {} }),
    });
    return gathering(client);
  }
  if (!cluster && address.kind === "server") {
    const { url, ...login } = splitLogin(address.url, password);
    return gathering(new Redis(url, { ...shared, ...login }));
  }
  return createCluster(address.kind === "cluster" ? address.urls : [address.url], password, shared);
}

function createCluster(urls: string[], password: string | undefined, shared: ClientOptions): Cluster {
  const [first] = urls as [string];
  const { url: _, ...login } = splitLogin(first, password);
  const {
    maxRetriesPerRequest,
    commandTimeout,
    autoResendUnfulfilledCommands,
    connectTimeout,
    socketTimeout,
    disconnectTimeout,
    enableReadyCheck,
  } = shared;
  const client = new ClusterClient(
    urls.map((url) => splitLogin(url, password).url.replace(/\/\d*$/, "")), // a cluster has one database
    {
      lazyConnect: true,
      shardedSubscribers: true,
      clusterRetryStrategy: retryStrategy,
      slotsRefreshInterval: TOPOLOGY,
      slotsRefreshTimeout: CONNECT_TIMEOUT,
      retryDelayOnFailover: 0, // a command whose connection broke may have run: it must fail, not run again
      redisOptions: Object.assign(
        {
          maxRetriesPerRequest,
          commandTimeout,
          autoResendUnfulfilledCommands,
          connectTimeout,
          socketTimeout,
          disconnectTimeout,
          enableReadyCheck,
          disableClientInfo: true,
        },
        login,
        first.startsWith("rediss:") && { tls: {} },
      ),
    },
  );
  return client.on("+node", gathering);
}

/**
 * Sends all commands of one turn of the event loop in one system call, because system calls are the largest cost of a command.
 * The client's auto-pipelining does that too, but all commands of a pipeline fail together: while the slots of a cluster move, MOVED for
 * one command would fail its neighbors.
 */
function gathering(client: Redis): Redis {
  return client.on("connect", () => {
    const { stream } = client;
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    let isCorked = false;
    stream.write = (...args: unknown[]) => {
      if (!isCorked) {
        isCorked = true;
        stream.cork();
        setImmediate(() => {
          isCorked = false;
          stream.uncork();
        });
      }
      return write(...args);
    };
  });
}

/** Whether an error means that a new connection may lead to a writable server; true at most once per `RENEW` ms. */
function renewOnReplica(): (error: Error) => boolean {
  let renewedAt = Number.NEGATIVE_INFINITY;
  return ({ message }) => {
    if (!/^(READONLY|MASTERDOWN|UNBLOCKED)/.test(message) || performance.now() - renewedAt < RENEW) return false;
    renewedAt = performance.now();
    return true;
  };
}
