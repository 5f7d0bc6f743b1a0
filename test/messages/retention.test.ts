import { describe, expect, it, vi } from "vitest";
import { messageKeys } from "../../src/messages/keys.js";
import { TestClient } from "../helpers/client.js";
import { ownCluster } from "../helpers/cluster.js";
import { watchCommands } from "../helpers/commands.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const DAY = 86_400; // seconds

const now = () => Date.now() / 1_000;
const demoMessage = (text: string, date: number, roomId = "0") => JSON.stringify({ roomId, message: text, from: "1", date });

async function arrange(settings: { historyLimit?: number; historyDays?: number }) {
  const redis = await ownRedis();
  await redis.client.set(messageKeys.trimming, "another server"); // keeps this server from sweeping rooms while the test writes to them
  const server = await ownServer(redis.url, settings);
  const add = (text: string, date: number, roomId = "0") => redis.client.zadd(`room:${roomId}`, date, demoMessage(text, date, roomId));
  const known = async (roomId = "0") => Number(await redis.client.hget(`meta:{room:${roomId}}`, "known"));
  return { redis, server, add, known, ann: await TestClient.register(server, "ann") };
}

describe("retention", () => {
  it("[KEEP1] keeps everything by default", async () => {
    const { ann, add } = await arrange({});
    await add("from the past", 1);
    for (let n = 0; n < 30; n++) await ann.send(String(n));
    expect(await ann.history()).toHaveLength(31);
  });

  it("[KEEP1] keeps the newest HISTORY_LIMIT messages, Palaver's and the demo apps'", async () => {
    const { ann, add, known, redis } = await arrange({ historyLimit: 5 });
    for (let n = 0; n < 4; n++) await add(`demo ${n}`, now() - 100 + n);
    for (let n = 0; n < 3; n++) await ann.send(`ours ${n}`);
    expect(await ann.history()).toEqual(["demo 2", "demo 3", "ours 0", "ours 1", "ours 2"]);
    await add("demo 4", Math.floor(now()) - 10);
    for (let n = 3; n < 7; n++) await ann.send(`ours ${n}`);
    expect(await ann.history()).toEqual(["ours 2", "ours 3", "ours 4", "ours 5", "ours 6"]);
    expect(await known()).toBe(5);
    expect(await redis.client.zcard("room:0")).toBe(5);
  });

  it("[KEEP1] trims messages older than HISTORY_DAYS, and their events", async () => {
    const { ann, add, known, redis } = await arrange({ historyDays: 3 });
    await ann.send("long ago");
    const [member = ""] = await redis.client.zrange("room:0", "0", "-1");
    await redis.client.zadd("room:0", String(now() - 3 * DAY - 60), member); // backdates the message
    const [[, [, event = ""]] = ["", []]] = await redis.client.xrange("log:{room:0}", "-", "+");
    await redis.client.xtrim("log:{room:0}", "MAXLEN", 0);
    await redis.client.xadd("log:{room:0}", "1-1", "event", event.replace(/"at":\d+/, `"at":${(now() - 3 * DAY - 60) * 1e6}`));
    await add("demo, long ago", now() - 3 * DAY - 50);
    await add("demo, later", now() - 3 * DAY + 1_000);
    await ann.send("now");
    expect(await ann.history()).toEqual(["demo, later", "now"]);
    expect(await known()).toBe(2);
    const log = await redis.client.xrange("log:{room:0}", "-", "+");
    expect(log.map(([id]) => id)).not.toContain("1-1");
    expect(log.flatMap(([, [, json]]) => JSON.parse(json ?? "").message?.message ?? [])).toEqual(["now"]);
  });

  it("[KEEP1] sweeps silent rooms when servers start, on one of them", async () => {
    const redis = await ownRedis();
    const rooms = Array.from({ length: 300 }, (_, n) => `quiet-${n}`);
    const pipeline = redis.client.pipeline();
    for (const room of rooms) {
      for (let n = 0; n < 4; n++) pipeline.zadd(`room:${room}`, n, demoMessage(`old ${n}`, n, room));
      pipeline.set(`room:${room}:name`, room);
    }
    const many = Array.from({ length: 1_234 }, (_, n) => [String(now() - 10_000 + n), demoMessage(`many ${n}`, n)]).flat();
    pipeline.zadd("room:0", ...many);
    pipeline.zadd("room:x{y}:z", 1, "somebody else's", 2, "the same", 3, "and so on");
    pipeline.zadd("room:0:name", 1, "of another type");
    await pipeline.exec();
    const [one] = await Promise.all([1, 2].map(() => ownServer(redis.url, { historyLimit: 100, historyDays: 365 })));
    await expect.poll(() => redis.client.zcard("room:0")).toBe(100);
    await expect.poll(() => redis.client.exists(...rooms.map((room) => `room:${room}`))).toBe(0);
    expect(await redis.client.zcard("room:x{y}:z")).toBe(3);
    const ann = await TestClient.register(one as { url: string });
    expect((await ann.history()).slice(-1)).toEqual(["many 1233"]);
    await ann.send("in a room that was emptied", "quiet-7");
    expect(await ann.history("quiet-7")).toEqual(["in a room that was emptied"]);
  });

  it("[M3] trims silent rooms by Redis's clock, even on a server whose clock is a year behind", async () => {
    const redis = await ownRedis();
    await redis.client.zadd(
      "room:quiet",
      now() - 3 * DAY,
      demoMessage("old", now() - 3 * DAY, "quiet"),
      now(),
      demoMessage("new", now(), "quiet"),
    );
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 365 * DAY * 1_000 });
    try {
      await ownServer(redis.url, { historyDays: 2 });
      await expect.poll(() => redis.client.zcard("room:quiet")).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it("[KEEP1] works on a Redis Cluster", async () => {
    const { urls, nodeOf } = await ownCluster();
    for (let n = 0; n < 12; n++) {
      for (let old = 0; old < 8; old++) await nodeOf(`room:r${n}`).zadd(`room:r${n}`, now() - old, demoMessage(String(old), 1, `r${n}`));
    }
    await ownServer(urls.join(","), { historyLimit: 3 });
    for (let n = 0; n < 12; n++) await expect.poll(() => nodeOf(`room:r${n}`).zcard(`room:r${n}`)).toBe(3);
  });

  it("[KEEP2] trims at most a hundred messages per send, oldest first", async () => {
    const { ann, redis, known } = await arrange({ historyLimit: 10 });
    const many = Array.from({ length: 250 }, (_, n) => [String(now() - 1_000 + n), demoMessage(`many ${n}`, n)]).flat();
    await redis.client.zadd("room:0", ...many);
    await ann.send("one");
    expect(await redis.client.zcard("room:0")).toBe(151);
    expect((await ann.history())[0]).toBe("many 100");
    await ann.send("two");
    await ann.send("three");
    expect(await ann.history()).toEqual([...Array.from({ length: 7 }, (_, n) => `many ${243 + n}`), "one", "two", "three"]);
    expect(await known()).toBe(10);
  });

  it("[KEEP2] accepts dates in milliseconds; trims other future dates first, and they evict nothing", async () => {
    const { ann, add, redis, known } = await arrange({ historyLimit: 6 });
    await add("ms, old", (now() - 500) * 1_000);
    await add("s, older", now() - 600);
    await add("s, newer", now() - 400);
    await add("the year 2500", 16_725_225_600);
    await add("the year 2500 in ms", 16_725_225_600_000);
    await add("endless", Number.POSITIVE_INFINITY);
    const left = async () => (await ann.history()).sort();
    await ann.send("a");
    await ann.send("b");
    await ann.send("c");
    expect(await left()).toEqual(["a", "b", "c", "ms, old", "s, newer", "s, older"]);
    await ann.send("d");
    await ann.send("e");
    expect(await left()).toEqual(["a", "b", "c", "d", "e", "s, newer"]);
    for (let n = 0; n < 20; n++) await add(`tomorrow ${n}`, now() + DAY / 2 + n);
    await ann.send("f");
    expect(await left()).toContain("f");
    expect(await known()).toBe(await redis.client.zcard("room:0"));
  });

  it("[KEEP2] keeps no message forever because of its date, with HISTORY_DAYS", async () => {
    const { ann, add } = await arrange({ historyDays: 10 });
    await add("ms, too old", (now() - 11 * DAY) * 1_000);
    await add("ms", (now() - 9 * DAY) * 1_000);
    await add("ahead", now() + 9 * DAY);
    await add("too far ahead", now() + 11 * DAY);
    await ann.send("now");
    expect((await ann.history()).sort()).toEqual(["ahead", "ms", "now"]);
  });

  it("[KEEP2] trims members that are too long to be messages as well", async () => {
    const { ann, redis } = await arrange({ historyLimit: 5 });
    for (let n = 0; n < 10; n++) await redis.client.zadd("room:0", n, String(n).repeat(1_000_000));
    const reads: number[] = []; // the most members that each send reads to decide what to trim
    while (reads.length < 15) {
      const commands = await watchCommands(redis.client);
      await ann.send("a message");
      await commands.all();
      const read = commands.seen.filter(({ name, args }) => name === "zrange" && args[0] === "room:0" && args[1] === "-inf");
      reads.push(read.reduce((members, { args }) => members + Number(args[args.indexOf("LIMIT") + 2]), 0));
    }
    expect(Math.max(...reads)).toBeLessThan(10);
    expect(reads[0]).toBe(1); // one member of a megabyte reaches the limit
    expect(await ann.history()).toEqual(Array(5).fill("a message"));
    expect(await redis.client.zcard("room:0")).toBe(5);
  });

  it("[KEEP3] keeps cursors of trimmed messages valid, and delivers every event to live subscribers", async () => {
    const { ann, server } = await arrange({ historyLimit: 20 });
    const page =
      "query ($after: String, $before: String, $first: Int, $last: Int) { messages(roomId: 0, after: $after, before: $before, first: $first, last: $last) { nodes { text } pageInfo { startCursor endCursor hasPreviousPage hasNextPage } position } }";
    for (let n = 0; n < 20; n++) await ann.send(String(n));
    const old = (await ann.ask(page, { last: 20 })).messages;
    const ben = (await TestClient.register(server, "ben")).follow({ after: [old.position] });
    for (let n = 20; n < 50; n++) await ann.send(String(n));
    expect(await ben.texts(30)).toEqual(Array.from({ length: 30 }, (_, n) => String(20 + n)));
    const later = (await ann.ask(page, { first: 5, after: old.pageInfo.endCursor })).messages;
    expect(later.nodes.map(({ text }: { text: string }) => text)).toEqual(["30", "31", "32", "33", "34"]);
    const earlier = (await ann.ask(page, { last: 5, before: old.pageInfo.endCursor })).messages;
    expect(earlier).toMatchObject({ nodes: [], pageInfo: { hasPreviousPage: false, hasNextPage: true } });
  });

  it("[KEEP3] keeps clientMessageIds valid, and shows an emptied private room with its next message", async () => {
    const { ann, server, redis } = await arrange({ historyDays: 1 });
    const ben = await TestClient.register(server, "ben");
    const { openPrivateRoom: room } = await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ben.id });
    const shown = ben.subscribe("subscription { roomShown { id } }");
    await ben.subscribe("{ me { id } }").next(); // the subscription runs once this returns
    const first = await ann.send("hello", room.id, "once");
    expect(await shown.next()).toEqual({ id: room.id });
    const [member = ""] = await redis.client.zrange(`room:${room.id}`, "0", "-1");
    await redis.client.zadd(`room:${room.id}`, String(now() - 2 * DAY), member);
    await redis.client.del("trimming"); // as if the last sweep was long ago
    await ownServer(redis.url, { historyDays: 1 });
    await expect.poll(() => redis.client.exists(`room:${room.id}`)).toBe(0);
    expect((await ann.send("hello", room.id, "once")).id).toBe(first.id);
    expect(await ann.history(room.id)).toEqual([]);
    await ann.send("again", room.id);
    expect(await shown.next()).toEqual({ id: room.id });
    expect(await ben.history(room.id)).toEqual(["again"]);
  });
});
