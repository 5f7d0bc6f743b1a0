import { pino } from "pino";
import { expect, it } from "vitest";
import type { Consumer, Handled, TakenEvent } from "../../src/consumers/consumer.js";
import { DeadLetters } from "../../src/consumers/dead-letters.js";
import { Hints } from "../../src/consumers/hints.js";
import { RoomEvents } from "../../src/consumers/room-events.js";
import { ConsumerRunner } from "../../src/consumers/runner.js";
import { ConsumerSweep } from "../../src/consumers/sweep.js";
import { RoomScripts } from "../../src/log/room-scripts.js";
import { scriptSources } from "../../src/program/platform.js";
import { Scripts } from "../../src/redis/scripts.js";
import type { RoomId } from "../../src/util/ids.js";
import { LimitedLog } from "../../src/util/limited-log.js";
import { cleanUp } from "../helpers/cleanup.js";
import { room, user } from "../helpers/ids.js";
import { ownRedis } from "../helpers/redis.js";

const silent = pino({ level: "silent" });
const redis = await ownRedis();
const scripts = new Scripts(redis.client, scriptSources());
const rooms = new RoomScripts(redis.client, scriptSources(), 10_000);
const [stopping, abandoning] = [new AbortController(), new AbortController()];
const signals = { stopping: stopping.signal, abandoning: abandoning.signal };
let lastRoom = 100;

/** A consumer that notes the ids of the messages whose events it gets. */
class Noting implements Consumer {
  readonly handled: string[] = [];
  readonly givenUp: string[] = [];
  readonly caughtUp: { roomId: string; since: number }[] = [];
  work: (id: string) => Promise<unknown> = async () => {};

  constructor(readonly name: string) {}

  async handle(taken: TakenEvent): Promise<Handled> {
    const id = idIn(taken);
    this.handled.push(id);
    await this.work(id);
    return this.#pass(taken);
  }

  async giveUp(taken: TakenEvent): Promise<Handled> {
    this.givenUp.push(idIn(taken));
    return this.#pass(taken);
  }

  async catchUp(roomId: string, since: number): Promise<void> {
    this.caughtUp.push({ roomId, since });
  }

  #pass({ roomId, fence, event }: TakenEvent): Promise<Handled> {
    return scripts.run("consumer_pass", placeKeys(roomId), { name: this.name, fence, event: event.seq, caughtUp: false });
  }
}

const idIn = ({ event }: TakenEvent) => String(event.messageId);

const placeKeys = (roomId: string) => ({
  consumed: `consumed:{room:${roomId}}`,
  log: `log:{room:${roomId}}`,
  meta: `meta:{room:${roomId}}`,
});

/** Adds an event for consumers, as the note of a demo app's message. */
async function add(roomId: RoomId, messageId: string, ...wanted: string[]): Promise<void> {
  const name = `${Date.now() * 1_000}:${messageId}`;
  await redis.client.zadd(`own:{room:${roomId}}`, 0, `@:${name}`);
  await rooms.onRoom(
    "mentions_note",
    roomId,
    { name, users: [], messageId, from: user("1"), wanted },
    { mentioned: `mentioned:{room:${roomId}}` },
  );
}

const newRoom = () => room(String(++lastRoom));
const place = (roomId: string, name: string) => redis.client.hget(`consumed:{room:${roomId}}`, name);
const eventsOf = (consumer: Consumer, lease = 1_000) => new RoomEvents(scripts, consumer, lease);

it("[CONSUME1] handles the events that name it, once each, in the order of the log", async () => {
  const [here, one, two] = [newRoom(), new Noting("one"), new Noting("two")];
  await add(here, "a", "one");
  await add(here, "b", "one", "two");
  await add(here, "c");
  await add(here, "d", "two");
  expect(await eventsOf(one).handle(here, signals)).toEqual({ state: "done" });
  expect(await eventsOf(two).handle(here, signals)).toEqual({ state: "done" });
  expect([one.handled, two.handled]).toEqual([
    ["a", "b"],
    ["b", "d"],
  ]);
  expect(await redis.client.exists(`consumed:{room:${here}}`)).toBe(0); // nothing is left behind
  await add(here, "e", "one");
  await eventsOf(one).handle(here, signals);
  expect(one.handled).toEqual(["a", "b", "e"]);
});

it("[CONSUME1] finds its events among thousands of others", async () => {
  const [here, consumer] = [newRoom(), new Noting("far")];
  await add(here, "first", "far");
  const other = { name: "", users: [], messageId: "x", from: user("1"), wanted: ["other"] };
  await Promise.all(
    Array.from({ length: 1_300 }, async (_, n) => {
      const name = `${Date.now() * 1_000}:${n}`;
      await redis.client.zadd(`own:{room:${here}}`, 0, `@:${name}`);
      await rooms.onRoom("mentions_note", here, { ...other, name }, { mentioned: `mentioned:{room:${here}}` });
    }),
  );
  await add(here, "last", "far");
  await eventsOf(consumer).handle(here, signals);
  expect(consumer.handled).toEqual(["first", "last"]);
});

it("[CONSUME2] handles an event again if a process fails; after three tries it is given up, and the next one follows", async () => {
  const [here, consumer] = [newRoom(), new Noting("failing")];
  await add(here, "bad", "failing");
  await add(here, "good", "failing");
  consumer.work = async (id) => {
    if (id === "bad") throw new Error("no");
  };
  for (let n = 0; n < 3; n++) await expect(eventsOf(consumer, 0).handle(here, signals)).rejects.toThrow("no");
  await eventsOf(consumer, 0).handle(here, signals);
  expect(consumer.handled).toEqual(["bad", "bad", "bad", "good"]);
  expect(consumer.givenUp).toEqual(["bad"]);
});

it("[CONSUME3] leaves a room to the process that holds it, and its place to the one that took over", async () => {
  const [here, slow, quick] = [newRoom(), new Noting("held"), new Noting("held")];
  await add(here, "a", "held");
  let goOn = () => {};
  const begun = new Promise<void>((resolve) => {
    slow.work = () =>
      new Promise<void>((free) => {
        goOn = free;
        resolve();
      });
  });
  const first = eventsOf(slow, 60_000).handle(here, signals);
  await begun;
  expect(await eventsOf(quick).handle(here, signals)).toEqual({ state: "held", ms: expect.any(Number) });
  await redis.client.hset(`consumed:{room:${here}}`, "held:until", 0); // it was silent for too long
  expect(await eventsOf(quick).handle(here, signals)).toEqual({ state: "done" });
  expect(quick.handled).toEqual(["a"]);
  await add(here, "b", "held");
  goOn();
  expect(await first).toEqual({ state: "lost" });
  expect(await place(here, "held")).toMatch(/^2 /); // what came since still waits
});

it.each([
  ["was trimmed", (here: RoomId) => redis.client.xtrim(`log:{room:${here}}`, "MAXLEN", 0)],
  ["is gone", (here: RoomId) => redis.client.unlink(`log:{room:${here}}`)],
  ["was begun anew", (here: RoomId) => redis.client.hset(`meta:{room:${here}}`, "epoch", "another")],
])("[CONSUME4] learns from when on events are missing if the log %s, and then goes on", async (_, lose) => {
  const [here, consumer] = [newRoom(), new Noting("behind")];
  const before = Date.now() * 1_000;
  await add(here, "lost", "behind");
  await lose(here);
  await eventsOf(consumer).handle(here, signals);
  expect(consumer.caughtUp).toEqual([{ roomId: here, since: expect.any(Number) }]);
  expect(consumer.caughtUp[0]?.since).toBeGreaterThanOrEqual(before);
  expect(consumer.handled).toEqual([]);
  expect(await redis.client.exists(`consumed:{room:${here}}`)).toBe(0);
  await add(here, "next", "behind");
  await eventsOf(consumer).handle(here, signals);
  expect(consumer.handled).toEqual(["next"]);
});

it("[CONSUME5] follows hints in several processes; a sweep finds what waits without one", async () => {
  const [broken, hinted, missed] = [newRoom(), newRoom(), newRoom()];
  const consumer = new Noting("swept");
  for (const process of ["p1", "p2"]) {
    const reader = redis.client.duplicate();
    const runner = new ConsumerRunner(
      redis.client,
      reader,
      scripts,
      consumer,
      { name: process, rooms: 2, lease: 500 },
      new LimitedLog(silent),
    );
    await runner.start();
    cleanUp(() => runner.stop(0));
  }
  const hints = new Hints(redis.client, scripts, "swept", silent);
  await add(hinted, "a", "swept");
  await hints.add(hinted);
  await expect.poll(() => consumer.handled).toEqual(["a"]);
  await add(missed, "b", "swept");
  const swept = {
    rest: 1,
    rooms: async (cursor: string) => (cursor === "0" ? ["1", [broken]] : ["0", [hinted, missed]]) as [string, RoomId[]],
    look: async (roomId: RoomId) =>
      roomId === broken ? Promise.reject(new Error("WRONGTYPE")) : (await place(roomId, "swept")) !== null && hints.add(roomId),
  };
  const sweep = new ConsumerSweep(redis.client, "swept", swept, "p1", silent);
  cleanUp(() => sweep.stop());
  await expect.poll(() => consumer.handled, { timeout: 20_000 }).toEqual(["a", "b"]);
  await expect.poll(() => hints.open(), { timeout: 20_000 }).toBe(0);
});

it("[CONSUME6] keeps dead letters until they are tried again", async () => {
  const retried: string[] = [];
  const letters = new DeadLetters(redis.client, "lettered", async ({ entry }) => retried.push(entry));
  await letters.add({ roomId: room("1"), entry: "x", problem: "It failed." });
  await letters.add({ roomId: room("2"), entry: "y", problem: "It failed too." });
  const [first, second] = await letters.list();
  expect([first, second]).toMatchObject([
    { roomId: room("1"), entry: "x", problem: "It failed." },
    { roomId: room("2"), entry: "y" },
  ]);
  expect(await letters.again(first?.id ?? "")).toHaveLength(1);
  expect(await letters.again("all")).toHaveLength(1);
  expect(await letters.list()).toEqual([]);
  expect(retried).toEqual(["x", "y"]);
});
