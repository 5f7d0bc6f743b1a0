import { randomUUID } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import type { RunningServer } from "../../src/program/server.js";
import { type Stream, TestClient } from "../helpers/client.js";
import { ownCluster } from "../helpers/cluster.js";
import { eventually } from "../helpers/eventually.js";
import { randomFrom } from "../helpers/random.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

/** Servers on a Redis, and a fault that the test causes now and then. */
interface Arrangement {
  name: string;
  servers: RunningServer[];
  disturb(): Promise<unknown>;
}

const redis = await ownRedis();
const fragile = await ownRedis();
const restarted = await ownRedis();
const cluster = await ownCluster();
const start = (url: string, count: number) => Promise.all(Array.from({ length: count }, () => ownServer(url)));
const nothing = async () => {};
const onRestarted = await start(restarted.url, 2);

const arrangements: Arrangement[] = [
  { name: "one server", servers: await start(redis.url, 1), disturb: nothing },
  { name: "two servers", servers: await start(redis.url, 2), disturb: nothing },
  {
    name: "two servers whose Redis connections are killed",
    servers: await start(fragile.url, 2),
    disturb: async () => {
      await fragile.client.call("CLIENT", "KILL", "TYPE", "pubsub");
      await fragile.client.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    },
  },
  {
    name: "two servers whose Redis is restarted with its data",
    servers: onRestarted,
    disturb: async () => {
      const processId = async () => Number(/process_id:(\d+)/.exec(await restarted.client.info("server"))?.[1]);
      const pid = await processId();
      process.kill(pid); // it shuts down asynchronously, and its supervisor restarts it
      await vi.waitFor(async () => expect(await processId()).not.toBe(pid), { timeout: 60_000, interval: 20 });
      await Promise.all(onRestarted.map(({ url }) => eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200))));
    },
  },
  { name: "two servers on a cluster of three", servers: await start(cluster.urls.join(","), 2), disturb: () => cluster.killSubscribers() },
];

/** A subscriber to all rooms that is cut off at random, and collects the received texts by room. */
class Follower {
  readonly texts = new Map<string, string[]>();
  readonly #positions = new Map<string, string>();
  #client: TestClient;
  #stream: Stream | undefined;
  #reading: Promise<void> = Promise.resolve();
  #cut = false;

  constructor(client: TestClient) {
    this.#client = client;
  }

  async begin(rooms: string[]): Promise<void> {
    for (const room of rooms) this.#positions.set(room, await this.#client.position(room));
    this.follow();
  }

  follow(): void {
    const stream = this.#client.follow({ after: [...this.#positions.values()] });
    this.#stream = stream;
    this.#cut = false;
    this.#reading = (async () => {
      for (;;) {
        const { data, errors } = await stream.result().catch((failure) => ({ data: undefined, errors: failure }));
        if (this.#cut) return;
        if (errors) {
          // Retry retryable errors and the close code 1013; anything else fails the test.
          if (!(errors[0]?.extensions.retryable || errors.code === 1013)) throw new Error(JSON.stringify(errors));
          await this.#client.disconnect();
          return this.follow();
        }
        const { roomId, text, position } = data.messageAdded;
        this.texts.set(roomId, [...(this.texts.get(roomId) ?? []), text]);
        this.#positions.set(roomId, position);
      }
    })();
  }

  /** Cuts the socket, and reconnects to another server. */
  async move(server: RunningServer): Promise<void> {
    this.#cut = true;
    this.#client.socket().terminate();
    await this.#client.disconnect();
    await this.#reading;
    this.#client = this.#client.on(server);
    this.follow();
  }

  async leave(): Promise<void> {
    this.#cut = true;
    this.#stream?.stop();
    await this.#client.disconnect();
  }
}

describe.each(arrangements)("$name", ({ servers, disturb }) => {
  it.each([1, 2])("[D1] delivers every message to every subscriber once, in history order (seed %i)", async (seed) => {
    const random = randomFrom(seed);
    const anyServer = () => random.pick(servers);
    const people = await Promise.all(Array.from({ length: 5 }, () => TestClient.register(anyServer())));
    const [ann, ben] = people as [TestClient, TestClient];
    const { openPrivateRoom } = await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ben.id });
    const rooms = ["0", openPrivateRoom.id];
    const followers = [new Follower(ann), new Follower(ben), new Follower(ann.on(anyServer()))];
    const before = await Promise.all(rooms.map((room) => ann.history(room)));
    for (const follower of followers) await follower.begin(rooms);

    for (let n = 0; n < 200; n++) {
      const room = random.pick(rooms);
      const writer = room === "0" ? random.pick(people) : random.pick([ann, ben]);
      const writing = [1, 2].map((turn) => sendUntilAnswered(writer.on(anyServer()), room, `${n}.${turn}`));
      if (n % 70 === 35) await disturb();
      if (random.chance(0.05)) await random.pick(followers).move(anyServer());
      await Promise.all(writing);
    }

    const expected = new Map<string, string[]>();
    for (const [n, room] of rooms.entries()) expected.set(room, (await ann.history(room)).slice(before[n]?.length));
    expect([...expected.values()].flat()).toHaveLength(400);
    for (const follower of followers) {
      for (const [room, texts] of expected) {
        await expect.poll(() => follower.texts.get(room)?.length ?? 0).toBeGreaterThanOrEqual(texts.length);
        expect(follower.texts.get(room)).toEqual(texts);
      }
      await follower.leave();
    }
  });
});

/** Sends like a good client: retries with the same clientMessageId while the error is retryable. */
async function sendUntilAnswered(client: TestClient, roomId: string, text: string): Promise<void> {
  const id = randomUUID();
  for (;;) {
    const query = "mutation ($r: ID!, $t: String!, $id: ID) { send(roomId: $r, text: $t, clientMessageId: $id) { id } }";
    const { errors } = await client.request(query, { r: roomId, t: text, id });
    if (!errors) return;
    if (!errors.every(({ extensions }) => extensions.retryable)) throw new Error(JSON.stringify(errors));
  }
}
