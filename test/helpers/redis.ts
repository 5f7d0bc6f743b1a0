import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { pino } from "pino";
import { startEmbeddedRedis } from "../../src/redis/embedded.js";
import { cleanUp } from "./cleanup.js";

export const silent = pino({ level: "silent" });

/** Creates a temporary folder, which is deleted with its test, or with the file. */
export async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "palaver-test-"));
  cleanUp(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a Redis and a client to inspect it. Both end with their test, or with the file. */
export async function ownRedis(): Promise<{ url: string; client: Redis }> {
  const { url, stop } = await startEmbeddedRedis({ dataDir: await ownFolder(), fsync: "everysec", log: silent });
  const client = new Redis(url);
  client.on("error", () => {}); // a test may end the Redis; its later commands fail by themselves
  cleanUp(async () => {
    client.disconnect();
    await stop();
  });
  return { url, client };
}
