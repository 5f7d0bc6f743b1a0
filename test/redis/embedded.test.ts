import { Redis } from "ioredis";
import { expect, it } from "vitest";
import { startEmbeddedRedis } from "../../src/redis/embedded.js";
import { cleanUp } from "../helpers/cleanup.js";
import { eventually } from "../helpers/eventually.js";
import { ownFolder, ownRedis, silent } from "../helpers/redis.js";

it("[RUN3] asks a Redis again that refuses to shut down", async () => {
  const primary = await ownRedis();
  await primary.client.mset("a", "1", "b", "2", "c", "3");
  const { url, stop } = await startEmbeddedRedis({ dataDir: await ownFolder(), fsync: "everysec", log: silent });
  const client = new Redis(url, { retryStrategy: () => null });
  client.on("error", () => {}); // the connection ends
  cleanUp(() => client.disconnect());
  // Redis does not shut down while it rewrites its data, which is made slow here.
  await client.config("SET", "rdb-key-save-delay", 500_000); // µs for each key
  const { hostname, port } = new URL(primary.url);
  await client.replicaof(hostname, port);
  await eventually(async () => expect(await client.info("persistence")).toMatch(/aof_rewrite_in_progress:1/));
  await stop();
  await eventually(() => expect(client.status).toBe("end"));
});
