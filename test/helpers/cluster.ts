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
  /** How many connections listen to a channel, on all nodes. */
  listeners(channel: string): Promise<number>;
  /** Cuts every connection that listens to channels, on all nodes. */
  killSubscribers(): Promise<void>;
  /** The node that held a key at first. */
  nodeOf(key: string): Redis;
  /** Hands a key's slots over to the replica of its node, as for maintenance. */
  failOver(key: string): Promise<void>;
  /** Freezes and cuts off the replica of the node that holds a key. @returns a function that lets it go on */
  stopReplica(key: string): Promise<() => void>;
  /**
   * Kills the node that holds a key, and waits until its replica has taken over.
   * @param afterwards done once the node is dead
   */
  kill(key: string, afterwards?: () => void): Promise<void>;
  /** Freezes the node that holds a key. @returns a function that lets it go on */
  freeze(key: string): Promise<() => void>;
  /** Kills all nodes. @returns a function that starts them again, with what they had */
  takeAway(): Promise<() => Promise<void>>;
  /** Moves the slot of a key, with its keys one at a time, to the next node. */
  moveSlot(key: string): Promise<void>;
}

interface Node {
  child: ChildProcess;
  /** Starts it again, with the same port and files. */
  launch(): ChildProcess;
  client: Redis;
  port: number;
}

/**
 * A Redis Cluster of three masters of the test file's own, with a replica each if wanted. It ends when the file is done.
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

  /** Where a slot is now, by what a node says that is alive. */
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
  /** The replica of a master, where it stands ready. */
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
      // Until the nodes have told each other of an earlier failover, one may name the former master.
      const replica = await vi.waitFor(async () => replicaOf(await ownerOf(calculateSlot(key))), { timeout: 100_000 });
      // A failover that the others do not vote for in time comes to nothing, without a word.
      await vi.waitFor(
        async () => {
          await replica.client.call("CLUSTER", "FAILOVER").catch(() => {}); // it is a master by now
          await vi.waitFor(() => isMaster(replica), { timeout: 3_000 });
        },
        { timeout: 100_000 },
      );
    },
    async stopReplica(key) {
      const master = await ownerOf(calculateSlot(key));
      const { child } = await replicaOf(master);
      child.kill("SIGSTOP");
      await master.client.call("CLIENT", "KILL", "TYPE", "replica"); // nothing waits for it in the buffers of its connection
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
      // The other nodes hear of it by gossip; the next move starts from what they know.
      await vi.waitFor(async () => expect((await ownerOf(slot)).port).toBe(to.port), { timeout: 100_000 });
    },
    async killSubscribers() {
      for (const { client } of nodes) await client.call("CLIENT", "KILL", "TYPE", "pubsub");
    },
  };
}

/** A node that is its own cluster so far. Another program may take a free port before it does: then it tries others. */
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
    client.on("error", () => {}); // it does not listen yet
    const answers = client.info("server").then((info) => info.includes(`process_id:${child.pid}`));
    if (await Promise.race([answers, once(child, "exit").then(() => false)])) return { child, launch, client, port };
    client.disconnect();
    answers.catch(() => {}); // nobody waits for it any more
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
