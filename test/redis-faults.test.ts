import { rm } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import type { RunningServer } from "../src/server/server.js";
import { cleanUp } from "./helpers/cleanup.js";
import { TestClient } from "./helpers/client.js";
import { BUSY, eventually } from "./helpers/eventually.js";
import { recordedLog } from "./helpers/log.js";
import { proxyTo } from "./helpers/proxy.js";
import { ownRedis } from "./helpers/redis.js";
import { ownServer } from "./helpers/server.js";

type Redis = Awaited<ReturnType<typeof ownRedis>>;

const RECOVERY = 10_000; // ms after a fault has ended within which everything works again, as promised
const ANSWER = 1_000; // ms within which `/readyz` answers, as promised

/** What `/readyz` says. */
async function readiness({ url }: RunningServer) {
  const start = performance.now();
  const response = await fetch(`${url}/readyz`);
  const body = (await response.json()) as { ready: boolean; problems: string[]; warnings: string[] };
  expect(performance.now() - start).toBeLessThan(ANSWER * BUSY);
  expect(response.status).toBe(body.ready ? 200 : 503);
  return body;
}

/** Two users in a private room, each on a server, the second of whom follows what is said. */
async function conversation(server: RunningServer, other: RunningServer) {
  const alice = await TestClient.register(server, "alice");
  const bob = await TestClient.register(other, "bob");
  const { openPrivateRoom: room } = await alice.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id position } }", { id: bob.id });
  const followed = bob.follow({ roomId: room.id, after: [room.position] });
  let count = 0;
  const send = async (text: string) =>
    (
      await alice.request(
        "mutation ($room: ID!, $text: String!, $id: ID!) { send(roomId: $room, text: $text, clientMessageId: $id) { id } }",
        {
          room: room.id,
          text,
          id: text,
        },
      )
    ).errors === undefined;
  return {
    /** Whether a message is acknowledged and heard. */
    async passes(): Promise<boolean> {
      const text = `message ${++count}`;
      if (!(await send(text))) return false;
      expect(await followed.texts(1)).toEqual([text]);
      return true;
    },
    /** Repeats a message, as clients do, until it is acknowledged and heard. */
    async works(): Promise<void> {
      const text = `message ${++count}`;
      await vi.waitFor(async () => expect(await send(text)).toBe(true), { timeout: RECOVERY, interval: 50 });
      expect(await followed.texts(1)).toEqual([text]);
    },
  };
}

interface Scene {
  redis: Redis;
  proxy: Awaited<ReturnType<typeof proxyTo>>;
  /** The server behind the proxy. */
  far: RunningServer;
  /** What its log has said since it started that an operator should read. */
  logged: () => string[];
  /** To the server and from it. */
  talks: [Talk, Talk];
}

type Talk = Awaited<ReturnType<typeof conversation>>;

/** Something that befalls the Redis of a server, or the way to it, and how it ends. */
interface Fault {
  /** What `/readyz` says meanwhile. */
  problem: RegExp;
  begin(scene: Scene): unknown;
  end?(scene: Scene): unknown;
}

const processOf = async ({ client }: Redis) => Number(/process_id:(\d+)/.exec(await client.info("server"))?.[1]);

/** Makes its saving fail, so that it refuses writes as with a full disk. */
async function loseDisk({ redis: { client } }: Scene): Promise<void> {
  const [, folder = ""] = (await client.config("GET", "dir")) as string[];
  await client.config("SET", "save", "3600 1000000");
  await rm(folder, { recursive: true });
  await client.bgsave();
  await eventually(async () => expect(await client.info("persistence")).toMatch(/rdb_last_bgsave_status:err/));
}

let stopped = 0;

const faults: Record<string, Fault> = {
  "a mute command connection": { problem: /does not answer/, begin: ({ proxy }) => proxy.freeze("commands") },
  "a mute listening connection": { problem: /listens to Redis/, begin: ({ proxy }) => proxy.freeze("listeners") },
  "both connections mute": { problem: /does not answer/, begin: ({ proxy }) => proxy.freeze("all") },
  "a Redis that is gone": {
    problem: /cannot be reached|does not answer/,
    begin: ({ proxy }) => proxy.goAway(),
    end: ({ proxy }) => proxy.comeBack(),
  },
  "a full Redis": {
    problem: /full \(maxmemory\)/,
    begin: ({ redis }) => redis.client.config("SET", "maxmemory", 1),
    end: ({ redis }) => redis.client.config("SET", "maxmemory", 0),
  },
  "a full disk": {
    problem: /cannot save to its disk/,
    begin: loseDisk,
    end: ({ redis }) => redis.client.config("SET", "save", ""),
  },
  "a Redis that hangs": {
    problem: /does not answer/,
    begin: async ({ redis }) => {
      stopped = await processOf(redis);
      process.kill(stopped, "SIGSTOP");
    },
    end: () => process.kill(stopped, "SIGCONT"),
  },
};

async function stage(): Promise<Scene> {
  const redis = await ownRedis();
  const proxy = await proxyTo(redis.url);
  cleanUp(proxy.stop);
  const near = await ownServer(redis.url);
  const { log, forOperator } = recordedLog();
  const far = await ownServer(proxy.url, { assistant: true }, log);
  const atStart = forOperator().length;
  const logged = () => forOperator().slice(atStart);
  const talks: Scene["talks"] = [await conversation(near, far), await conversation(far, near)];
  for (const talk of talks) expect(await talk.passes()).toBe(true);
  return { redis, proxy, far, logged, talks };
}

/** A replica that has everything. */
async function replicaOf({ url, client }: Redis): Promise<Redis> {
  const replica = await ownRedis();
  await client.config("SET", "repl-diskless-sync-delay", 0);
  const { hostname, port } = new URL(url);
  await replica.client.replicaof(hostname, port);
  await vi.waitFor(async () => expect(await replica.client.info("replication")).toMatch(/master_link_status:up/), { timeout: RECOVERY });
  return replica;
}

const LINES = ["Redis cannot be used; trying again until it can", "Redis can be used again"];

/** Tries a message between two looks at readiness; looks that contradict each other tell nothing. */
async function agree(far: RunningServer, talk: Talk): Promise<boolean> {
  const before = await readiness(far);
  const passed = await talk.passes();
  const after = await readiness(far);
  if (before.ready && after.ready) expect(passed).toBe(true);
  if (!before.ready && !after.ready) expect(passed).toBe(false);
  return after.ready;
}

describe("faults of Redis and of the way to it", () => {
  it.each(Object.entries(faults))("[R2][R3] %s: readiness is true, all works again by itself, two lines tell", async (_name, fault) => {
    const scene = await stage();
    const { far, logged, talks } = scene;
    const [, fromFar] = talks;
    await fault.begin(scene);
    try {
      await vi.waitFor(async () => expect((await readiness(far)).problems.join()).toMatch(fault.problem), { timeout: RECOVERY });
      // Ends by itself, as the way to Redis works for new connections; else it lasts until a send has failed for it.
      if (fault.end) expect(await agree(far, fromFar)).toBe(false);
      await vi.waitFor(() => expect(logged()).toEqual(LINES.slice(0, 1)), { timeout: RECOVERY });
    } finally {
      await fault.end?.(scene);
    }
    await Promise.all(talks.map((talk) => talk.works()));
    await vi.waitFor(async () => expect(await agree(far, fromFar)).toBe(true), { timeout: RECOVERY });
    await vi.waitFor(() => expect(logged()).toEqual(LINES), { timeout: RECOVERY });
  });

  it("[O3] what is told while the connection for commands is mute waits for it, and is told then", async () => {
    const { proxy, talks } = await stage();
    proxy.freeze("commands");
    await talks[0].works(); // the event arrives at once, and its author's name has to be looked up
  });

  it("[R2] a primary that becomes a replica behind the same address", async () => {
    const { redis, proxy, far, logged, talks } = await stage();
    const successor = await ownRedis();
    const { hostname, port } = new URL(redis.url);
    await successor.client.replicaof(hostname, port);
    await vi.waitFor(async () => expect(await successor.client.info("replication")).toMatch(/master_link_status:up/), {
      timeout: RECOVERY,
    });

    // As a planned failover goes: the replica has everything, then the roles change, then the address leads to the new primary.
    await successor.client.replicaof("NO", "ONE");
    const heir = new URL(successor.url);
    await redis.client.replicaof(heir.hostname, heir.port);
    await vi.waitFor(async () => expect((await readiness(far)).problems.join()).toMatch(/read-only replica/), { timeout: RECOVERY });
    await vi.waitFor(() => expect(logged()).toEqual(LINES.slice(0, 1)), { timeout: RECOVERY });
    proxy.leadTo(successor.url);
    await talks[1].works();
    await vi.waitFor(async () => expect((await readiness(far)).ready).toBe(true), { timeout: RECOVERY });
    await vi.waitFor(() => expect(logged()).toEqual(LINES), { timeout: RECOVERY });
  });

  it("[R2] a listening connection that still leads to a former primary after a failover", async () => {
    const { redis, proxy, far, logged } = await stage();
    const successor = await replicaOf(redis);
    await successor.client.replicaof("NO", "ONE");
    proxy.leadTo(successor.url);
    proxy.cutCommands();
    await vi.waitFor(async () => expect((await readiness(far)).problems.join()).toMatch(/leads to another Redis/), { timeout: RECOVERY });
    const fromFar = await conversation(far, far);
    await fromFar.works();
    await vi.waitFor(async () => expect((await readiness(far)).ready).toBe(true), { timeout: RECOVERY });
    await vi.waitFor(() => expect(logged()).toEqual(LINES), { timeout: RECOVERY });
  });

  it("[R2] connections that are killed and scripts that are flushed are not even noticed by clients", async () => {
    const { redis, talks } = await stage();
    for (const type of ["normal", "pubsub"]) await redis.client.call("CLIENT", "KILL", "TYPE", type, "SKIPME", "yes");
    await Promise.all(talks.map((talk) => talk.works()));
    await redis.client.script("FLUSH");
    await Promise.all(talks.map((talk) => talk.works()));
  });

  it("[R2] a newcomer is accepted or sent away in time while the listening connection is mute", async () => {
    const { proxy, far } = await stage();
    const alice = await TestClient.register(far, "alice");
    proxy.freeze("listeners");
    const answer = await alice
      .subscribe("{ me { id } }")
      .next()
      .catch((closed: { code: number }) => closed.code);
    expect([1013, { id: alice.id }]).toContainEqual(answer);
  });

  it("[R2] a newcomer is sent away in time while no listening connection can be had", async () => {
    const { redis, far } = await stage();
    const alice = await TestClient.register(far, "alice");
    // Its user loses the right to channels, and with it the connection that listens.
    await redis.client.call("ACL", "SETUSER", "default", "resetchannels");
    await redis.client.call("CLIENT", "KILL", "TYPE", "pubsub");
    await expect(alice.subscribe("{ me { id } }").next()).rejects.toMatchObject({ code: 1013 });
    expect((await readiness(far)).ready).toBe(false);
    await redis.client.call("ACL", "SETUSER", "default", "allchannels");
    await vi.waitFor(async () => expect((await readiness(far)).ready).toBe(true), { timeout: RECOVERY });
  });
});
