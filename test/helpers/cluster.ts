import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import calculateSlot from "cluster-key-slot";
import { Redis } from "ioredis";
import { vi } from "vitest";
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
  /** The node that holds a key. */
  nodeOf(key: string): Redis;
}

/** A Redis Cluster of three masters of the test file's own. It ends when the file is done. */
export async function ownCluster(): Promise<OwnCluster> {
  const folder = await ownFolder();
  const nodes: { child: ChildProcess; client: Redis; port: number }[] = [];
  cleanUp(async () => {
    for (const { child, client } of nodes) {
      client.disconnect();
      child.kill();
      if (child.exitCode === null) await once(child, "exit");
    }
  });

  for (let n = 0; n < NODES; n++) {
    const dir = join(folder, String(n));
    await mkdir(dir);
    nodes.push(await startNode(dir));
  }

  for (const [n, { client }] of nodes.entries()) {
    await client.call("CLUSTER", "ADDSLOTSRANGE", Math.floor((SLOTS * n) / NODES), Math.floor((SLOTS * (n + 1)) / NODES) - 1);
    const [first] = nodes;
    if (first && n > 0) await first.client.call("CLUSTER", "MEET", "127.0.0.1", nodes[n]?.port as number, await busPortOf(client));
  }
  await vi.waitFor(
    async () => {
      for (const { client } of nodes) {
        const info = String(await client.call("CLUSTER", "INFO"));
        if (!/cluster_state:ok/.test(info) || !/cluster_known_nodes:3/.test(info)) throw new Error(info);
      }
    },
    { timeout: 30_000, interval: 50 },
  );
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
    async killSubscribers() {
      for (const { client } of nodes) await client.call("CLIENT", "KILL", "TYPE", "pubsub");
    },
  };
}

/** A node that is its own cluster so far. Another program may take a free port before it does: then it tries others. */
async function startNode(dir: string): Promise<{ child: ChildProcess; client: Redis; port: number }> {
  for (;;) {
    const [port, busPort] = await freePorts();
    const options = {
      port,
      "cluster-port": busPort,
      bind: "127.0.0.1",
      dir,
      "cluster-enabled": "yes",
      save: "",
      "cluster-node-timeout": 5_000,
    };
    const child = spawn(
      redisBinary(() => {}),
      Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
      { stdio: "ignore" },
    );
    const client = new Redis(port, "127.0.0.1", { retryStrategy: () => 20 /* ms */, maxRetriesPerRequest: null });
    client.on("error", () => {}); // it does not listen yet
    const answers = client.info("server").then((info) => info.includes(`process_id:${child.pid}`));
    if (await Promise.race([answers, once(child, "exit").then(() => false)])) return { child, client, port };
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
