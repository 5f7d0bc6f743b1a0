import { resolve } from "node:path";
import { Redis } from "ioredis";
import { ask, cpuOf, end, redisCpuOf, startLoad, startPalaver } from "../processes.js";
import { printTable, type Row } from "../table.js";

const PAIRS = Number(process.env.PAIRS ?? 5);
const SLICES = 16;
const SLICE = 1_500; // sends
const WARM_UP = 6_000; // sends
const WAYS = [
  { name: "HTTP, 50 connections", protocol: "http", connections: 50, inFlight: 1 },
  { name: "one socket, 50 in flight", protocol: "ws", connections: 1, inFlight: 50 },
] as const;

/**
 * The cost of a send in this checkout and in another, which `OTHER` names and which has been built. Both send in turns of a second or
 * less, so that a busy machine slows both. Several pairs of processes are compared, because two of one build differ by several percent.
 */
export async function builds(): Promise<void> {
  const other = process.env.OTHER;
  if (!other) {
    process.stderr.write("builds: skipped. Set OTHER to the folder of another checkout that has been built.\n");
    return;
  }
  const pairs: Row[] = [];
  for (let pair = 1; pair <= PAIRS; pair++) {
    process.stderr.write(`measuring pair ${pair} of ${PAIRS} …\n`);
    pairs.push(...(await compare(resolve(other))));
  }
  const rows = WAYS.flatMap(({ name }) =>
    ["CPU", "Redis"].map((figure): Row => {
      const values = (build: string) => pairs.filter((row) => row.name === name).map((row) => Number(row[`${figure} ${build}`]));
      const ratios = values("this").map((value, pair) => value / Number(values("other")[pair]));
      const [lowest, median, highest] = quartiles(ratios);
      return {
        name: `${name}: ${figure} µs/send`,
        other: quartiles(values("other"))[1],
        this: quartiles(values("this"))[1],
        "this ÷ other": median,
        "25 %": lowest,
        "75 %": highest,
      };
    }),
  );
  printTable(`builds: medians of ${PAIRS} pairs of processes, ${SLICES} × ${SLICE} sends each`, rows);
}

/** Starts both builds, each with its own Redis, and lets them send in turns. */
async function compare(other: string): Promise<Row[]> {
  const subjects = [await subject("other", other), await subject("this")];
  const rows: Row[] = [];
  for (const { name, protocol, connections, inFlight } of WAYS) {
    const row: Row = { name };
    const sendAll = ({ url, token, load }: Subject, count: number) =>
      ask(load, { sends: { url: url.replace(/^http/, protocol), token, connections, inFlight, count } });
    for (const each of subjects) await sendAll(each, WARM_UP);
    for (let slice = 0; slice < SLICES; slice++) {
      for (const each of slice % 2 ? subjects : subjects.toReversed()) {
        const before = [await cpuOf(each), await redisCpuOf(each.redis)] as const;
        await sendAll(each, SLICE);
        const after = [await cpuOf(each), await redisCpuOf(each.redis)] as const;
        for (const [index, figure] of (["CPU", "Redis"] as const).entries()) {
          const column = `${figure} ${each.name}`;
          const spent = (Number(after[index]) - Number(before[index])) * 1_000; // µs
          row[column] = Number(row[column] ?? 0) + spent / (SLICES * SLICE);
        }
      }
    }
    rows.push(row);
  }
  for (const { redis, load, child } of subjects) {
    redis.disconnect();
    await end(load);
    await end(child);
  }
  return rows;
}

type Subject = Awaited<ReturnType<typeof subject>>;

async function subject(name: string, checkout?: string) {
  const server = await startPalaver(undefined, ["--interop", "off"], [], checkout);
  const redis = new Redis(server.redisUrl);
  redis.on("error", () => {}); // the server takes its Redis with it
  return { ...server, name, redis, load: startLoad() };
}

function quartiles(values: number[]): [lower: number, median: number, upper: number] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return [at(0.25), at(0.5), at(0.75)];
}
