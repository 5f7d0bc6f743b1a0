import type { Lenient, RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import { isUserId } from "../users/user.store.js";
import type { Transition } from "./transitions.js";

const MOST_DIFFERENCES = 1_000_000; // users online, beyond which somebody plays tricks on us
const AT_ONCE = 100; // users dealt with in one round trip

/** Who is online: whoever has a connection to any server that is alive, or has had one until a moment ago. */
export class PresenceStore {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #lenient: Lenient;
  readonly #server: string;
  readonly #grace: number;
  readonly #onTransition: (transition: Transition) => void;
  /** Connections to this server, by user. Only it writes what Redis knows of them. */
  readonly #connections = new Map<string, number>();
  /** Users whose last connection here has closed just now, as when a page is loaded anew. In Redis it is still there. */
  readonly #lingering = new Map<string, NodeJS.Timeout>();
  /** The last write of each user's count, and the one of them that has not begun. */
  readonly #last = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();
  /** Users whose count could not be written to Redis. */
  readonly #unwritten = new Set<string>();

  /**
   * @param server this server's name; no other one has it, nor had
   * @param grace seconds that a user may be without a connection before they are offline
   * @param onTransition is told of each transition that is announced from here, and that the demo apps do not know of
   */
  constructor(
    redis: RedisClient,
    scripts: Scripts,
    lenient: Lenient,
    { server, grace }: { server: string; grace: number },
    onTransition: (transition: Transition) => void,
  ) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#lenient = lenient;
    this.#server = server;
    this.#grace = grace;
    this.#onTransition = onTransition;
  }

  /** Counts one more connection of the user here. The count is kept where Redis is away, and written by `settle`. */
  async opened(userId: string): Promise<void> {
    clearTimeout(this.#lingering.get(userId));
    this.#lingering.delete(userId);
    this.#connections.set(userId, (this.#connections.get(userId) ?? 0) + 1);
    await this.#write(userId);
  }

  /** Counts one less; the last one when the grace period is over. */
  async closed(userId: string): Promise<void> {
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

  /** Writes the counts that Redis missed; all of them, where it has forgotten this server. */
  async settle(forgotten: boolean): Promise<void> {
    if (forgotten) for (const userId of [...this.#connections.keys(), ...this.#lingering.keys()]) this.#unwritten.add(userId);
    await inPortions([...this.#unwritten], (userId) => this.#write(userId));
  }

  /** Takes all connections to a server back: it stopped, or it is dead. */
  async forget(server: string): Promise<void> {
    await inPortions(await this.#redis.smembers(keys.serverUsers(server)), (userId) => this.#change(server, userId, 0));
    await this.#redis.unlink(keys.serverUsers(server));
  }

  /** Writes nothing any more. */
  stop(): void {
    for (const over of this.#lingering.values()) clearTimeout(over);
    this.#lingering.clear();
  }

  /** Whether these users are online; one round trip. */
  async areOnline(userIds: readonly string[]): Promise<boolean[]> {
    const announced = () => this.#redis.smismember(keys.announced, ...userIds);
    const answers = await this.#lenient(this.#redis.smismember(keys.onlineUsers, ...userIds), undefined);
    return (answers ?? (await announced())).map((answer) => answer === 1);
  }

  /** Ids of users who are online, in order of registration; any so many of them, where there are more. */
  async online(most: number): Promise<string[]> {
    const ids = await this.#lenient(this.#redis.srandmember(keys.onlineUsers, most), []);
    return ids.filter(isUserId).sort((one, other) => Number(one) - Number(other));
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
    await inPortions(differing.flat().filter(isUserId), (userId) => this.lookAt(userId));
  }

  /** Writes the user's count here, one write after the other, as the last one has to be the true one. */
  #write(userId: string): Promise<void> {
    const next = this.#next.get(userId);
    if (next) return next; // it has not looked at the count yet
    const write = (this.#last.get(userId) ?? Promise.resolve())
      .catch(() => {}) // told to whoever asked for it
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

  async #writeNow(userId: string): Promise<void> {
    this.#unwritten.delete(userId);
    const count = () => this.#connections.get(userId) ?? (this.#lingering.has(userId) ? 1 : 0);
    try {
      // The demo apps could not bear someone online who has no account, as after a loss of the data.
      if (count() > 0 && (await this.#redis.exists(keys.user(userId))) === 0) return;
      // Listed here first and taken off last, so that whoever sweeps this server always finds the user.
      if (count() > 0) await this.#redis.sadd(keys.serverUsers(this.#server), userId);
      await this.#change(this.#server, userId, count());
      if (count() === 0) await this.#redis.srem(keys.serverUsers(this.#server), userId);
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

/** Does the work for all of them, some at a time. */
async function inPortions(userIds: string[], work: (userId: string) => Promise<void>): Promise<void> {
  for (let at = 0; at < userIds.length; at += AT_ONCE) await Promise.all(userIds.slice(at, at + AT_ONCE).map(work));
}
