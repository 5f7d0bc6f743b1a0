import type { Logger } from "pino";
import { isGroup, privatePair } from "../api/ids.js";
import { logKeys } from "../log/keys.js";
import type { MessageConsumer, Said } from "../messages/message-consumers.js";
import { presenceKeys } from "../presence/keys.js";
import type { RedisClient } from "../redis/connect.js";
import type { Scripts } from "../redis/scripts.js";
import type { UserStore } from "../users/user.store.js";
import type { RoomId, UserId } from "../util/ids.js";
import { writeEnvelope } from "./envelope.js";
import { demoChannels } from "./keys.js";

/** What the demo apps get: nothing; what everyone may see; or also messages of private rooms and groups, which they show to everyone. */
export type Interop = "off" | "public" | "full";

/** The name of this consumer of messages in the log. */
export const DEMOS = "demos";

const INTRODUCED = 60_000; // ms for which the name of an author without a connection is not announced again
const MOST_INTRODUCED = 10_000; // authors that are remembered for this
const NO_DATA = "{}";

/** Whether only its members may read the room. The apps find all others by themselves. */
const isClosed = (roomId: RoomId) => privatePair(roomId) !== undefined || isGroup(roomId);

/**
 * Announces to the demo apps what happens here, so that they show it at once. What they miss, they find in the database.
 *
 * For messages it is a consumer whose work is one script. So it needs neither hints nor leases: the server that stored a message announces
 * what waits in the room, and a sweep finds what a server left that died before that.
 */
export class DemoBridge implements MessageConsumer {
  readonly name = DEMOS;
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #users: UserStore;
  readonly #interop: Interop;
  readonly #server: string;
  readonly #log: Logger;
  /** When (ms) the name of each author without a connection was published last, oldest first. */
  readonly #introduced = new Map<string, number>();
  /** The rooms whose messages are being announced, with the authors of those that were stored meanwhile. */
  readonly #rooms = new Map<RoomId, Set<UserId>>();
  readonly #working = new Set<Promise<void>>();
  #transitions = Promise.resolve();

  /** @param server this server's name, unique to it */
  constructor(redis: RedisClient, scripts: Scripts, users: UserStore, interop: Interop, server: string, log: Logger) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#users = users;
    this.#interop = interop;
    this.#server = server;
    this.#log = log;
  }

  /** Messages that are being sent, in the rooms that the apps may hear of. */
  async wants({ id, roomId }: Said): Promise<boolean> {
    if (this.#interop === "off" || id !== null) return false;
    return this.#interop === "full" || !isClosed(roomId);
  }

  async admit(): Promise<void> {}

  /** The apps announce their own messages. */
  async takes(): Promise<boolean> {
    return false;
  }

  /** Announces what waits in the room, in the background. */
  async wake(roomId: RoomId, userId: UserId): Promise<void> {
    const authors = this.#rooms.get(roomId);
    if (authors) {
      authors.add(userId);
      return;
    }
    this.#rooms.set(roomId, new Set([userId]));
    const work = this.#announceAll(roomId)
      .catch(this.#onFailure)
      .finally(() => {
        this.#rooms.delete(roomId);
        this.#working.delete(work);
      });
    this.#working.add(work);
  }

  async #announceAll(roomId: RoomId): Promise<void> {
    for (let authors = this.#rooms.get(roomId); authors && authors.size > 0; authors = this.#rooms.get(roomId)) {
      this.#rooms.set(roomId, new Set());
      for (const author of authors) await this.#introduce(author);
      await this.announce(roomId);
    }
  }

  /** Announces what waits in the room. */
  async announce(roomId: RoomId): Promise<void> {
    const keys = {
      room: logKeys.room(roomId),
      log: logKeys.log(roomId),
      meta: logKeys.meta(roomId),
      consumed: logKeys.consumed(roomId),
    };
    const head = writeEnvelope(this.#server, "message", NO_DATA).slice(0, -`${NO_DATA}}`.length);
    const opens = isClosed(roomId);
    for (let opening = ""; ; ) {
      const outcome = await this.#scripts.run("demos_announce", keys, { name: DEMOS, channel: demoChannels.demos, head, opens, opening });
      if (outcome === "DONE") return;
      if (outcome === "OPENS") opening = writeEnvelope(this.#server, "show.room", JSON.stringify(await this.#describe(roomId)));
    }
  }

  /** A room as the apps announce a new one. */
  async #describe(roomId: RoomId): Promise<{ id: string; names: unknown[] }> {
    const pair = privatePair(roomId);
    if (!pair) return { id: roomId, names: [await this.#redis.get(logKeys.roomName(roomId))] };
    return { id: roomId, names: (await this.#users.byIds(pair)).map((user) => [user?.username]) };
  }

  /**
   * Announces the name of an author without a connection, such as one who sends over HTTP: the Node app's page shows a message without a
   * name if it does not know the author. It knows all users who are online. The event says that the author is offline, which is true.
   */
  async #introduce(userId: UserId): Promise<void> {
    const now = Date.now();
    if (now - (this.#introduced.get(userId) ?? Number.NEGATIVE_INFINITY) < INTRODUCED) return;
    const [[user], online] = await Promise.all([this.#users.byIds([userId]), this.#redis.sismember(presenceKeys.announced, userId)]);
    if (!user || online === 1) return;
    this.#introduced.delete(userId);
    this.#introduced.set(userId, now);
    if (this.#introduced.size > MOST_INTRODUCED) this.#introduced.delete(this.#introduced.keys().next().value as string);
    await this.#publish("user.connected", JSON.stringify({ id: userId, username: user.username, online: false }));
  }

  /** Announces that a user came online or went offline. */
  presenceChanged({ userId, online }: { userId: UserId; online: boolean }): void {
    if (this.#interop === "off") return;
    // One after the other, so that the order on the channel is that of the transitions.
    this.#transitions = this.#transitions
      .then(async () => {
        const [user] = await this.#users.byIds([userId]);
        const data = user && JSON.stringify({ id: userId, username: user.username, online });
        if (data) await this.#publish(online ? "user.connected" : "user.disconnected", data);
      })
      .catch(this.#onFailure);
  }

  async #publish(...envelope: [type: Parameters<typeof writeEnvelope>[1], data: string]): Promise<void> {
    await this.#redis.publish(demoChannels.demos, writeEnvelope(this.#server, ...envelope));
  }

  /** Resolves once everything that has happened so far is announced. */
  async finish(): Promise<void> {
    await Promise.all([...this.#working, this.#transitions]);
  }

  readonly #onFailure = (error: unknown) => this.#log.debug({ error: String(error) }, "could not announce an event to the demo apps");
}
