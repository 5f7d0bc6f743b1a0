import type { Logger } from "pino";
import type { RedisClient } from "../redis/connect.js";
import { channels } from "../redis/keys.js";
import { isGroup } from "../rooms/member.store.js";
import { privatePair } from "../rooms/room.store.js";
import type { UserStore } from "../users/user.store.js";
import { writeEnvelope } from "./envelope.js";

/** What the demo apps are told: nothing; what everyone may know; or what private rooms and groups say too, which they show to everyone. */
export type Interop = "off" | "public" | "full";

/** Tells the demo apps what happens here, so that it shows on their screens at once. What they miss, they find in the database. */
export class DemoBridge {
  readonly #redis: RedisClient;
  readonly #users: UserStore;
  readonly #interop: Interop;
  readonly #server: string;
  readonly #log: Logger;
  readonly #publishing = new Set<Promise<unknown>>();
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
      if (pair && first) {
        const names = (await this.#users.byIds(pair)).map((user) => [user?.username]);
        this.#publish("show.room", JSON.stringify({ id: roomId, names }));
      }
      this.#publish("message", json);
    });
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
