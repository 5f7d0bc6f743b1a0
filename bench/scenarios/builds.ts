import { resolve } from "node:path";
import { Redis } from "ioredis";
import { end, redisCpuOf, type Server, startPalaver } from "../processes.js";
import { printTable, type Row } from "../table.js";
import { measureSends, SENT } from "./sends.js";

const ROUNDS = Number(process.env.ROUNDS ?? 9);
const CHECKOUTS = ["other", "this"] as const;
const WAYS = [
  { name: "HTTP, 50 connections", protocol: "http", connections: 50, inFlight: 1 },
  { name: "one socket, 50 in flight", protocol: "ws", connections: 1, inFlight: 50 },
] as const;
const FIGURES = ["CPU µs/send", "Redis µs/send"] as const;

/**
 * The cost of a send in this checkout and in another, which `OTHER` names and which has been built. The two take turns so that both meet
 * the same moods of the machine, and start anew each time, because two processes of one build differ by several percent.
 */
export async function builds(): Promise<void> {
  const other = process.env.OTHER;
  if (!other) {
    process.stderr.write("builds: skipped. Set OTHER to the folder of another checkout that has been built.\n");
    return;
  }
  const measured: Row[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    // The second of a pair may find a warmer or a busier machine, so that the order changes.
    for (const checkout of round % 2 ? CHECKOUTS : CHECKOUTS.toReversed()) {
      process.stderr.write(`round ${round} of ${ROUNDS}: ${checkout}\n`);
      measured.push(...(await costs(checkout, checkout === "other" ? resolve(other) : undefined)));
    }
  }
  const rows = WAYS.flatMap((way) =>
    FIGURES.map((figure): Row => {
      const values = (checkout: string) =>
        measured.filter(({ name }) => name === `${checkout}: ${way.name}`).map((row) => Number(row[figure]));
      const [before, after] = [median(values("other")), median(values("this"))];
      return { name: `${way.name}: ${figure}`, other: before, this: after, "this ÷ other": after / before };
    }),
  );
  printTable(`builds: medians of ${ROUNDS} runs of ${SENT} sends`, rows);
}

/** Starts a build, measures each way of sending, and ends the build. */
async function costs(name: string, checkout?: string): Promise<Row[]> {
  const server = await startPalaver(undefined, ["--interop", "off"], [], checkout);
  const redis = new Redis(server.redisUrl);
  redis.on("error", () => {}); // the server takes its Redis with it
  const rows: Row[] = [];
  for (const way of WAYS) {
    const before = await redisCpuOf(redis);
    const target: Server = { ...server, url: server.url.replace(/^http/, way.protocol) };
    const row = await measureSends(`${name}: ${way.name}`, target, way.connections, way.inFlight);
    rows.push({ ...row, "Redis µs/send": (((await redisCpuOf(redis)) - before) * 1_000) / SENT });
  }
  redis.disconnect();
  await end(server.child);
  return rows;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
