/** The address of Redis, parsed from `REDIS_URL`. */
export type RedisAddress =
  /** One server, or one node of a cluster; which of the two is known only after connecting. */
  | { kind: "server"; url: string }
  /** Several nodes of one cluster. */
  | { kind: "cluster"; urls: string[] }
  /** Sentinels, which know the address of the primary called `name`. */
  | {
      kind: "sentinel";
      sentinels: { host: string; port: number }[];
      name: string;
      database: number;
      username: string | undefined;
      password: string | undefined;
      tls: boolean;
    }
  /** A socket in the file system. */
  | { kind: "socket"; path: string };

const SENTINEL = /^(?<scheme>redis|rediss)-sentinel:\/\/(?:(?<login>[^@]*)@)?(?<hosts>[^/]+)\/(?<name>[\w.-]+)(?:\/(?<database>\d{1,3}))?$/;
const SENTINEL_PORT = 26_379;

/**
 * Splits the text of `REDIS_URL` into URLs and checks each. Accepts a bare `host:port`, too. The commas of a
 * `redis-sentinel://` URL separate its Sentinels, so it stays one piece.
 * @throws Error that states the problem, without a password
 */
export function splitRedisUrls(text: string): string[] {
  const whole = text.trim();
  if (/^unix:/.test(whole) || /^rediss?-sentinel:/.test(whole)) {
    readRedisAddress([whole]);
    return [whole];
  }
  return whole.split(",").map((part) => {
    const url = part.includes("://") ? part.trim() : `redis://${part.trim()}`;
    if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol) || new URL(url).hostname === "")
      throw new Error("is not a list of redis:// or rediss:// URLs, a redis-sentinel:// URL, or unix:/PATH");
    decoded(new URL(url).username);
    decoded(new URL(url).password);
    return url;
  });
}

/**
 * Parses the URLs that `splitRedisUrls` returned.
 * @throws Error that states the problem, without a password
 */
export function readRedisAddress(urls: readonly string[]): RedisAddress {
  const [url, ...others] = urls;
  if (url === undefined) throw new Error("at least one Redis URL is needed");
  if (others.length > 0) return { kind: "cluster", urls: [...urls] };
  if (url.startsWith("unix:")) {
    const path = url.replace(/^unix:(\/\/)?/, "");
    if (!path.startsWith("/")) throw new Error("needs an absolute path after unix:, such as unix:/run/redis.sock");
    return { kind: "socket", path };
  }
  if (!/^rediss?-sentinel:/.test(url)) return { kind: "server", url };

  const { scheme, login, hosts, name, database } = SENTINEL.exec(url)?.groups ?? {};
  if (hosts === undefined || name === undefined)
    throw new Error("needs Sentinels and the name of a primary: redis-sentinel://host:26379,host:26379/mymaster");
  const [username, ...password] = (login ?? "").split(":");
  return {
    kind: "sentinel",
    sentinels: hosts.split(",").map(readHost),
    name,
    database: Number(database ?? 0),
    username: username ? decoded(username) : undefined,
    password: password.length > 0 ? decoded(password.join(":")) : undefined,
    tls: scheme === "rediss",
  };
}

/**
 * Separates the login from a URL, because a client prefers the login in the URL, even one that lacks the password, to a separate one.
 * @param password instead of the one in the URL
 */
export function splitLogin(url: string, password: string | undefined): { url: string; username?: string; password?: string } {
  const bare = new URL(url);
  const [username, ownPassword] = [decoded(bare.username), decoded(bare.password)];
  bare.username = "";
  bare.password = "";
  const secret = password ?? ownPassword;
  return { url: bare.href, ...(username !== "" && { username }), ...(secret !== "" && { password: secret }) };
}

/** The URL without its password, for people and logs. */
export function withoutPassword(url: string): string {
  return url.replace(/^([\w-]+:\/\/)([^@/]*)@/, (_match, scheme: string, login: string) => {
    const [username = "", ...password] = login.split(":");
    return `${scheme}${username}${password.length > 0 ? ":…" : ""}@`;
  });
}

function readHost(text: string): { host: string; port: number } {
  const url = `redis://${text.trim()}`;
  if (!URL.canParse(url) || new URL(url).hostname === "") throw new Error(`has a Sentinel that is not host:port`);
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port || SENTINEL_PORT) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error("has a % in a user name or password that does not start an escape sequence; write it as %25");
  }
}
