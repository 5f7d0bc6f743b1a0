import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll } from "vitest";
import { startEmbeddedRedis } from "../../src/redis/embedded.js";

export const silent = pino({ level: "silent" });

/** A folder of the test file's own; it goes when the file is done. */
export async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "palaver-test-"));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A Redis of the test file's own, with a client for looking at what is in it; both go when the file is done. */
export async function ownRedis(): Promise<{ url: string; client: Redis }> {
  const { url, stop } = await startEmbeddedRedis({ dataDir: await ownFolder(), fsync: "everysec", log: silent });
  const client = new Redis(url);
  afterAll(async () => {
    client.disconnect();
    await stop();
  });
  return { url, client };
}
