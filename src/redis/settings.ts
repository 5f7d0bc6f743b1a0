import { type Found, integer, oneOf, setting, type ValuesOf } from "../config/setting.js";
import { splitRedisUrls } from "./redis-address.js";

/** The settings of this part. */
export const settings = {
  redisUrls: setting<string[]>({
    env: ["REDIS_URL", "REDIS_ENDPOINT_URL", "REDIS_ENDPOINT_URI"],
    option: "redis",
    placeholder: "URL",
    parse: splitRedisUrls,
    fallback: [],
    fallbackSaid: "an embedded Redis",
    help: "redis://… or rediss://…, one or more nodes of a Redis Cluster, comma-separated; redis-sentinel://host:port,host:port/NAME; unix:/PATH. REDIS_HOST, REDIS_PORT and REDIS_USER also work",
  }),
  redisPassword: setting<string | undefined>({
    env: ["REDIS_PASSWORD"],
    placeholder: "SECRET",
    parse: (text) => text,
    fallback: undefined,
    fallbackSaid: "the one in the URL, if any",
    help: "password of the Redis at REDIS_URL",
  }),
  redisSentinelPassword: setting<string | undefined>({
    env: ["REDIS_SENTINEL_PASSWORD"],
    placeholder: "SECRET",
    parse: (text) => text,
    fallback: undefined,
    fallbackSaid: "none",
    help: "password of the Sentinels themselves",
  }),
  redisWait: setting({
    env: ["REDIS_WAIT"],
    placeholder: "SECONDS",
    parse: integer(0, 3_600),
    fallback: 60, // enough for a failover, or for Redis to load much data
    help: "how long to wait at startup for a Redis that is not ready yet",
  }),
  dataDir: setting({
    env: ["DATA_DIR"],
    placeholder: "FOLDER",
    parse: (text) => text,
    fallback: "./data",
    help: "folder for the files of the embedded Redis",
  }),
  dataFsync: setting<"everysec" | "always">({
    env: ["DATA_FSYNC"],
    placeholder: "everysec|always",
    parse: oneOf("everysec", "always"),
    fallback: "everysec",
    help: "when the embedded Redis forces writes to disk; `always` loses nothing even in a power failure, but is slower",
  }),
};

/** Whether Palaver starts its own Redis, by the values of all settings. */
export const isEmbedded = ({ redisUrls }: Found): boolean => (redisUrls as string[]).length === 0;

declare module "../config/config.js" {
  interface Config extends ValuesOf<typeof settings> {}
}

/**
 * Reads the names that Redis's tutorials use. Builds a REDIS_URL from them if none is set, and adds the user name to it.
 * @returns the variables that name the Redis; undefined if REDIS_URL alone does, or none do
 */
export function useOtherRedisNames(variables: NodeJS.Dict<string>): string | undefined {
  const user = ["REDIS_USERNAME", "REDIS_USER"].find((name) => variables[name] !== undefined);
  const login = user ? `${encodeURIComponent(variables[user] as string)}@` : "";
  const endpoint = settings.redisUrls.env.find((name) => variables[name] !== undefined);
  if (endpoint) {
    const text = variables[endpoint] as string;
    const takesUser = user !== undefined && !/[@,]/.test(text) && !/^(unix|rediss?-sentinel):/.test(text);
    if (takesUser) variables[endpoint] = text.includes("://") ? text.replace("://", `://${login}`) : `redis://${login}${text}`;
    if (takesUser) return `${endpoint} and ${user}`;
    return endpoint === "REDIS_URL" ? undefined : endpoint;
  }
  const host = variables.REDIS_HOST;
  // A port alone is not enough: Kubernetes sets REDIS_PORT for any service called redis.
  if (host === undefined) return undefined;
  const port = variables.REDIS_PORT;
  variables.REDIS_URL = `redis://${login}${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}${port === undefined ? "" : `:${port}`}`;
  return ["REDIS_HOST", ...(port === undefined ? [] : ["REDIS_PORT"]), ...(user ? [user] : [])].join(", ");
}
