import { type Cluster, Redis, type RedisOptions } from "ioredis";
import { type RedisAddress, splitLogin } from "../redis-address.js";
import { ClusterClient } from "./cluster-client.js";

export type RedisClient = Redis | Cluster;

/** What the clients of one program have in common. */
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

const CONNECT_TIMEOUT = 3_000; // ms until a TCP connection is there
const SILENCE = 3_000; // ms without a byte while an answer is due: then the connection is dead, whatever TCP says
const DESTROY_AFTER = 200; // ms that a connection gets to close by itself once it is given up
const TOPOLOGY = 2_000; // ms between two looks at who owns which slots of a cluster
const RENEW = 1_000; // ms, at most one new connection in this time because a server turned out to be a replica

/** ms until the next attempt to connect. */
const retryStrategy = (attempt: number) => Math.min(attempt * 50, 1_000);

/**
 * Makes a client that is not connected yet.
 *
 * A connection that owes an answer and stays silent is closed and opened again: a frozen proxy or a dropped route shows in no
 * other way. One that turns out to lead to a replica is opened again too, since after a failover behind one address only a new
 * connection leads to the primary.
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
      retryDelayOnFailover: 0, // a command whose connection broke may have run: it must fail rather than run again
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
 * Lets the commands of one turn of the event loop leave in one system call, which costs more than all else that a command does.
 * The client's own pipelines do that too; but they are answered as one: while the slots of a cluster move, MOVED for one command
 * would fail its neighbours.
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

/** Whether an answer means that another connection may lead to a server that can write; not more often than once in a while. */
function renewOnReplica(): (error: Error) => boolean {
  let renewedAt = Number.NEGATIVE_INFINITY;
  return ({ message }) => {
    if (!/^(READONLY|MASTERDOWN|UNBLOCKED)/.test(message) || performance.now() - renewedAt < RENEW) return false;
    renewedAt = performance.now();
    return true;
  };
}
