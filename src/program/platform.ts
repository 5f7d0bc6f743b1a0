import type { Logger } from "pino";
import type { Services, Stores } from "../api/context.js";
import type { LoaderTable } from "../api/create-context.js";
import { eventReader, type RoomEventRecord } from "../api/room-event.js";
import type { Doorkeeper } from "../api/sessions.js";
import type { Config } from "../config/config.js";
import { consumersLua } from "../consumers/runner.js";
import type { Feature, Platform } from "../feature.js";
import { features } from "../features.js";
import { Channels } from "../log/channels.js";
import { FollowedRooms } from "../log/followed-rooms.js";
import { keysOfLog } from "../log/keys.js";
import { Replicas } from "../log/replicas.js";
import { logLua, RoomScripts } from "../log/room-scripts.js";
import { type ConnectOptions, leniently, type RedisConnections } from "../redis/connect.js";
import { RedisHealth } from "../redis/health.js";
import { readScripts } from "../redis/scripts.js";
import type { RoomId } from "../util/ids.js";
import { LimitedLog } from "../util/limited-log.js";

/** The settings for access to the Redis at `redisUrls`. */
export const accessOf = ({ redisPassword, redisSentinelPassword, redisWait }: Config): ConnectOptions => ({
  password: redisPassword,
  sentinelPassword: redisSentinelPassword,
  wait: redisWait,
});

/** The features of one server or worker, with what they build on. */
export interface Assembly {
  platform: Platform;
  stores: Services;
  /** Ends all timers, sweeps and watches. Call it when everything that features have started has stopped. */
  close(): Promise<void>;
}

/**
 * Creates the stores of all features and what they share, without a call to Redis.
 * @param name of this server or worker, unique over time
 */
export function assemble(config: Config, redis: RedisConnections, name: string, log: Logger): Assembly {
  const { commands } = redis;
  const limitedLog = new LimitedLog(log);
  const health = new RedisHealth(commands, redis.subscriber, new Replicas(redis, config.ackReplicas), name, log);
  const scripts = new RoomScripts(commands, scriptSources(), config.roomLogLength);
  const channels = new Channels(redis.subscriber, log);
  const made: Partial<Services> = { readiness: () => health.check() };
  const stores = onlyMade(made);
  const followed = followRooms({ channels, scripts, log }, stores);
  const lenient = leniently(limitedLog);
  const keysOfRoom = (roomId: RoomId) => [...keysOfLog(roomId), ...features.flatMap((feature) => feature.keysOfRoom?.(roomId) ?? [])];
  const platform: Platform = {
    config,
    name,
    redis,
    commands,
    scripts,
    lenient,
    keysOfRoom,
    channels,
    followed,
    health,
    log,
    limitedLog,
  };
  for (const feature of features) Object.assign(made, feature.stores?.(platform, stores));
  return {
    platform,
    stores: made as Services,
    async close() {
      health.close();
      for (const feature of features) await feature.close?.(made as Services);
      followed.close();
    },
  };
}

/** The stores made so far. Reading another one is an error in the order of the features. */
function onlyMade(made: Partial<Services>): Services {
  return new Proxy(made, {
    get(target, name) {
      if (!(name in target)) throw new Error(`the store ${String(name)} belongs to a feature that is listed later`);
      return Reflect.get(target, name);
    },
  }) as Services;
}

function followRooms({ channels, scripts, log }: Pick<Platform, "channels" | "scripts" | "log">, stores: Stores) {
  const kinds = features.flatMap(({ events = [] }) => events);
  const altering = new Set<string>(kinds.filter(({ alters }) => alters).map(({ kind }) => kind));
  const now = async (events: readonly RoomEventRecord[]): Promise<RoomEventRecord[]> => {
    let current = events;
    for (const { hindsight } of features) if (hindsight) current = await hindsight(current, stores);
    return [...current];
  };
  return new FollowedRooms(channels, scripts, eventReader(kinds), { now, alters: ({ kind }) => altering.has(kind) }, log);
}

/** The loaders of all features. */
export const loaders: LoaderTable = Object.assign({}, ...features.map(({ loaders }) => loaders));

/** What transports ask the features about their clients. */
export function doorkeeperOf(stores: Stores): Doorkeeper {
  return Object.assign({}, ...features.map((feature: Feature) => feature.doorkeeper?.(stores)));
}

/** The folders of all scripts. */
export const scriptFolders: readonly URL[] = [logLua, consumersLua, ...features.flatMap(({ lua }) => lua ?? [])];

/** The sources of all scripts. */
export const scriptSources = () => readScripts(scriptFolders);
