import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { pino } from "pino";
import { startEmbeddedRedis } from "../../src/redis/embedded.js";
import { cleanUp } from "./cleanup.js";

export const silent = pino({ level: "silent" });

/** A folder of a test's or a file's own; it goes with it. */
export async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "palaver-test-"));
  cleanUp(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A Redis of a test's or a file's own, with a client for looking at what is in it; both go with it. */
export async function ownRedis(): Promise<{ url: string; client: Redis }> {
  const { url, stop } = await startEmbeddedRedis({ dataDir: await ownFolder(), fsync: "everysec", log: silent });
  const client = new Redis(url);
  client.on("error", () => {}); // a test may end the Redis; what it asks for then fails by itself
  cleanUp(async () => {
    client.disconnect();
    await stop();
  });
  return { url, client };
}
