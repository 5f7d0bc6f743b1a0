import type { Logger } from "pino";
import type { RedisClient } from "../redis/connect.js";
import { channels, keys } from "../redis/keys.js";
import { isGroup } from "../rooms/member.store.js";
import { privatePair } from "../rooms/room.store.js";
import type { UserStore } from "../users/user.store.js";
import { writeEnvelope } from "./envelope.js";

/** What the demo apps are told: nothing; what everyone may know; or what private rooms and groups say too, which they show to everyone. */
export type Interop = "off" | "public" | "full";

const INTRODUCED = 60_000; // ms for which the name of an author without a connection is not told again
const MOST_INTRODUCED = 10_000; // authors that are remembered for it

/** Tells the demo apps what happens here, so that it shows on their screens at once. What they miss, they find in the database. */
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

  /** @param server this server's name, which no other one has */
  constructor(redis: RedisClient, users: UserStore, interop: Interop, server: string, log: Logger) {
    this.#redis = redis;
    this.#users = users;
    this.#interop = interop;
    this.#server = server;
    this.#log = log;
  }

  /** A message was stored. @param json as it is in the room @param first it is the room's first one */
  messageStored({ roomId, json, first }: { roomId: string; json: string; first: boolean }): void {
    const pair = privatePair(roomId);
    if (this.#interop === "off" || ((pair || isGroup(roomId)) && this.#interop !== "full")) return;
    this.#messages = this.#afterwards(this.#messages, async () => {
      await this.#introduce((JSON.parse(json) as { from: string }).from);
      if (pair && first) {
        const names = (await this.#users.byIds(pair)).map((user) => [user?.username]);
        this.#publish("show.room", JSON.stringify({ id: roomId, names }));
      } else if (isGroup(roomId) && first) {
        const name = await this.#redis.get(keys.roomName(roomId));
        if (name !== null) this.#publish("show.room", JSON.stringify({ id: roomId, names: [name] }));
      }
      this.#publish("message", json);
    });
  }

  /**
   * Tells the name of an author who has no connection, as over HTTP: the Node app's page would show a message of someone it does not
   * know without a name. It does know everyone who is online. The event says that the author is offline, which is true.
   */
  async #introduce(userId: string): Promise<void> {
    const now = Date.now();
    if (now - (this.#introduced.get(userId) ?? Number.NEGATIVE_INFINITY) < INTRODUCED) return;
    const [[user], online] = await Promise.all([this.#users.byIds([userId]), this.#redis.sismember(keys.announced, userId)]);
    if (!user || online === 1) return;
    this.#introduced.delete(userId);
    this.#introduced.set(userId, now);
    if (this.#introduced.size > MOST_INTRODUCED) this.#introduced.delete(this.#introduced.keys().next().value as string);
    this.#publish("user.connected", JSON.stringify({ id: userId, username: user.username, online: false }));
  }

  /** Someone came online or went offline. */
  presenceChanged({ userId, online }: { userId: string; online: boolean }): void {
    if (this.#interop === "off") return;
    this.#transitions = this.#afterwards(this.#transitions, async () => {
      const [user] = await this.#users.byIds([userId]);
      const data = user && JSON.stringify({ id: userId, username: user.username, online });
      if (data) this.#publish(online ? "user.connected" : "user.disconnected", data);
    });
  }

  #publish(...envelope: [type: Parameters<typeof writeEnvelope>[1], data: string]): void {
    // Commands leave in the order in which they are given, so nobody waits for the answer.
    const publishing = this.#redis
      .publish(channels.demos, writeEnvelope(this.#server, ...envelope))
      .catch(this.#onFailure)
      .finally(() => this.#publishing.delete(publishing));
    this.#publishing.add(publishing);
  }

  /** Resolves when the demo apps have been told everything that has happened so far. */
  async finish(): Promise<void> {
    await Promise.all([this.#messages, this.#transitions]);
    await Promise.all(this.#publishing);
  }

  /** Does the work when what came before it is done, so that the order on the channel is that of the rooms. */
  #afterwards(before: Promise<void>, work: () => Promise<void>): Promise<void> {
    return before.then(work).catch(this.#onFailure);
  }

  readonly #onFailure = (error: unknown) => this.#log.debug({ error: String(error) }, "the demo apps could not be told");
}
