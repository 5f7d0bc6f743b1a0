import { describe, expect, it, vi } from "vitest";
import { DemoBridge } from "../../src/interop/bridge.js";
import { acquaint } from "../helpers/acquaint.js";
import { cleanUp } from "../helpers/cleanup.js";
import { TestClient } from "../helpers/client.js";
import { demoApps } from "../helpers/demo-apps.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const server = await ownServer(redis.url);
const alice = await TestClient.register(server, "alice");

const query = `query ($r: ID!, $c: String) {
  messages(roomId: $r, first: 3, after: $c) { nodes { id text sentAt from { id username } } pageInfo { hasNextPage endCursor } }
}`;

async function historyOf(roomId: string) {
  const all: { id: string; text: string; sentAt: string; from: { id: string; username: string } }[] = [];
  for (let cursor: string | null = null; ; ) {
    const { messages } = await alice.ask(query, { r: roomId, c: cursor });
    all.push(...messages.nodes);
    if (!messages.pageInfo.hasNextPage) return all;
    cursor = messages.pageInfo.endCursor;
  }
}

/** Collects the messages published on the demo apps' channel. */
async function listen() {
  const subscriber = redis.client.duplicate();
  cleanUp(() => subscriber.disconnect());
  const heard: string[] = [];
  subscriber.on("message", (_channel, message) => heard.push(message));
  await subscriber.subscribe("MESSAGES");
  return {
    /** Returns all messages so far; a marker that the server publishes last shows that none is missing. */
    async upTo(client: TestClient) {
      await client.send("a marker");
      await expect.poll(() => heard.some((message) => message.includes("a marker"))).toBe(true);
      return heard
        .splice(0)
        .slice(0, -1)
        .map((message) => JSON.parse(message))
        .filter(({ type, data }) => !(type === "user.connected" && data.online === false)); // another test covers these
    },
    heard,
  };
}

describe("the demo apps' channel", () => {
  const open = "mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }";
  const ofServer = expect.stringMatching(/^palaver-[-0-9a-f]+$/);

  it("[I1] carries messages in General and named rooms once, exactly as stored", async () => {
    const { upTo } = await listen();
    await redis.client.set("room:told:name", "Told");
    await alice.send("hello <b>", "told", "once");
    await alice.send("hello <b>", "told", "once");
    const [stored = ""] = await redis.client.zrange("room:told", "0", "-1");
    expect(await upTo(alice)).toEqual([{ serverId: ofServer, type: "message", data: JSON.parse(stored) }]);
  });

  it("[I3] carries private messages only if the operator allows it, after announcing the room", async () => {
    const full = await ownServer(redis.url, { interop: "full" });
    const bob = await TestClient.register(full, "bob");
    const { openPrivateRoom: room } = await alice.ask(open, { id: bob.id });
    const { upTo } = await listen();
    await alice.send("between us", room.id);
    expect(await upTo(alice)).toEqual([]);

    const carol = await TestClient.register(full, "carol");
    const { openPrivateRoom: other } = await carol.ask(open, { id: bob.id });
    await carol.send("to be seen by all", other.id);
    const [stored = ""] = await redis.client.zrange(`room:${other.id}`, "0", "-1");
    expect(await upTo(bob)).toEqual([
      { serverId: ofServer, type: "show.room", data: { id: other.id, names: [[bob.username], [carol.username]] } },
      { serverId: ofServer, type: "message", data: JSON.parse(stored) },
    ]);
  });

  it("[I3] carries group messages only if the operator allows it", async () => {
    const full = await ownServer(redis.url, { interop: "full" });
    const bob = await TestClient.register(full, "bob");
    await acquaint(alice, bob);
    const create = 'mutation ($m: [ID!]!) { createRoom(name: "Us", memberIds: $m) { id } }';
    const { createRoom: room } = await alice.ask(create, { m: [bob.id] });
    const { upTo } = await listen();
    await alice.send("among us", room.id);
    await alice.ask('mutation ($r: ID!) { renameRoom(roomId: $r, name: "We") { id } }', { r: room.id });
    expect(await upTo(alice)).toEqual([]);
    await bob.send("to be seen by all", room.id);
    const [, stored = ""] = await redis.client.zrange(`room:${room.id}`, "0", "-1");
    expect(await upTo(bob)).toEqual([{ serverId: ofServer, type: "message", data: JSON.parse(stored) }]);

    // The server announces the room before its first message, as the demo apps do.
    const { createRoom: own } = await bob.ask(create, { m: [alice.id] });
    await bob.send("first", own.id);
    await bob.send("second", own.id);
    expect((await upTo(bob)).map(({ type, data }) => [type, data.names ?? data.message])).toEqual([
      ["show.room", ["Us"]],
      ["message", "first"],
      ["message", "second"],
    ]);
  });

  it("[I1] carries an offline sender's name once, before the first message, and not as online", async () => {
    const { upTo, heard } = await listen();
    const fred = await TestClient.register(server, "fred");
    for (const text of ["one", "two"]) await fred.send(text);
    await expect.poll(() => heard.length).toBe(3);
    expect(heard.splice(0).map((message) => JSON.parse(message))).toEqual([
      { serverId: ofServer, type: "user.connected", data: { id: fred.id, username: fred.username, online: false } },
      { serverId: ofServer, type: "message", data: expect.objectContaining({ message: "one" }) },
      { serverId: ofServer, type: "message", data: expect.objectContaining({ message: "two" }) },
    ]);
    expect(await redis.client.sismember("online_users", fred.id)).toBe(0);
    const gina = await TestClient.register(server, "gina");
    await gina.subscribe("{ me { id } }").next();
    await expect.poll(() => heard.length).toBe(1);
    await gina.send("three");
    expect((await upTo(alice)).map(({ type, data }) => [type, data.online])).toEqual([
      ["user.connected", true],
      ["message", undefined],
    ]);
    await gina.disconnect();
  });

  it("[I4] carries the messages of two servers once, in the order of the room", async () => {
    const other = await ownServer(redis.url);
    const bob = await TestClient.register(other, "bob");
    await redis.client.set("room:busy:name", "Busy");
    const { upTo } = await listen();
    const texts = Array.from({ length: 100 }, (_, n) => String(n));
    await Promise.all(texts.map((text, n) => (n % 2 === 0 ? alice : bob).send(text, "busy")));
    const stored = (await redis.client.zrange("room:busy", "0", "-1")).map((message) => JSON.parse(message).id);
    await expect.poll(() => redis.client.hexists("consumed:{room:busy}", "demos")).toBe(0);
    const announced = (await upTo(alice)).filter(({ type }) => type === "message").map(({ data }) => data.id);
    expect(announced).toEqual(stored);
    expect(announced).toHaveLength(texts.length);
  });

  it.each(["the next message", "another server's start"])(
    "[I4] carries a message of a server that died before it announced it, with %s",
    async (what) => {
      const own = await ownRedis();
      const dying = await ownServer(own.url);
      const ann = await TestClient.register(dying, "ann");
      const subscriber = own.client.duplicate();
      cleanUp(() => subscriber.disconnect());
      const heard: string[] = [];
      subscriber.on("message", (_channel, message) => {
        const { type, data } = JSON.parse(message);
        if (type === "message") heard.push(data.message);
      });
      await subscriber.subscribe("MESSAGES");
      const dies = vi.spyOn(DemoBridge.prototype, "wake").mockResolvedValue();
      await ann.send("of a dying server");
      dies.mockRestore();
      if (what === "the next message") await ann.send("and the next");
      else {
        await own.client.unlink("sweeping:{demos}"); // as a minute later
        await ownServer(own.url);
      }
      await expect
        .poll(() => heard, { timeout: 20_000 })
        .toEqual(["of a dying server", "and the next"].slice(0, what === "the next message" ? 2 : 1));
      expect(await own.client.exists("consumed:{room:0}")).toBe(0);
    },
  );

  it("[I1] carries users who come online and go offline", async () => {
    const dora = await TestClient.register(server, "dora");
    const { upTo, heard } = await listen();
    await dora.subscribe("{ me { id } }").next();
    await expect.poll(() => heard.length).toBe(1);
    await dora.disconnect();
    await expect.poll(() => heard.length).toBe(2);
    const data = { id: dora.id, username: dora.username };
    expect(await upTo(alice)).toEqual([
      { serverId: ofServer, type: "user.connected", data: { ...data, online: true } },
      { serverId: ofServer, type: "user.disconnected", data: { ...data, online: false } },
    ]);
  });

  it("[I1] carries users who go offline because the last server stops", async () => {
    const own = await ownRedis();
    const last = await ownServer(own.url, { presenceGrace: 5 });
    const people = await Promise.all(Array.from({ length: 20 }, () => TestClient.register(last)));
    for (const person of people) await person.subscribe("{ me { id } }").next();
    const subscriber = own.client.duplicate();
    cleanUp(() => subscriber.disconnect());
    const left: string[] = [];
    subscriber.on("message", (_channel, message) => message.includes("user.disconnected") && left.push(JSON.parse(message).data.id));
    await subscriber.subscribe("MESSAGES");
    await last.stop();
    await subscriber.ping(); // Redis answers in order
    expect(left.sort()).toEqual(people.map(({ id }) => id).sort());
  });

  it("[I1] carries nothing with INTEROP=off", async () => {
    const off = await ownServer(redis.url, { interop: "off" });
    const { upTo } = await listen();
    const eve = await TestClient.register(off, "eve");
    await eve.send("not told");
    await eve.subscribe("{ me { id } }").next();
    expect(await upTo(alice)).toEqual([]);
    await eve.disconnect();
    expect(await upTo(alice)).toEqual([]);
  });
});

describe("history written by demo apps", () => {
  const texts = ["Hello!", 'it\'s <b>bold</b> & "quoted"', "a < b && b > c", "Grüße, 世界 👋🏽", "back\\slash \n new line"];
  const date = 1_795_325_003;

  it.each(Object.keys(demoApps))(
    "[I1] shows texts as typed, at their time, in order, with `from` as number or string: %s",
    async (name) => {
      const write = demoApps[name] as (typeof demoApps)[string];
      const roomId = `wrote-${Object.keys(demoApps).indexOf(name)}`;
      await redis.client.set(`room:${roomId}:name`, name);
      for (const [n, text] of texts.entries()) {
        const from = n % 2 ? Number(alice.id) : alice.id;
        const seeded = name.includes("seeded") ? 0.422_130_6 : 0; // their dates have fractions
        const { member, score } = write({ roomId, from, text, date: date + n + seeded });
        await redis.client.zadd(`room:${roomId}`, score, member);
      }
      const history = await historyOf(roomId);
      expect(history.map(({ text }) => text)).toEqual(texts);
      expect(history.map(({ sentAt }) => Math.floor(Date.parse(sentAt) / 1_000))).toEqual(texts.map((_, n) => date + n));
      expect(new Set(history.map(({ from }) => from.username))).toEqual(new Set([alice.username]));
      expect(new Set(history.map(({ id }) => id)).size).toBe(texts.length);
    },
  );

  it("[I1] keeps texts that look like escapes, as typed in the live Node app", async () => {
    await redis.client.set("room:typed:name", "Typed");
    const typed = [
      "&lt; and &gt;",
      "&lt;b&gt;",
      "?a=1&gtm_debug=1",
      "https://shop.example/list?page=2&lt=5&gt=1&lte=7#top",
      "<b>bold</b>",
      "1<2 && 3>2",
      "what?<br>",
      "is a>b?c<d:e",
      "<>&",
      "&amp; &quot; &copy",
    ];
    const write = demoApps["Node, live"] as (typeof demoApps)[string];
    for (const [n, text] of typed.entries()) {
      const { member, score } = write({ roomId: "typed", from: alice.id, text, date: date + n });
      await redis.client.zadd("room:typed", score, member);
    }
    expect((await historyOf("typed")).map(({ text }) => text)).toEqual(typed);
  });

  it("[I1] does not unescape Palaver's own messages", async () => {
    await redis.client.set("room:own:name", "Own");
    const typed = ["&lt;b&gt; &amp; &#39;", "&lt &gt", "&amp;lt;"];
    for (const text of typed) await alice.send(text, "own");
    expect((await historyOf("own")).map(({ text }) => text)).toEqual(typed);
  });

  it("[I1] accepts dates as milliseconds, fractions and strings, and skips entries that are not messages", async () => {
    await redis.client.set("room:odd:name", "Odd");
    const odd: [number, string][] = [
      [date, `{"from":"${alice.id}","date":"${date}","message":"a string","roomId":"odd"}`],
      [date + 1.661_809_9, `{"from":${alice.id},"date":${date + 1.66181},"message":"a fraction","roomId":"odd"}`],
      [date + 2, "no JSON"],
      [date + 3, "null"],
      [date + 4, '["a list"]'],
      [date + 5, '{"message":"nobody said this"}'],
      [date + 6, `{"from":"${alice.id}","message":{"text":"no string"}}`],
      [(date + 7) * 1_000, `{"from":"${alice.id}","date":${(date + 7) * 1_000},"message":"milliseconds","roomId":"odd"}`],
    ];
    for (const [score, member] of odd) await redis.client.zadd("room:odd", score, member);
    const history = await historyOf("odd");
    expect(history.map(({ text }) => text)).toEqual(["a string", "a fraction", "milliseconds"]);
    expect(history.map(({ sentAt }) => Math.floor(Date.parse(sentAt) / 1_000))).toEqual([date, date + 1, date + 7]);
  });
});
