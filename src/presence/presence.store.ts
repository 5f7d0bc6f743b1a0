import type { Channels } from "../delivery/channels.js";
import { Feed } from "../delivery/feed.js";
import type { Lenient, RedisClient } from "../redis/connect.js";
import { channels, keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import { isUserId } from "../users/user.store.js";

/** Someone came online or went offline. */
export interface Transition {
  userId: string;
  online: boolean;
}

const MOST_DIFFERENCES = 1_000_000; // users online, beyond which somebody plays tricks on us
const AT_ONCE = 100; // users looked at in one round trip

/** Who is online: whoever has a connection to any server that is alive. */
export class PresenceStore {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #channels: Channels;
  readonly #server: string;
  readonly #lenient: Lenient;
  /** Connections to this server, by user. Only it writes what Redis knows of them. */
  readonly #connections = new Map<string, number>();
  /** Users whose count could not be written to Redis. */
  readonly #unwritten = new Set<string>();

  readonly #onTransition: (transition: Transition) => void;

  /**
   * @param server this server's name; no other one has it, nor had
   * @param onTransition is told of each transition that is announced from here, and that the demo apps do not know of
   */
  constructor(
    redis: RedisClient,
    scripts: Scripts,
    channels: Channels,
    server: string,
    lenient: Lenient,
    onTransition: (transition: Transition) => void = () => {},
  ) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#channels = channels;
    this.#server = server;
    this.#lenient = lenient;
    this.#onTransition = onTransition;
  }

  /** Counts one more connection of the user here. The count is kept where Redis is away, and written by `settle`. */
  async opened(userId: string): Promise<void> {
    this.#connections.set(userId, (this.#connections.get(userId) ?? 0) + 1);
    await this.#write(userId);
  }

  /** Counts one less. */
  async closed(userId: string): Promise<void> {
    const left = (this.#connections.get(userId) ?? 0) - 1;
    if (left > 0) this.#connections.set(userId, left);
    else this.#connections.delete(userId);
    await this.#write(userId);
  }

  /** Writes the counts that Redis missed; all of them, where it has forgotten this server. */
  async settle(forgotten: boolean): Promise<void> {
    if (forgotten) for (const userId of this.#connections.keys()) this.#unwritten.add(userId);
    for (const userId of [...this.#unwritten]) await this.#write(userId);
  }

  /** Takes all connections to a server back: it stopped, or it is dead. */
  async forget(server: string): Promise<void> {
    for (const userId of await this.#redis.smembers(keys.serverUsers(server))) await this.#change(server, userId, 0);
    await this.#redis.unlink(keys.serverUsers(server));
  }

  /** Whether these users are online; one round trip. */
  async areOnline(userIds: readonly string[]): Promise<boolean[]> {
    const announced = () => this.#redis.smismember(keys.announced, ...userIds);
    const answers = await this.#lenient(this.#redis.smismember(keys.onlineUsers, ...userIds), undefined);
    return (answers ?? (await announced())).map((answer) => answer === 1);
  }

  /** A demo app told something of the user: sees what it has made of the set of who is online, and tells the followers. */
  async lookAt(userId: string): Promise<void> {
    const { version = "0", ...connections } = await this.#redis.hgetall(keys.presence(userId));
    const [, , putBack] = (await this.#scripts.run(
      "presence_look",
      [keys.onlineUsers, keys.onlineVersions, keys.announced],
      [userId, Object.keys(connections).length > 0 ? version : 0],
    )) as [number, number, number];
    if (putBack === 1) this.#onTransition({ userId, online: true });
  }

  /**
   * Tells the followers what the demo apps told while this server did not listen.
   * @param sizesMayDo whether to be content when as many are online as are known to be, which costs Redis next to nothing
   */
  async lookAtAll({ sizesMayDo }: { sizesMayDo: boolean }): Promise<void> {
    const [online, known] = await Promise.all([this.#lenient(this.#redis.scard(keys.onlineUsers), 0), this.#redis.scard(keys.announced)]);
    if ((sizesMayDo && online === known) || Math.max(online, known) > MOST_DIFFERENCES) return;
    const differing = await Promise.all([
      this.#lenient(this.#redis.sdiff(keys.onlineUsers, keys.announced), []),
      this.#lenient(this.#redis.sdiff(keys.announced, keys.onlineUsers), []),
    ]);
    const users = differing.flat().filter(isUserId);
    for (let at = 0; at < users.length; at += AT_ONCE) await Promise.all(users.slice(at, at + AT_ONCE).map((id) => this.lookAt(id)));
  }

  /** Transitions of everyone, or of these users. */
  async follow(userIds: string[] | null | undefined): Promise<Feed<Transition>> {
    const wanted = userIds && new Set(userIds);
    const feed = new Feed<Transition>();
    const stop = await this.#channels.subscribe(channels.onlineUsers, (payload) => {
      if (isTransition(payload) && (!wanted || wanted.has(payload.userId))) feed.push(payload);
    });
    feed.onEnd(stop);
    return feed;
  }

  async #write(userId: string): Promise<void> {
    this.#unwritten.delete(userId);
    try {
      // Listed here first and taken off last, so that whoever sweeps this server always finds the user.
      if (this.#connections.has(userId)) await this.#redis.sadd(keys.serverUsers(this.#server), userId);
      await this.#change(this.#server, userId, this.#connections.get(userId) ?? 0);
      if (!this.#connections.has(userId)) await this.#redis.srem(keys.serverUsers(this.#server), userId);
    } catch (error) {
      this.#unwritten.add(userId);
      throw error;
    }
  }

  async #change(server: string, userId: string, count: number): Promise<void> {
    const [version, online] = (await this.#scripts.run("presence_change", [keys.presence(userId)], [server, count])) as [number, number];
    const told = await this.#scripts.run(
      "presence_announce",
      [keys.onlineUsers, keys.onlineVersions, keys.announced],
      [userId, version, online],
    );
    if (told === 1) this.#onTransition({ userId, online: online === 1 });
  }
}

function isTransition(payload: unknown): payload is Transition {
  const { userId, online } = (payload ?? {}) as Partial<Transition>;
  return typeof userId === "string" && typeof online === "boolean";
}
