import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import calculateSlot from "cluster-key-slot";
import { Redis } from "ioredis";
import { expect, vi } from "vitest";
import { redisBinary } from "../../src/redis/install.js";
import { cleanUp } from "./cleanup.js";
import { ownFolder } from "./redis.js";

const NODES = 3;
const SLOTS = 16_384;

interface OwnCluster {
  urls: string[];
  /** The number of connections that are subscribed to a channel, on all nodes. */
  listeners(channel: string): Promise<number>;
  /** Kills every connection that is subscribed to channels, on all nodes. */
  killSubscribers(): Promise<void>;
  /** The node that held a key originally. */
  nodeOf(key: string): Redis;
  /** Fails a key's slots over to the replica of its node, as for maintenance. */
  failOver(key: string): Promise<void>;
  /** Freezes and disconnects the replica of the node that holds a key. @returns a function that resumes it */
  stopReplica(key: string): Promise<() => void>;
  /**
   * Kills the node that holds a key, and waits until its replica has taken over.
   * @param afterwards called once the node is dead; then the method does not wait for the replica
   */
  kill(key: string, afterwards?: () => void): Promise<void>;
  /** Freezes the node that holds a key. @returns a function that resumes it */
  freeze(key: string): Promise<() => void>;
  /** Kills all nodes. @returns a function that starts them again with their data */
  takeAway(): Promise<() => Promise<void>>;
  /** Moves the slot of a key to the next node, one key at a time. */
  moveSlot(key: string): Promise<void>;
}

interface Node {
  child: ChildProcess;
  /** Starts the node again, with the same port and files. */
  launch(): ChildProcess;
  client: Redis;
  port: number;
}

/**
 * Starts a Redis Cluster of three masters, optionally with a replica each. It ends with its test, or with the file.
 * @param nodeTimeout ms of silence after which a node counts as failed
 */
export async function ownCluster({ replicas = false, nodeTimeout = 5_000 } = {}): Promise<OwnCluster> {
  const folder = await ownFolder();
  const nodes: Node[] = [];
  cleanUp(async () => {
    for (const { child, client } of nodes) {
      client.disconnect();
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
  });

  const all = replicas ? 2 * NODES : NODES;
  for (let n = 0; n < all; n++) {
    const dir = join(folder, String(n));
    await mkdir(dir);
    nodes.push(await startNode(dir, nodeTimeout));
  }

  for (const [n, { client }] of nodes.entries()) {
    if (n < NODES)
      await client.call("CLUSTER", "ADDSLOTSRANGE", Math.floor((SLOTS * n) / NODES), Math.floor((SLOTS * (n + 1)) / NODES) - 1);
    const [first] = nodes;
    if (first && n > 0) await first.client.call("CLUSTER", "MEET", "127.0.0.1", nodes[n]?.port as number, await busPortOf(client));
  }
  await vi.waitFor(
    async () => {
      for (const { client } of nodes) {
        const info = String(await client.call("CLUSTER", "INFO"));
        if (!/cluster_state:ok/.test(info) || !info.includes(`cluster_known_nodes:${all}\r`)) throw new Error(info);
      }
    },
    { timeout: 100_000, interval: 50 },
  );
  for (const [n, { client }] of nodes.slice(NODES).entries()) {
    const master = (await nodes[n]?.client.call("CLUSTER", "MYID")) as string;
    await vi.waitFor(() => client.call("CLUSTER", "REPLICATE", master), { timeout: 100_000, interval: 50 });
    await vi.waitFor(async () => expect(await client.info("replication")).toMatch(/master_link_status:up/), { timeout: 100_000 });
  }

  /** Returns the current node of a slot, according to a live node. */
  const ownerOf = async (slot: number): Promise<Node> => {
    for (const { child, client } of nodes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ranges = (await client.call("CLUSTER", "SLOTS")) as [number, number, [string, number]][];
      const range = ranges.find(([from, to]) => slot >= from && slot <= to);
      const owner = nodes.find(({ port }) => port === range?.[2][1]);
      if (owner) return owner;
    }
    throw new Error(`slot ${slot} has no node`);
  };
  /** Returns the replica of a master, once it is in sync. */
  const replicaOf = (master: Node): Promise<Node> =>
    vi.waitFor(
      async () => {
        const id = (await master.client.call("CLUSTER", "MYID")) as string;
        const lines = (await master.client.call("CLUSTER", "REPLICAS", id)) as string[];
        const replica = nodes.find(({ port }) => lines.some((line) => line.includes(`:${port}@`) && line.includes("slave ")));
        if (!replica) throw new Error("the node has no replica");
        expect(await replica.client.info("replication")).toMatch(/master_link_status:up/);
        return replica;
      },
      { timeout: 5_000 },
    );
  const isMaster = async ({ client }: Node) => expect(await client.info("replication")).toMatch(/role:master/);
  return {
    urls: nodes.map(({ port }) => `redis://127.0.0.1:${port}`),
    async listeners(channel) {
      const counts = await Promise.all(
        nodes.map(({ client }) => client.call("PUBSUB", "SHARDNUMSUB", channel) as Promise<[string, number]>),
      );
      return counts.reduce((sum, [, count]) => sum + count, 0);
    },
    nodeOf(key) {
      const slot = calculateSlot(key);
      const index = nodes.findIndex((_, n) => slot < Math.floor((SLOTS * (n + 1)) / NODES));
      return nodes[index]?.client as Redis;
    },
    async failOver(key) {
      // Before the news of an earlier failover has spread, a node may name the former master.
      const replica = await vi.waitFor(async () => replicaOf(await ownerOf(calculateSlot(key))), { timeout: 100_000 });
      // A failover without enough votes in time fails silently.
      await vi.waitFor(
        async () => {
          await replica.client.call("CLUSTER", "FAILOVER").catch(() => {}); // it is already a master
          await vi.waitFor(() => isMaster(replica), { timeout: 3_000 });
        },
        { timeout: 100_000 },
      );
    },
    async stopReplica(key) {
      const master = await ownerOf(calculateSlot(key));
      const { child } = await replicaOf(master);
      child.kill("SIGSTOP");
      await master.client.call("CLIENT", "KILL", "TYPE", "replica"); // discards what its connection has buffered
      return () => child.kill("SIGCONT");
    },
    async kill(key, afterwards) {
      const master = await ownerOf(calculateSlot(key));
      const replica = afterwards ? undefined : await replicaOf(master);
      master.client.disconnect();
      master.child.kill("SIGKILL");
      await once(master.child, "exit");
      afterwards?.();
      if (replica) await vi.waitFor(() => isMaster(replica), { timeout: 100_000 });
    },
    async freeze(key) {
      const { child } = await ownerOf(calculateSlot(key));
      child.kill("SIGSTOP");
      return () => child.kill("SIGCONT");
    },
    async takeAway() {
      for (const { client } of nodes) await client.call("SAVE");
      await Promise.all(
        nodes.map(async ({ child }) => {
          child.kill("SIGKILL");
          await once(child, "exit");
        }),
      );
      return async () => {
        for (const node of nodes) node.child = node.launch();
        for (const { client } of nodes)
          await vi.waitFor(async () => expect(await client.call("CLUSTER", "INFO")).toMatch(/cluster_state:ok/), { timeout: 100_000 });
      };
    },
    async moveSlot(key) {
      const slot = calculateSlot(key);
      const from = await ownerOf(slot);
      const to = nodes[(nodes.indexOf(from) + 1) % NODES] as Node;
      const [fromId, toId] = await Promise.all([from, to].map(({ client }) => client.call("CLUSTER", "MYID") as Promise<string>));
      await to.client.call("CLUSTER", "SETSLOT", slot, "IMPORTING", fromId as string);
      await from.client.call("CLUSTER", "SETSLOT", slot, "MIGRATING", toId as string);
      for (let keys = ["first"]; keys.length > 0; ) {
        keys = (await from.client.call("CLUSTER", "GETKEYSINSLOT", slot, 1)) as string[];
        for (const one of keys) await from.client.call("MIGRATE", "127.0.0.1", to.port, one, 0, 5_000);
      }
      for (const { client } of [to, from]) await client.call("CLUSTER", "SETSLOT", slot, "NODE", toId as string);
      // The other nodes learn of it by gossip, and the next move relies on their view.
      await vi.waitFor(async () => expect((await ownerOf(slot)).port).toBe(to.port), { timeout: 100_000 });
    },
    async killSubscribers() {
      for (const { client } of nodes) await client.call("CLIENT", "KILL", "TYPE", "pubsub");
    },
  };
}

/** Starts a node that is not yet part of a cluster. Tries other ports if another program takes the free one first. */
async function startNode(dir: string, nodeTimeout: number): Promise<Node> {
  for (;;) {
    const [port, busPort] = await freePorts();
    const options = {
      port,
      "cluster-port": busPort,
      bind: "127.0.0.1",
      dir,
      "cluster-enabled": "yes",
      save: "",
      "cluster-node-timeout": nodeTimeout,
      "repl-diskless-sync-delay": 0,
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const launch = () =>
      spawn(
        redisBinary(() => {}),
        args,
        { stdio: "ignore" },
      );
    const child = launch();
    const client = new Redis(port, "127.0.0.1", { retryStrategy: () => 20 /* ms */, maxRetriesPerRequest: null });
    client.on("error", () => {}); // it is not listening yet
    const answers = client.info("server").then((info) => info.includes(`process_id:${child.pid}`));
    if (await Promise.race([answers, once(child, "exit").then(() => false)])) return { child, launch, client, port };
    client.disconnect();
    answers.catch(() => {}); // no longer needed
    child.kill();
  }
}

async function busPortOf(client: Redis): Promise<string> {
  const [, port = ""] = (await client.config("GET", "cluster-port")) as [string, string];
  return port;
}

async function freePorts(): Promise<[number, number]> {
  const probes = [createServer(), createServer()];
  for (const probe of probes) probe.listen(0, "127.0.0.1");
  await Promise.all(probes.map((probe) => once(probe, "listening")));
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
  return ports as [number, number];
}
