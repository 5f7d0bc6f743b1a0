import { parseEnv } from "node:util";
import { splitRedisUrls } from "../redis/redis-address.js";

/** How one setting is read. `parse` returns the value, or throws an Error that says what is wrong with the text. */
interface Setting<T> {
  /** Names of environment variables; the first that is set wins. The option is the first name in kebab case, unless `option` is set. */
  env: [string, ...string[]];
  option?: string;
  placeholder: string;
  parse: (text: string) => T;
  fallback: T;
  /** The default as `--help` shows it, if the value itself is not clear. */
  fallbackSaid?: string;
  help: string;
}

const setting = <T>(definition: Setting<T>): Setting<T> => definition;

/** Every setting of Palaver, in the order of `--help`. */
export const settings = {
  host: setting({
    env: ["HOST"],
    placeholder: "ADDRESS",
    parse: (text) => text,
    fallback: "127.0.0.1",
    help: "address to listen on; 0.0.0.0 for every interface",
  }),
  port: setting({
    env: ["PORT"],
    placeholder: "N",
    parse: integer(0, 65_535),
    fallback: 4000,
    help: "port to listen on; 0 for any free one",
  }),
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
  ackReplicas: setting({
    env: ["ACK_REPLICAS"],
    placeholder: "N",
    parse: integer(0, 10),
    fallback: 0,
    help: "replicas that must have a message before the server answers its send, so that a failover does not lose it; 0 waits for none",
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
  demoData: setting<boolean | undefined>({
    env: ["DEMO_DATA"],
    placeholder: "on|off",
    parse: onOff,
    fallback: undefined,
    fallbackSaid: "on with the embedded Redis, else off",
    help: "fill an empty database with four accounts and some messages",
  }),
  interop: setting<"off" | "public" | "full">({
    env: ["INTEROP"],
    placeholder: "off|public|full",
    parse: oneOf("off", "public", "full"),
    fallback: "public",
    help: "what Palaver publishes live to the demo apps: nothing; public events only; or private messages too, which the demo apps show to everyone",
  }),
  presenceLease: setting({
    env: ["PRESENCE_LEASE"],
    placeholder: "SECONDS",
    parse: integer(2, 300),
    fallback: 10,
    help: "time until the users of a server that died are shown as offline",
  }),
  presenceGrace: setting({
    env: ["PRESENCE_GRACE"],
    placeholder: "SECONDS",
    parse: integer(0, 300),
    fallback: 5, // enough for a page to reload
    help: "how long a user may be without a connection before they are shown as offline",
  }),
  sessionTtl: setting({
    env: ["SESSION_TTL"],
    placeholder: "SECONDS",
    parse: integer(60, 31_536_000), // a minute to a year
    fallback: 86_400, // a day
    help: "how long a login lasts after it was last used",
  }),
  sessionLifetime: setting({
    env: ["SESSION_LIFETIME"],
    placeholder: "SECONDS",
    parse: integer(60, 315_360_000), // a minute to ten years
    fallback: 7_776_000, // 90 days
    help: "maximum lifetime of a login or a guest's session, even if it is in use; then the user has to sign in again",
  }),
  guestTtl: setting({
    env: ["GUEST_TTL"],
    placeholder: "SECONDS",
    parse: integer(60, 604_800), // a minute to a week
    fallback: 3_600, // an hour
    help: "how long a guest's session lasts after it was last used",
  }),
  guestKeep: setting({
    env: ["GUEST_KEEP"],
    placeholder: "SECONDS",
    parse: integer(0, 31_536_000), // up to a year
    fallback: 86_400, // a day
    help: "time from the end of a guest's last session until their private rooms and data are deleted; 0 deletes them at once",
  }),
  bcryptCost: setting({
    env: ["BCRYPT_COST"],
    placeholder: "N",
    parse: integer(4, 15), // bcrypt's minimum is 4; 15 takes about 2 s per password
    fallback: 10, // about 65 ms per password; the demo apps use 10 too
    help: "bcrypt cost of a password hash; each step doubles the time",
  }),
  messageLength: setting({
    env: ["MESSAGE_LENGTH"],
    placeholder: "N",
    parse: integer(1, 10_000), // a request body is at most 64 KiB
    fallback: 4_000,
    help: "maximum length of a message, in characters (Unicode code points)",
  }),
  roomLogLength: setting({
    env: ["ROOM_LOG_LENGTH"],
    placeholder: "N",
    parse: integer(100, 1_000_000),
    fallback: 10_000,
    help: "events kept per room, so that subscribers can resume",
  }),
  historyLimit: setting({
    env: ["HISTORY_LIMIT"],
    placeholder: "N",
    parse: integer(0, 100_000_000),
    fallback: 0,
    help: "messages kept per room; new messages replace the oldest; 0 for no limit",
  }),
  historyDays: setting({
    env: ["HISTORY_DAYS"],
    placeholder: "N",
    parse: integer(0, 36_500), // a century
    fallback: 0,
    help: "days that messages are kept; 0 for no limit",
  }),
  rateLimits: setting({
    env: ["RATE_LIMITS"],
    placeholder: "on|off",
    parse: onOff,
    fallback: true,
    fallbackSaid: "on",
    help: "limit how often users sign up, log in and send, and how much server time each may take; off for load tests",
  }),
  sendsPerSecond: setting({
    env: ["SENDS_PER_SECOND"],
    placeholder: "N",
    parse: integer(1, 1_000),
    fallback: 5,
    help: "messages that one user may send per second on average, across all servers",
  }),
  sendBurst: setting({
    env: ["SEND_BURST"],
    placeholder: "N",
    parse: integer(1, 10_000),
    fallback: 50,
    help: "messages that one user may send at once after a pause",
  }),
  socketsPerUser: setting({
    env: ["SOCKETS_PER_USER"],
    placeholder: "N",
    parse: integer(1, 1_000_000),
    fallback: 20,
    help: "open WebSockets that one user may have on one server",
  }),
  socketsPerAddress: setting({
    env: ["SOCKETS_PER_ADDRESS"],
    placeholder: "N",
    parse: integer(1, 1_000_000),
    fallback: 500,
    help: "open WebSockets that one address may have on one server; see PROXIES",
  }),
  subscriptionsPerSocket: setting({
    env: ["SUBSCRIPTIONS_PER_SOCKET"],
    placeholder: "N",
    parse: integer(1, 10_000),
    fallback: 200,
    help: "subscriptions that may run at once on one WebSocket",
  }),
  socketCompression: setting({
    env: ["SOCKET_COMPRESSION"],
    placeholder: "on|off",
    parse: onOff,
    fallback: false,
    fallbackSaid: "off",
    help: "compress long answers on WebSockets for clients that ask for it (permessage-deflate); answers over HTTP are always compressed",
  }),
  proxies: setting({
    env: ["PROXIES"],
    placeholder: "N",
    parse: integer(0, 10),
    fallback: 0,
    help: "number of proxies in front of the server that add to X-Forwarded-For; if it is too low, all clients seem to have the proxy's address",
  }),
  allowedOrigins: setting<string[]>({
    env: ["ALLOWED_ORIGINS"],
    placeholder: "ORIGINS",
    parse: origins,
    fallback: [],
    fallbackSaid: "same origin",
    help: "other origins whose pages may use the API, comma-separated, such as http://localhost:5173,https://chat.example",
  }),
  allowedHosts: setting<string[]>({
    env: ["ALLOWED_HOSTS"],
    placeholder: "NAMES",
    parse: hosts,
    fallback: [],
    fallbackSaid: "any; only local names if HOST is a loopback address and PROXIES is 0",
    help: "host names that the server answers to in addition to local ones, comma-separated; *.chat.example for all subdomains, * for any",
  }),
  assistant: setting<boolean | undefined>({
    env: ["ASSISTANT"],
    placeholder: "on|off",
    parse: onOff,
    fallback: undefined,
    fallbackSaid: "on with the embedded Redis, else off",
    help: "run an assistant worker in the server's process; `npm run worker` starts separate ones",
  }),
  assistantUsername: setting({
    env: ["ASSISTANT_USERNAME"],
    placeholder: "NAME",
    parse: username,
    fallback: "assistant",
    help: "username of the assistant's account; the first worker creates it",
  }),
  assistantRooms: setting({
    env: ["ASSISTANT_ROOMS"],
    placeholder: "N",
    parse: integer(1, 1_000),
    fallback: 8,
    help: "rooms in which one assistant worker answers at the same time",
  }),
  assistantLease: setting({
    env: ["ASSISTANT_LEASE"],
    placeholder: "SECONDS",
    parse: integer(1, 300),
    fallback: 5,
    help: "how long an assistant worker that died still holds its rooms; other workers take over after about 1.8 times as long",
  }),
  assistantPatience: setting({
    env: ["ASSISTANT_PATIENCE"],
    placeholder: "SECONDS",
    parse: integer(0, 3_600),
    fallback: 5, // the same time that requests get when a server stops
    help: "how long an assistant worker that is stopping may take to finish its answers; then another worker restarts them",
  }),
  assistantMemory: setting({
    env: ["ASSISTANT_MEMORY"],
    placeholder: "N",
    parse: integer(0, 100),
    fallback: 40,
    help: "maximum number of messages before a question that the assistant reads",
  }),
  assistantMemoryLength: setting({
    env: ["ASSISTANT_MEMORY_LENGTH"],
    placeholder: "N",
    parse: integer(0, 1_000_000),
    fallback: 12_000, // about 3,000 tokens of English
    help: "maximum number of characters of those messages; the newest messages win",
  }),
  assistantQueue: setting({
    env: ["ASSISTANT_QUEUE"],
    placeholder: "N",
    parse: integer(1, 1_000_000),
    fallback: 1_000,
    help: "rooms that may wait for the assistant; beyond that, other rooms cannot ask it",
  }),
  questionsPerMinute: setting({
    env: ["QUESTIONS_PER_MINUTE"],
    placeholder: "N",
    parse: integer(1, 10_000),
    fallback: 20,
    help: "questions that one user may ask the assistant per minute, across all servers",
  }),
  assistantUrl: setting<string | undefined>({
    env: ["ASSISTANT_URL"],
    placeholder: "URL",
    parse: endpointUrl,
    fallback: undefined,
    fallbackSaid: "none; an offline companion answers",
    help: "base URL of the OpenAI-compatible API that answers for the assistant, such as http://127.0.0.1:11434/v1",
  }),
  assistantModel: setting<string | undefined>({
    env: ["ASSISTANT_MODEL"],
    placeholder: "NAME",
    parse: (text) => text,
    fallback: undefined,
    fallbackSaid: "none; required with ASSISTANT_URL",
    help: "name of the model at ASSISTANT_URL",
  }),
  assistantKey: setting<string | undefined>({
    env: ["ASSISTANT_KEY"],
    placeholder: "SECRET",
    parse: bearerToken,
    fallback: undefined,
    fallbackSaid: "none",
    help: "key for ASSISTANT_URL, sent as `Authorization: Bearer`; it is sent nowhere else and never logged",
  }),
  assistantPrompt: setting({
    env: ["ASSISTANT_PROMPT"],
    placeholder: "TEXT",
    parse: (text) => text,
    fallback:
      "You are the assistant of a chat. Be friendly, helpful and brief, as people are in a chat. Answer in the language of the question. Say so when you do not know something.",
    help: "system prompt for the model at ASSISTANT_URL; the server adds how to read the conversation",
  }),
  assistantTimeout: setting({
    env: ["ASSISTANT_TIMEOUT"],
    placeholder: "SECONDS",
    parse: integer(1, 300), // Node's fetch waits 300 s at most
    fallback: 30, // a model on a small machine writes a word per second; a reasoning model sends its thoughts
    help: "how long the model at ASSISTANT_URL may pause within an answer",
  }),
  assistantMaxTokens: setting({
    env: ["ASSISTANT_MAX_TOKENS"],
    placeholder: "N",
    parse: integer(1, 100_000),
    fallback: 1_000, // about 4,000 characters of English, the default maximum of a message
    help: "maximum length of an answer to request from the model at ASSISTANT_URL, in tokens",
  }),
  playground: setting<boolean | undefined>({
    env: ["PLAYGROUND"],
    placeholder: "on|off",
    parse: onOff,
    fallback: undefined,
    fallbackSaid: "on unless NODE_ENV=production",
    help: "serve GraphiQL at /graphql",
  }),
  introspection: setting<boolean | undefined>({
    env: ["INTROSPECTION"],
    placeholder: "on|off",
    parse: onOff,
    fallback: undefined,
    fallbackSaid: "on unless NODE_ENV=production",
    help: "let clients query the schema",
  }),
  logLevel: setting({
    env: ["LOG_LEVEL"],
    placeholder: "LEVEL",
    parse: oneOf("debug", "info", "warn", "error", "silent"),
    fallback: "info",
    help: "debug, info, warn, error or silent",
  }),
} satisfies Record<string, Setting<never> | Setting<unknown>>;

type Read = { [Name in keyof typeof settings]: (typeof settings)[Name]["fallback"] };

/** All settings, with every default resolved. `redisUrls` is empty if Palaver starts the embedded Redis. */
export type Config = Readonly<
  Omit<Read, "assistant" | "demoData" | "playground" | "introspection"> &
    Record<"assistant" | "demoData" | "playground" | "introspection", boolean>
>;

/** The settings, and the variables of the demo apps and tutorials that name the Redis, unless REDIS_URL alone names it. */
export type FoundConfig = Config & { readonly redisSource?: string | undefined };

/** Invalid settings: every problem, one line each. */
export class ConfigError extends Error {
  constructor(readonly problems: string[]) {
    super(problems.join("\n"));
    this.name = "ConfigError";
  }
}

/** The command-line option for an environment variable, without dashes: `data-dir` for `DATA_DIR`. */
export function optionOf({ env, option }: Pick<Setting<unknown>, "env" | "option">): string {
  return option ?? env[0].toLowerCase().replaceAll("_", "-");
}

/**
 * Reads the settings from command-line options, else the environment, else the text of a `.env` file, else the defaults.
 * @param options the options by name, without dashes
 * @param problems known problems of the command line
 * @throws ConfigError that lists all problems at once
 */
export function readConfig(
  options: Record<string, string>,
  environment: NodeJS.ProcessEnv,
  dotenv = "",
  problems: readonly string[] = [],
): FoundConfig {
  const found = [...problems];
  const variables: NodeJS.Dict<string> = { ...withoutEmpty(parseEnv(dotenv)), ...withoutEmpty(environment) };
  const redisSource = options.redis === undefined ? useOtherRedisNames(variables) : undefined;

  const values = Object.fromEntries(
    Object.entries<Setting<unknown>>(settings).map(([name, definition]) => {
      const option = optionOf(definition);
      const variable = definition.env.find((candidate) => variables[candidate] !== undefined);
      const text = options[option] ?? (variable && variables[variable]);
      if (text === undefined) return [name, definition.fallback];
      try {
        return [name, definition.parse(text)];
      } catch (error) {
        const source = option in options ? `--${option}` : option === "redis" ? (redisSource ?? variable) : variable;
        found.push(`${source}: ${(error as Error).message}`);
        return [name, definition.fallback];
      }
    }),
  ) as Read;

  const known = new Set(Object.values<Setting<unknown>>(settings).map(optionOf));
  for (const option of Object.keys(options)) {
    if (!known.has(option)) found.push(`--${option}: unknown option; --help lists all options`);
  }
  if (values.assistantUrl !== undefined && values.assistantModel === undefined) {
    found.push("ASSISTANT_MODEL: is required with ASSISTANT_URL; set it to the name of the model that answers");
  }
  if (found.length > 0) throw new ConfigError(found);

  const development = variables.NODE_ENV !== "production";
  return {
    ...values,
    redisSource,
    assistant: values.assistant ?? values.redisUrls.length === 0,
    demoData: values.demoData ?? values.redisUrls.length === 0,
    playground: values.playground ?? development,
    introspection: values.introspection ?? development,
  };
}

/** The settings as `--help` prints them. */
export function describeSettings(): string {
  return Object.values<Setting<unknown>>(settings)
    .map((definition) => {
      const fallback = definition.fallbackSaid ?? String(definition.fallback);
      return `  --${optionOf(definition)} ${definition.placeholder}\n      ${definition.help}\n      ${definition.env.join(", ")}; default: ${fallback}`;
    })
    .join("\n");
}

/**
 * Reads the names that the demo apps and Redis's tutorials use. Builds a REDIS_URL from them if none is set, and adds the user name to it.
 * @returns the variables that name the Redis; undefined if REDIS_URL alone does, or none do
 */
function useOtherRedisNames(variables: NodeJS.Dict<string>): string | undefined {
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

function withoutEmpty(variables: NodeJS.Dict<string>): NodeJS.Dict<string> {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
}

function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) throw new Error(`${text} is not a whole number from ${least} to ${most}`);
    return value;
  };
}

function oneOf<Choice extends string>(...choices: Choice[]): (text: string) => Choice {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) throw new Error(`${text} is not one of ${choices.join(", ")}`);
    return choice;
  };
}

function onOff(text: string): boolean {
  return oneOf("on", "off", "true", "false", "1", "0")(text).match(/^(on|true|1)$/) !== null;
}

/** A username that can be registered, with only characters that can be part of a mention. */
function username(text: string): string {
  if (!/^[\p{L}\p{M}\p{N}._-]{2,32}$/u.test(text)) throw new Error("is not 2 to 32 letters, digits, dots, hyphens or underscores");
  return text;
}

function origins(text: string): string[] {
  return text.split(",").map((part) => {
    const origin = part.trim();
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new Error(`${origin} is not an origin such as https://chat.example (no path, no trailing slash)`);
    }
    return origin;
  });
}

function hosts(text: string): string[] {
  return text.split(",").map((part) => {
    const name = part.trim().toLowerCase();
    if (!/^(\*|(\*\.)?[\w-]+(\.[\w-]+)*)$/.test(name))
      throw new Error(`${name} is not a host name such as chat.example (no port, no https://)`);
    return name;
  });
}

/** The base of an API, without a trailing slash. Problems never quote the text, as it may hold a key. */
function endpointUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new Error("is not an http:// or https:// URL");
  if (url.username !== "" || url.password !== "") throw new Error("contains a user name or password; put a key into ASSISTANT_KEY");
  url.hash = "";
  url.pathname = url.pathname.replace(/\/+$/, "");
  return url.href.replace(/\/$/, "");
}

/** A token that fits into a header. The problem does not quote it. */
function bearerToken(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new Error("contains a space or a character that is not ASCII; copy the key again");
  return text;
}
