import type { Logger } from "pino";
import { isGroup, privatePair } from "../api/ids.js";
import { logKeys } from "../log/keys.js";
import { presenceKeys } from "../presence/keys.js";
import type { RedisClient } from "../redis/connect.js";
import type { UserStore } from "../users/user.store.js";
import type { RoomId, UserId } from "../util/ids.js";
import { writeEnvelope } from "./envelope.js";
import { demoChannels } from "./keys.js";

/** What the demo apps get: nothing; what everyone may see; or also messages of private rooms and groups, which they show to everyone. */
export type Interop = "off" | "public" | "full";

const INTRODUCED = 60_000; // ms for which the name of an author without a connection is not announced again
const MOST_INTRODUCED = 10_000; // authors that are remembered for this

/** Announces to the demo apps what happens here, so that they show it at once. What they miss, they find in the database. */
export class DemoBridge {
  readonly #redis: RedisClient;
  readonly #users: UserStore;
  readonly #interop: Interop;
  readonly #server: string;
  readonly #log: Logger;
  readonly #publishing = new Set<Promise<unknown>>();
  /** When (ms) the name of each author without a connection was published last, oldest first. */
  readonly #introduced = new Map<string, number>();
  #messages = Promise.resolve();
  #transitions = Promise.resolve();

  /** @param server this server's name, unique to it */
  constructor(redis: RedisClient, users: UserStore, interop: Interop, server: string, log: Logger) {
    this.#redis = redis;
    this.#users = users;
    this.#interop = interop;
    this.#server = server;
    this.#log = log;
  }

  /** Announces a stored message. @param json as stored in the room @param first whether it is the room's first message */
  messageStored({ roomId, json, first }: { roomId: RoomId; json: string; first: boolean }): void {
    const pair = privatePair(roomId);
    if (this.#interop === "off" || ((pair || isGroup(roomId)) && this.#interop !== "full")) return;
    this.#messages = this.#afterwards(this.#messages, async () => {
      await this.#introduce((JSON.parse(json) as { from: UserId }).from);
      if (pair && first) {
        const names = (await this.#users.byIds(pair)).map((user) => [user?.username]);
        this.#publish("show.room", JSON.stringify({ id: roomId, names }));
      } else if (isGroup(roomId) && first) {
        const name = await this.#redis.get(logKeys.roomName(roomId));
        if (name !== null) this.#publish("show.room", JSON.stringify({ id: roomId, names: [name] }));
      }
      this.#publish("message", json);
    });
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
    this.#publish("user.connected", JSON.stringify({ id: userId, username: user.username, online: false }));
  }

  /** Announces that a user came online or went offline. */
  presenceChanged({ userId, online }: { userId: UserId; online: boolean }): void {
    if (this.#interop === "off") return;
    this.#transitions = this.#afterwards(this.#transitions, async () => {
      const [user] = await this.#users.byIds([userId]);
      const data = user && JSON.stringify({ id: userId, username: user.username, online });
      if (data) this.#publish(online ? "user.connected" : "user.disconnected", data);
    });
  }

  #publish(...envelope: [type: Parameters<typeof writeEnvelope>[1], data: string]): void {
    // Commands are sent in the order of the calls, so nothing waits for the reply.
    const publishing = this.#redis
      .publish(demoChannels.demos, writeEnvelope(this.#server, ...envelope))
      .catch(this.#onFailure)
      .finally(() => this.#publishing.delete(publishing));
    this.#publishing.add(publishing);
  }

  /** Resolves once everything that has happened so far is announced. */
  async finish(): Promise<void> {
    await Promise.all([this.#messages, this.#transitions]);
    await Promise.all(this.#publishing);
  }

  /** Does the work after the work before it, so that the order on the channel is that of the rooms. */
  #afterwards(before: Promise<void>, work: () => Promise<void>): Promise<void> {
    return before.then(work).catch(this.#onFailure);
  }

  readonly #onFailure = (error: unknown) => this.#log.debug({ error: String(error) }, "could not announce an event to the demo apps");
}
