import { get, type IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { asOurs } from "../../src/messages/ours.js";
import { cpuOf, memoryOf, startPalaver } from "../processes.js";
import { printTable, type Row } from "../table.js";

const MESSAGES = 1_000_000;
const MB = 1_000_000;

/** Exports a room with a million messages: the cost, and the server's memory during the export. */
export async function exporting(): Promise<void> {
  const { redisUrl, token, ...server } = await startPalaver();
  const redis = new Redis(redisUrl);
  process.stderr.write(`writing ${MESSAGES} messages …\n`);
  const start = Date.now() * 1_000 - MESSAGES * 10_000; // µs
  for (let first = 0; first < MESSAGES; first += 2_000) {
    const members: string[] = [];
    for (let n = first; n < first + 2_000; n++) {
      const at = start + n * 10_000;
      const fields = { from: "1", date: Math.floor(at / 1e6), message: `message ${n} ${"x".repeat(60)}`, roomId: "0", id: `0/${at}` };
      members.push(`${Math.floor(at / 1e6)}.${String(at % 1e6).padStart(6, "0")}`, asOurs(fields));
    }
    await redis.zadd("room:0", ...members);
  }

  const rows: Row[] = [];
  for (const pause of [0, 2]) {
    const [before, cpuBefore, since] = [await memoryOf(server), await cpuOf(server), performance.now()];
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const url = server.url.replace(/\/graphql$/, "/rooms/0/export");
      get(url, { headers: { authorization: `Bearer ${token}` } }, resolve).on("error", reject);
    });
    let [lines, size, most] = [0, 0, before];
    let looked = performance.now();
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      for (const byte of chunk) if (byte === 10) lines++;
      if (pause > 0) await delay(pause);
      if (performance.now() - looked < 1_000) continue;
      const memory = await memoryOf(server);
      most = { held: Math.max(most.held, memory.held), rss: Math.max(most.rss, memory.rss) };
      looked = performance.now();
    }
    const [after, ms] = [await memoryOf(server), performance.now() - since];
    rows.push({
      name: pause === 0 ? "at full speed" : `${pause} ms after each chunk`,
      lines,
      MB: size / MB,
      "messages/s": Math.round(lines / (ms / 1_000)),
      "CPU µs/message": (((await cpuOf(server)) - cpuBefore) * 1_000) / lines,
      "held MB before": before.held / MB,
      "at most": most.held / MB,
      after: after.held / MB,
      "resident MB before": before.rss / MB,
      "at most, resident": most.rss / MB,
    });
  }
  redis.disconnect();
  printTable(`export: a room of ${MESSAGES} messages`, rows);
}
