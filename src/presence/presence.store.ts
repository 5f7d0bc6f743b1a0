import { isUserId } from "../api/ids.js";
import type { Lenient, RedisClient } from "../redis/connect.js";
import type { Scripts } from "../redis/scripts.js";
import { userKeys } from "../users/keys.js";
import type { UserId } from "../util/ids.js";
import { inPortions } from "../util/portions.js";
import { presenceKeys } from "./keys.js";
import type { Transition } from "./transitions.js";

const MOST_DIFFERENCES = 1_000_000; // users online; a larger set is not plausible, and is ignored
const AT_ONCE = 100; // users handled in one round trip

const ONLINE_KEYS = { onlineUsers: presenceKeys.onlineUsers, versions: presenceKeys.onlineVersions, announced: presenceKeys.announced };

/** The users who are online: those with a connection to a live server, or who had one a moment ago. */
export class PresenceStore {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #lenient: Lenient;
  readonly #server: string;
  readonly #grace: number;
  readonly #listeners: ((transition: Transition) => void)[] = [];
  /** Connections to this server, by user. Only this server writes their number to Redis. */
  readonly #connections = new Map<UserId, number>();
  /** Users whose last connection here has just closed, as when a page is reloaded. Redis still has the connection. */
  readonly #lingering = new Map<UserId, NodeJS.Timeout>();
  /** The last write of each user's count, and the one that has not begun yet. */
  readonly #last = new Map<UserId, Promise<void>>();
  readonly #next = new Map<UserId, Promise<void>>();
  /** Users whose count could not be written to Redis. */
  readonly #unwritten = new Set<UserId>();

  /**
   * @param server this server's name, unique among all servers, past ones included
   * @param grace seconds without a connection after which a user is offline
   */
  constructor(redis: RedisClient, scripts: Scripts, lenient: Lenient, { server, grace }: { server: string; grace: number }) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#lenient = lenient;
    this.#server = server;
    this.#grace = grace;
  }

  /** Calls the listener for each transition that this server publishes and that the demo apps do not know. */
  onTransition(listener: (transition: Transition) => void): void {
    this.#listeners.push(listener);
  }

  /** Counts one more connection of the user here. If Redis is unavailable, the count is kept, and `settle` writes it. */
  async opened(userId: UserId): Promise<void> {
    clearTimeout(this.#lingering.get(userId));
    this.#lingering.delete(userId);
    this.#connections.set(userId, (this.#connections.get(userId) ?? 0) + 1);
    await this.#write(userId);
  }

  /** Counts one connection less; for the last one, once the grace period is over. */
  async closed(userId: UserId): Promise<void> {
    const left = (this.#connections.get(userId) ?? 0) - 1;
    if (left > 0) this.#connections.set(userId, left);
    else this.#connections.delete(userId);
    if (left > 0 || this.#grace === 0) return this.#write(userId);
    clearTimeout(this.#lingering.get(userId));
    const over = setTimeout(() => {
      this.#lingering.delete(userId);
      this.#write(userId).catch(() => {}); // the lease's next beat tries again
    }, this.#grace * 1_000);
    this.#lingering.set(userId, over.unref());
  }

  /** Writes the counts that Redis missed; all of them if Redis has lost this server. */
  async settle(forgotten: boolean): Promise<void> {
    if (forgotten) for (const userId of [...this.#connections.keys(), ...this.#lingering.keys()]) this.#unwritten.add(userId);
    await inPortions([...this.#unwritten], AT_ONCE, (userId) => this.#write(userId));
  }

  /** Removes all connections to a server that has stopped or died. */
  async forget(server: string): Promise<void> {
    await inPortions((await this.#redis.smembers(presenceKeys.serverUsers(server))) as UserId[], AT_ONCE, (userId) =>
      this.#change(server, userId, 0),
    );
    await this.#redis.unlink(presenceKeys.serverUsers(server));
  }

  /** Stops writing. */
  stop(): void {
    for (const over of this.#lingering.values()) clearTimeout(over);
    this.#lingering.clear();
  }

  /** Whether these users are online; one round trip. */
  async areOnline(userIds: readonly UserId[]): Promise<boolean[]> {
    const announced = () => this.#redis.smismember(presenceKeys.announced, ...userIds);
    const answers = await this.#lenient(this.#redis.smismember(presenceKeys.onlineUsers, ...userIds), undefined);
    return (answers ?? (await announced())).map((answer) => answer === 1);
  }

  /** Ids of users who are online, in order of registration; at most `most`, chosen at random if there are more. */
  async online(most: number): Promise<UserId[]> {
    const ids = await this.#lenient(this.#redis.srandmember(presenceKeys.onlineUsers, most), []);
    return ids.filter(isUserId).sort((one, other) => Number(one) - Number(other));
  }

  /** Called when a demo app announced something of the user: checks what it did to the set of online users, and notifies subscribers. */
  async lookAt(userId: UserId): Promise<void> {
    const { version = "0", ...connections } = await this.#redis.hgetall(presenceKeys.presence(userId));
    const [, , putBack] = await this.#scripts.run("presence_look", ONLINE_KEYS, {
      user: userId,
      version: Object.keys(connections).length > 0 ? version : 0,
    });
    if (putBack === 1) this.#tell({ userId, online: true });
  }

  /**
   * Notifies subscribers of the changes by demo apps whose announcements this server did not receive.
   * @param sizesMayDo whether it is enough to compare the sizes of the sets, which costs Redis very little
   */
  async lookAtAll({ sizesMayDo }: { sizesMayDo: boolean }): Promise<void> {
    const [online, known] = await Promise.all([
      this.#lenient(this.#redis.scard(presenceKeys.onlineUsers), 0),
      this.#redis.scard(presenceKeys.announced),
    ]);
    if ((sizesMayDo && online === known) || Math.max(online, known) > MOST_DIFFERENCES) return;
    const differing = await Promise.all([
      this.#lenient(this.#redis.sdiff(presenceKeys.onlineUsers, presenceKeys.announced), []),
      this.#lenient(this.#redis.sdiff(presenceKeys.announced, presenceKeys.onlineUsers), []),
    ]);
    await inPortions(differing.flat().filter(isUserId), AT_ONCE, (userId) => this.lookAt(userId));
  }

  /** Writes the user's count here, one write after the other, because the last one must be the current one. */
  #write(userId: UserId): Promise<void> {
    const next = this.#next.get(userId);
    if (next) return next; // it has not read the count yet
    const write = (this.#last.get(userId) ?? Promise.resolve())
      .catch(() => {}) // its caller got the error
      .then(() => {
        this.#next.delete(userId);
        return this.#writeNow(userId);
      })
      .finally(() => {
        if (this.#last.get(userId) === write) this.#last.delete(userId);
      });
    this.#next.set(userId, write);
    this.#last.set(userId, write);
    return write;
  }

  async #writeNow(userId: UserId): Promise<void> {
    this.#unwritten.delete(userId);
    const count = () => this.#connections.get(userId) ?? (this.#lingering.has(userId) ? 1 : 0);
    try {
      // Demo apps fail on an online user without an account, as after a loss of data.
      if (count() > 0 && (await this.#redis.exists(userKeys.user(userId))) === 0) return;
      // Listed first and removed last, so that a sweep of this server always finds the user.
      if (count() > 0) await this.#redis.sadd(presenceKeys.serverUsers(this.#server), userId);
      await this.#change(this.#server, userId, count());
      if (count() === 0) await this.#redis.srem(presenceKeys.serverUsers(this.#server), userId);
    } catch (error) {
      this.#unwritten.add(userId);
      throw error;
    }
  }

  async #change(server: string, userId: UserId, count: number): Promise<void> {
    const [version, isOnline] = await this.#scripts.run("presence_change", { presence: presenceKeys.presence(userId) }, { server, count });
    const online = isOnline === 1;
    const told = await this.#scripts.run("presence_announce", ONLINE_KEYS, { user: userId, version, online });
    if (told === 1) this.#tell({ userId, online });
  }

  #tell(transition: Transition): void {
    for (const listener of this.#listeners) listener(transition);
  }
}
