import { rm } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import type { RunningServer } from "../../src/program/server.js";
import { cleanUp } from "../helpers/cleanup.js";
import { TestClient } from "../helpers/client.js";
import { BUSY, eventually } from "../helpers/eventually.js";
import { recordedLog } from "../helpers/log.js";
import { proxyTo } from "../helpers/proxy.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

type Redis = Awaited<ReturnType<typeof ownRedis>>;

const RECOVERY = 10_000; // ms: the documented limit from the end of a fault until everything works again
const ANSWER = 1_000; // ms: the documented limit for an answer of `/readyz`

/** Returns the answer of `/readyz`, and checks its time and status. */
async function readiness({ url }: RunningServer) {
  const start = performance.now();
  const response = await fetch(`${url}/readyz`);
  const body = (await response.json()) as { ready: boolean; problems: string[]; warnings: string[] };
  expect(performance.now() - start).toBeLessThan(ANSWER * BUSY);
  expect(response.status).toBe(body.ready ? 200 : 503);
  return body;
}

/** Two users in a private room, on a server each. The first sends, the second is subscribed. */
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
    /** Sends a message once. @returns whether it was acknowledged, and then delivered */
    async passes(): Promise<boolean> {
      const text = `message ${++count}`;
      if (!(await send(text))) return false;
      expect(await followed.texts(1)).toEqual([text]);
      return true;
    },
    /** Retries a message, as clients do, until it is acknowledged and delivered. */
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
  /** Log lines since its start that concern the operator. */
  logged: () => string[];
  /** Conversations to the server and from it. */
  talks: [Talk, Talk];
}

type Talk = Awaited<ReturnType<typeof conversation>>;

/** A fault of a server's Redis, or of the network to it, and how the fault ends. */
interface Fault {
  /** The problem that `/readyz` reports during the fault. */
  problem: RegExp;
  begin(scene: Scene): unknown;
  end?(scene: Scene): unknown;
}

const processOf = async ({ client }: Redis) => Number(/process_id:(\d+)/.exec(await client.info("server"))?.[1]);

/** Makes Redis fail to save, so that it refuses writes as with a full disk. */
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
  "an unreachable Redis": {
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

/** Starts a replica, and waits until it is in sync. */
async function replicaOf({ url, client }: Redis): Promise<Redis> {
  const replica = await ownRedis();
  await client.config("SET", "repl-diskless-sync-delay", 0);
  const { hostname, port } = new URL(url);
  await replica.client.replicaof(hostname, port);
  await vi.waitFor(async () => expect(await replica.client.info("replication")).toMatch(/master_link_status:up/), { timeout: RECOVERY });
  return replica;
}

const LINES = ["Redis cannot be used; trying again until it can", "Redis can be used again"];

/** Sends a message between two readiness checks. Proves nothing if the two checks differ. */
async function agree(far: RunningServer, talk: Talk): Promise<boolean> {
  const before = await readiness(far);
  const passed = await talk.passes();
  const after = await readiness(far);
  if (before.ready && after.ready) expect(passed).toBe(true);
  if (!before.ready && !after.ready) expect(passed).toBe(false);
  return after.ready;
}

describe("faults of Redis and the network to it", () => {
  it.each(Object.entries(faults))("[R2][R3] %s: is reported by readiness, recovers by itself, logs two lines", async (_name, fault) => {
    const scene = await stage();
    const { far, logged, talks } = scene;
    const [, fromFar] = talks;
    await fault.begin(scene);
    try {
      await vi.waitFor(async () => expect((await readiness(far)).problems.join()).toMatch(fault.problem), { timeout: RECOVERY });
      // A fault without `end` ends by itself, because new connections work. The others last until a send has failed.
      if (fault.end) expect(await agree(far, fromFar)).toBe(false);
      await vi.waitFor(() => expect(logged()).toEqual(LINES.slice(0, 1)), { timeout: RECOVERY });
    } finally {
      await fault.end?.(scene);
    }
    await Promise.all(talks.map((talk) => talk.works()));
    await vi.waitFor(async () => expect(await agree(far, fromFar)).toBe(true), { timeout: RECOVERY });
    await vi.waitFor(() => expect(logged()).toEqual(LINES), { timeout: RECOVERY });
  });

  it("[O3] delay events while the command connection is mute, and deliver them afterwards", async () => {
    const { proxy, talks } = await stage();
    proxy.freeze("commands");
    await talks[0].works(); // the event arrives at once, but its sender's name needs a lookup
  });

  it("[R2] include a primary that becomes a replica behind the same address", async () => {
    const { redis, proxy, far, logged, talks } = await stage();
    const successor = await ownRedis();
    const { hostname, port } = new URL(redis.url);
    await successor.client.replicaof(hostname, port);
    await vi.waitFor(async () => expect(await successor.client.info("replication")).toMatch(/master_link_status:up/), {
      timeout: RECOVERY,
    });

    // The steps of a planned failover: the replica is in sync, the roles change, the address leads to the new primary.
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

  it("[R2] include a listening connection that still leads to a former primary after a failover", async () => {
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

  it("[R2] are invisible to clients if connections are killed or scripts are flushed", async () => {
    const { redis, talks } = await stage();
    for (const type of ["normal", "pubsub"]) await redis.client.call("CLIENT", "KILL", "TYPE", type, "SKIPME", "yes");
    await Promise.all(talks.map((talk) => talk.works()));
    await redis.client.script("FLUSH");
    await Promise.all(talks.map((talk) => talk.works()));
  });

  it("[R2] delay no new client: a mute listening connection leads to acceptance or 1013 in time", async () => {
    const { proxy, far } = await stage();
    const alice = await TestClient.register(far, "alice");
    proxy.freeze("listeners");
    const answer = await alice
      .subscribe("{ me { id } }")
      .next()
      .catch((closed: { code: number }) => closed.code);
    expect([1013, { id: alice.id }]).toContainEqual(answer);
  });

  it("[R2] delay no new client: without a listening connection it gets 1013 in time", async () => {
    const { redis, far } = await stage();
    const alice = await TestClient.register(far, "alice");
    // The server's Redis user loses its right to channels, and the server its listening connection.
    await redis.client.call("ACL", "SETUSER", "default", "resetchannels");
    await redis.client.call("CLIENT", "KILL", "TYPE", "pubsub");
    await expect(alice.subscribe("{ me { id } }").next()).rejects.toMatchObject({ code: 1013 });
    await vi.waitFor(async () => expect((await readiness(far)).ready).toBe(false), { timeout: RECOVERY });
    await redis.client.call("ACL", "SETUSER", "default", "allchannels");
    await vi.waitFor(async () => expect((await readiness(far)).ready).toBe(true), { timeout: RECOVERY });
  });
});
