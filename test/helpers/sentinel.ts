import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, vi } from "vitest";
import { redisBinary } from "../../src/redis/install.js";
import { cleanUp } from "./cleanup.js";
import { ownFolder, ownRedis } from "./redis.js";

const PATIENCE = { timeout: 100_000, interval: 50 };

/** Starts a primary with a replica, and a Sentinel that watches them under the name `chat`. All end with the test. */
export async function ownSentinel() {
  const primary = await ownRedis();
  const replica = await ownRedis();
  const { hostname, port } = new URL(primary.url);
  await primary.client.config("SET", "repl-diskless-sync-delay", 0);
  await replica.client.replicaof(hostname, port);
  await vi.waitFor(async () => expect(await replica.client.info("replication")).toMatch(/master_link_status:up/), PATIENCE);
  // Redis does not shut down before it has written its initial data.
  await vi.waitFor(async () => expect(await replica.client.info("persistence")).toMatch(/aof_rewrite_in_progress:0/), PATIENCE);

  const file = join(await ownFolder(), "sentinel.conf");
  const own = await freePort();
  const lines = [
    `port ${own}`,
    "bind 127.0.0.1",
    `sentinel monitor chat ${hostname} ${port} 1`,
    "sentinel down-after-milliseconds chat 1000",
    "sentinel failover-timeout chat 5000",
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  const child = spawn(
    redisBinary(() => {}),
    [file, "--sentinel"],
    { stdio: "ignore" },
  );
  const sentinel = new Redis(own, "127.0.0.1", { maxRetriesPerRequest: null, retryStrategy: () => 50 /* ms */ });
  sentinel.on("error", () => {}); // it is not listening yet
  cleanUp(async () => {
    sentinel.disconnect();
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  /** Returns the port of the primary, according to the Sentinel. */
  const primaryPort = async () => ((await sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "chat")) as string[])[1];
  await vi.waitFor(async () => expect(String(await sentinel.info("sentinel"))).toMatch(/slaves=1,sentinels=1/), PATIENCE);
  return {
    /** The address of the Sentinel itself. */
    address: `redis://127.0.0.1:${own}`,
    /** The value for REDIS_URL. */
    url: `redis-sentinel://127.0.0.1:${own}/chat`,
    /** Fails over to the replica, as for maintenance. */
    async failOver(): Promise<void> {
      const before = await primaryPort();
      await vi.waitFor(() => sentinel.call("SENTINEL", "FAILOVER", "chat"), PATIENCE);
      await vi.waitFor(async () => expect(await primaryPort()).not.toBe(before), PATIENCE);
      await vi.waitFor(async () => expect(String(await sentinel.info("sentinel"))).toMatch(/status=ok/), PATIENCE);
    },
    /** Freezes the primary once the replica has all data, and waits until the replica has taken over. */
    async losePrimary(): Promise<void> {
      const before = await primaryPort();
      const { client } = [primary, replica].find(({ url }) => new URL(url).port === before) ?? primary;
      const pid = Number(/process_id:(\d+)/.exec(await client.info("server"))?.[1]);
      await client.set("last", "write before the loss");
      expect(await client.wait(1, PATIENCE.timeout)).toBe(1);
      cleanUp(() => process.kill(pid, "SIGCONT"));
      process.kill(pid, "SIGSTOP");
      await vi.waitFor(async () => expect(await primaryPort()).not.toBe(before), PATIENCE);
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
