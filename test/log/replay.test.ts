import { describe, expect, it } from "vitest";
import type { Entry } from "../../src/log/entry.js";
import { NewestEvents } from "../../src/log/newest.js";
import { RecentRanges } from "../../src/log/recent-ranges.js";
import type { RunningServer } from "../../src/program/server.js";
import { TestClient } from "../helpers/client.js";
import { room } from "../helpers/ids.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();

async function logReads({ url }: RunningServer): Promise<number> {
  return Number(/^palaver_log_reads_total (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);
}

/** Sends messages `0`, `1`, … one after the other and returns the position after each. */
async function sendAll(client: TestClient, count: number): Promise<string[]> {
  const positions: string[] = [];
  for (let n = 0; n < count; n++) positions.push((await client.send(String(n))).position);
  return positions;
}

const textsFrom = (first: number, end: number) => Array.from({ length: end - first }, (_, n) => String(first + n));

describe("resuming", () => {
  it("[FEED2] from any position on a cold server reads each range once, and misses nothing", async () => {
    const alice = await TestClient.register(await ownServer(redis.url), "alice");
    const start = await alice.position();
    const count = 1_300; // thirteen ranges
    const positions = [start, ...(await sendAll(alice, count))];
    const cold = await ownServer(redis.url);
    const bob = await TestClient.register(cold, "bob");

    const places = [
      0,
      1,
      2,
      99,
      100,
      101,
      102,
      198,
      199,
      200,
      201,
      998,
      999,
      1_000,
      1_001,
      count - 1,
      count,
      ...textsFrom(0, 50).map((n) => Number(n) * 25),
    ];
    const streams = places.map((place) => bob.follow({ roomId: "0", after: [positions[place] as string] }));
    await Promise.all(
      places.map(async (place, index) => {
        const stream = streams[index] as (typeof streams)[number];
        expect(await stream.texts(count - place)).toEqual(textsFrom(place, count));
      }),
    );
    await alice.send("live");
    for (const stream of streams) expect(await stream.texts(1)).toEqual(["live"]);
    // One read opens the room, thirteen read its whole log, and a few serve subscribers that arrive between two of them.
    expect(await logReads(cold)).toBeLessThanOrEqual(20);
  });

  it("[FEED2] after a short absence reads nothing from the log", async () => {
    const server = await ownServer(redis.url);
    const carol = await TestClient.register(server, "carol");
    const staying = carol.follow({ roomId: "0", after: [await carol.position()] });
    const positions = await sendAll(carol, 100);
    await staying.texts(100);
    const before = await logReads(server);
    const streams = Array.from({ length: 50 }, (_, n) => carol.follow({ roomId: "0", after: [positions[n] as string] }));
    for (const [n, stream] of streams.entries()) expect(await stream.texts(99 - n)).toEqual(textsFrom(n + 1, 100));
    expect(await logReads(server)).toBe(before);
  });

  it("[D4] reads long events in smaller ranges", async () => {
    const server = await ownServer(redis.url);
    const dave = await TestClient.register(server, "dave");
    await redis.client.set("room:long:name", "Long");
    const after = [await dave.position("long")];
    const texts = Array.from({ length: 200 }, (_, n) => `${n} ${"é".repeat(3_990)}`);
    for (const text of texts) await dave.send(text, "long");
    expect(await dave.follow({ roomId: "long", after }).texts(200)).toEqual(texts);
    expect(await logReads(server)).toBeGreaterThan(3);
  });
});

describe("the newest events in memory", () => {
  const entry = (seq: number, size: number) => ({ position: { seq }, size }) as Entry<unknown>;

  it("[FEED2] take bounded space over all rooms; the room that has been silent longest is evicted", () => {
    const newest = new NewestEvents(1_000);
    const [one, two, three] = [newest.room(), newest.room(), newest.room()];
    one.add(entry(1, 300));
    two.add(entry(1, 300));
    one.add(entry(2, 300));
    expect(newest.size).toBe(900);
    three.add(entry(1, 200));
    expect(newest.size).toBe(800);
    expect(two.from(1)).toBeUndefined();
    expect(one.from(2)).toEqual([entry(2, 300)]);
    three.add(entry(2, 5_000));
    expect(newest.size).toBe(0);
    three.add(entry(3, 10));
    expect(three.from(2)).toBeUndefined();
    expect(three.from(3)).toEqual([entry(3, 10)]);
  });

  it("[FEED2] take bounded space over all rooms as recently read ranges; the oldest are evicted first", () => {
    const recent = new RecentRanges<unknown>();
    const MiB = 1024 * 1024;
    const range = (first: number) => ({
      end: { seq: first + 1, epoch: "e", at: 1 },
      entries: [entry(first, MiB / 2), entry(first + 1, MiB / 2)],
    });
    for (let n = 0; n < 10; n++) recent.add(room(`room ${n % 5}`), range(n));
    const kept = Array.from({ length: 10 }, (_, n) => recent.find(room(`room ${n % 5}`), n)?.entries[0]?.position.seq);
    expect(kept).toEqual([undefined, undefined, undefined, undefined, undefined, undefined, 6, 7, 8, 9]);
    recent.forget(room("room 1")); // evicts 6
    for (let n = 10; n < 13; n++) recent.add(room("other"), range(n));
    expect([7, 8, 9].map((n) => recent.find(room(`room ${n % 5}`), n))).toEqual([undefined, undefined, expect.anything()]);
    expect(recent.find(room("room 1"), 6)).toBeUndefined();
    recent.add(room("long"), { end: { seq: 1, epoch: "e", at: 1 }, entries: [entry(1, 5 * MiB), entry(2, 1)] });
    expect(recent.find(room("long"), 1)).toBeUndefined();
  });

  it("[FEED2] are at most 400 per room", () => {
    const newest = new NewestEvents(1_000_000);
    const room = newest.room();
    for (let seq = 1; seq <= 10_000; seq++) room.add(entry(seq, 10));
    expect(newest.size).toBeLessThanOrEqual(4_000);
    expect(room.from(9_900)).toHaveLength(101);
    room.clear();
    expect(newest.size).toBe(0);
  });
});
