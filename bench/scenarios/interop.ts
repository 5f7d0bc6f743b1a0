import { Redis } from "ioredis";
import { redisCpuOf, startPalaver } from "../processes.js";
import { printTable, type Row } from "../table.js";
import { measureSends, SENT } from "./sends.js";

const ROUNDS = 3;

/** The cost of publishing each message to the demo apps, for the server and for Redis. */
export async function interop(): Promise<void> {
  const { redisUrl, ...telling } = await startPalaver(undefined, ["--interop", "public"]);
  const { redisUrl: _same, ...silent } = await startPalaver(redisUrl, ["--interop", "off"]);
  const redis = new Redis(redisUrl);
  redis.on("error", () => {}); // the run stops Redis before it closes this connection
  const rows: Row[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [name, server] of [
      ["off", silent],
      ["public", telling],
    ] as const) {
      const before = await redisCpuOf(redis);
      const row = await measureSends(`INTEROP=${name}, round ${round}`, { ...server, url: server.url.replace(/^http/, "ws") }, 1, 50);
      rows.push({ ...row, "Redis µs/send": Math.round((((await redisCpuOf(redis)) - before) * 1_000) / SENT) });
    }
  }
  const sum = (name: string, column: string) =>
    rows.filter((row) => String(row.name).includes(name)).reduce((total, row) => total + Number(row[column]), 0);
  const ratio = (column: string) => sum("public", column) / sum("off", column);
  rows.push({
    name: "public ÷ off",
    "sends/s": ratio("sends/s"),
    "CPU µs/send": ratio("CPU µs/send"),
    "Redis µs/send": ratio("Redis µs/send"),
  });
  printTable("interop: sends over one socket, 50 in flight, with and without publishing to the demo apps", rows);
}
