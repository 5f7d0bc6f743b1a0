import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { startServer } from "../../src/program/server.js";
import { readConfig } from "../../src/program/settings.js";
import { cleanUp } from "../helpers/cleanup.js";
import { TestClient } from "../helpers/client.js";
import { type Command, watchCommands } from "../helpers/commands.js";
import { randomFrom } from "../helpers/random.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

/** Another client of this Redis, malicious or broken. */
const { url, client: hostile } = await ownRedis();

const lines: { msg: string; times?: number }[] = [];
const log = pino({ level: "warn" }, { write: (line: string) => lines.push(JSON.parse(line)) });
const server = await startServer(readConfig({ redis: url, port: "0", "bcrypt-cost": "4" }, {}), log);
cleanUp(() => server.stop());
const alice = await TestClient.register(server, "alice");
const bob = await TestClient.register(await ownServer(url), "bob");

/** Resolves when everything published so far has been handled: publishes a demo app's message, and waits for it. */
async function allHeard(): Promise<void> {
  const stream = bob.follow({ roomId: "0", after: [await bob.position()] });
  const text = crypto.randomUUID();
  const said = JSON.stringify({ roomId: "0", message: text, from: alice.id, date: Math.floor(Date.now() / 1_000) });
  await hostile.zadd("room:0", Math.floor(Date.now() / 1_000), said);
  await hostile.publish("MESSAGES", `{"serverId":"192.0.2.2:7121","type":"message","data":${said}}`);
  for (let heard = ""; heard !== text; ) heard = (await stream.next()).text;
  stream.stop();
}

describe("on the demo apps' channel", () => {
  const strange = [
    "",
    "null",
    "not JSON",
    '"a string"',
    "17",
    "[]",
    "{}",
    '{"type":"connect","data":null}',
    '{"type":"message"}',
    '{"type":"message","data":"no object"}',
    '{"type":"message","data":{"roomId":{"toString":1},"from":[]}}',
    '{"type":"message","data":{"roomId":"__proto__","from":"constructor","date":"x"}}',
    '{"type":"message","data":{"roomId":"0","from":"1","date":1e999}}',
    '{"type":"message","data":{"roomId":"0","from":"1","date":-1e300}}',
    '{"type":"message","data":{"roomId":"0","from":"1","date":"0x10"}}',
    '{"type":"message","data":{"roomId":"0:name","from":"1","date":1}}',
    '{"type":"message","data":{"roomId":"0} evil {","from":"1","date":1}}',
    '{"type":"show.room","data":{"id":7}}',
    '{"type":"show.room","data":{"id":"999:1000","names":[[null],[null]]}}',
    '{"type":"user.connected","data":{"id":"../1","username":"x"}}',
    '{"type":"user.connected","data":{"id":1e21,"username":"x"}}',
    '{"Type":"user.connected","Data":"\\"nobody\\"","ServerId":"123"}',
    '{"Type":"message","Data":"{","ServerId":"123"}',
    '{"__proto__":{"type":"message"},"data":{"roomId":"0"}}',
  ];

  it("[HOST1] invalid messages neither harm a server, reach a client, nor fill the log", async () => {
    lines.length = 0;
    const stream = alice.follow({ after: [await alice.position()] });
    const shown = alice.subscribe("subscription { roomShown { id } }");
    await alice.send("begin");
    await stream.texts(1);
    const random = randomFrom(1);
    for (let n = 0; n < 2_000; n++) {
      const text = random.pick(strange);
      // Unchanged, truncated, or with one byte changed.
      const at = random.integer(0, text.length);
      const kinds = [text, text.slice(0, at), `${text.slice(0, at)}${String.fromCharCode(random.integer(1, 255))}${text.slice(at + 1)}`];
      await hostile.publish("MESSAGES", random.pick(kinds));
    }
    await hostile.publish("MESSAGES", `{"type":"message","data":{"roomId":"0","message":"${"x".repeat(5_000_000)}"}}`);
    await allHeard();
    expect((await stream.texts(1))[0]).toMatch(/^[-0-9a-f]{36}$/); // the message of `allHeard`, and nothing before it
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    expect(lines.length).toBeLessThan(10);
    expect(lines.map(({ msg }) => msg)).toContain("ignored an invalid message on MESSAGES");
    stream.stop();
    shown.stop();
  });

  it("[HOST1] a flood of announcements about nonexistent rooms creates no key", async () => {
    await allHeard();
    const before = new Set(await hostile.keys("*"));
    for (let n = 0; n < 5_000; n++) {
      void hostile.publish(
        "MESSAGES",
        `{"type":"message","data":{"roomId":"${n + 1}:${n + 2_000_000}","from":"${n + 5_000_000}","date":${n}}}`,
      );
    }
    await allHeard();
    expect((await hostile.keys("*")).filter((key) => !before.has(key) && !key.startsWith("probe:"))).toEqual([]);
  });
});

describe("in a room", () => {
  const query = "query ($r: ID!) { messages(roomId: $r, last: 5) { nodes { text } pageInfo { hasPreviousPage } } }";

  /**
   * Measures what scripts read of a room's members while `work` runs: per script call, the number of commands, and the number of bytes that
   * the same reads return when repeated. It counts instead of timing, because on a slow machine everything takes long.
   */
  async function readMeanwhile(room: string, work: () => Promise<unknown>): Promise<{ bytes: number; commands: number }[]> {
    const commands = await watchCommands(hostile);
    await work();
    await commands.all();
    const calls: { reads: Command[]; commands: number }[] = [];
    for (const command of commands.seen) {
      if (command.name === "evalsha" || command.name === "eval") calls.push({ reads: [], commands: 0 });
      const call = command.inScript ? calls.at(-1) : undefined;
      if (!call) continue;
      call.commands++;
      if (/^z(rev)?range/.test(command.name) && command.args[0] === `room:${room}`) call.reads.push(command);
    }
    return Promise.all(
      calls.map(async ({ reads, commands }) => {
        const found = await Promise.all(reads.map(({ name, args }) => hostile.call(name, ...args)));
        return { commands, bytes: JSON.stringify(found).length };
      }),
    );
  }

  it("[HOST2] skips and counts invalid members, however many and large, and reads large ones once", async () => {
    await hostile.set("room:junk:name", "Junk");
    await alice.send("first", "junk");
    await hostile.zadd("room:junk", 1_000, "x".repeat(20_000_000));
    for (let n = 0; n < 500; n++)
      await hostile.zadd("room:junk", 9_000_000_000 + n, `{"from":"1","message":${n}}`, 9_000_000_000 + n, `no JSON ${n}`);
    const large = Array.from({ length: 20 }, (_, n) => `{"from":"1","message":"${n}${"y".repeat(1_000_000)}"}`);
    for (const [n, member] of large.entries()) await hostile.zadd("room:junk", 9_900_000_000 + n, member);
    lines.length = 0;
    const { messages } = await alice.ask(query, { r: "junk" });
    expect(messages.nodes.map(({ text }: { text: string }) => text)).toEqual(["first"]);
    const counted = lines.find(({ msg }) => msg.includes("not messages")) as { members?: number } | undefined;
    expect(counted?.members).toBe(1_021);

    const pages = await readMeanwhile("junk", async () => {
      for (let n = 0; n < 20; n++) await alice.ask(query, { r: "junk" });
    });
    expect(Math.max(...pages.map(({ bytes }) => bytes))).toBeLessThan(100_000);
    expect(Math.max(...pages.map(({ commands }) => commands))).toBeLessThan(500);
    expect(pages.length).toBeLessThan(20 * 5);
    expect(lines.filter(({ msg }) => msg.includes("not messages")).length).toBeLessThanOrEqual(2); // at most one every ten seconds

    const others = await readMeanwhile("junk", async () => {
      const { id } = await alice.send("second", "junk");
      await alice.ask('mutation ($id: ID!) { react(messageId: $id, emoji: "👍") { id } markRead(messageId: $id) { id } }', { id });
      await bob.ask('query ($id: ID!) { messages(roomId: "junk", around: $id, last: 5) { nodes { text } } }', { id });
      await bob.position("junk");
    });
    expect(Math.max(...others.map(({ bytes }) => bytes))).toBeLessThan(200_000);
    expect((await alice.ask(query, { r: "junk" })).messages.nodes).toHaveLength(2);
    expect(await hostile.zcard("room:junk")).toBe(1_023);
  });

  it("[HOST2] reads few oversized members per call, and each of them once per time it is stored", async () => {
    await hostile.set("room:long:name", "Long");
    await alice.send("first", "long");
    const now = Math.floor(Date.now() / 1_000);
    const long = (n: number) => `{"from":"1","message":"${n}${"y".repeat(1_000_000)}"}`;
    const store = async () => {
      for (let n = 0; n < 12; n++) await hostile.zadd("room:long", now, long(n));
    };
    await store();
    const calls = await readMeanwhile("long", () => alice.ask(query, { r: "long" }));
    expect(calls.length).toBeGreaterThan(2); // each reads a few
    expect(await hostile.zlexcount("own:{room:long}", "[!:", "(!;")).toBe(12);
    await store();
    await alice.ask(query, { r: "long" });
    const pages = await readMeanwhile("long", () => alice.ask(query, { r: "long" }));
    expect(Math.max(...pages.map(({ bytes }) => bytes))).toBeLessThan(10_000);
    await hostile.sadd(`user:${bob.id}:rooms`, "long");
    const { room } = await bob.ask('{ room(id: "long") { unreadCount lastMessage { text } } }');
    expect(room).toEqual({ unreadCount: 1, lastMessage: { text: "first" } });
    const older = await bob.ask('{ messages(roomId: "long", first: 5) { nodes { text } pageInfo { hasNextPage hasPreviousPage } } }');
    expect(older.messages).toEqual({ nodes: [{ text: "first" }], pageInfo: { hasNextPage: false, hasPreviousPage: false } });
  });

  it("[HOST2] reads an existing database full of oversized members in small steps", async () => {
    await hostile.set("room:full:name", "Full");
    const date = 1_795_000_000;
    for (let n = 0; n < 60; n++)
      await hostile.zadd(
        "room:full",
        date + n,
        `{"from":"1","message":"${n}${"z".repeat(300_000)}"}`,
        date + n,
        `{"from":"1","date":${date + n},"message":"short ${n}"}`,
      );
    const texts = Array.from({ length: 60 }, (_, n) => `short ${n}`);
    expect(await alice.history("full")).toEqual(texts);
    await expect
      .poll(async () => {
        await alice.position("full");
        return hostile.hexists("meta:{room:full}", "since");
      })
      .toBe(0);
    expect(await alice.history("full", { size: 7, from: "newest" })).toEqual(texts);
    const pages = await readMeanwhile("full", () => alice.ask(query, { r: "full" }));
    expect(Math.max(...pages.map(({ bytes }) => bytes))).toBeLessThan(20_000);
  });

  it("[HOST2] finds the newest message behind members that are not messages", async () => {
    await hostile.set("room:newest:name", "Newest");
    await alice.send("the newest", "newest");
    await hostile.zadd("room:newest", 9_000_000_000, "no JSON", 9_000_000_001, "null");
    await hostile.sadd(`user:${alice.id}:rooms`, "newest");
    const { nodes: rooms } = (await alice.ask("{ rooms { nodes { id lastMessage { text } } } }")).rooms;
    expect(rooms.find(({ id }: { id: string }) => id === "newest").lastMessage.text).toBe("the newest");
  });

  it("[HOST2] shows impossible senders as unknown, and skips messages with an oversized sender", async () => {
    await hostile.set("room:senders:name", "Senders");
    const odd = ["__proto__", "-1", "0", "1.5", "99999", "", "toString"];
    for (const [n, from] of odd.entries()) await hostile.zadd("room:senders", n, JSON.stringify({ from, message: `of ${from}`, date: n }));
    await hostile.zadd("room:senders", 100, JSON.stringify({ from: "9".repeat(40_000), message: "of too many", date: 100 }));
    const { messages } = await alice.ask('{ messages(roomId: "senders") { nodes { text from { name } } } }');
    expect(messages.nodes.map(({ text }: { text: string }) => text)).toEqual(odd.map((from) => `of ${from}`));
    expect(new Set(messages.nodes.map(({ from }: { from: { name: string } }) => from.name))).toEqual(new Set(["Unknown user"]));
  });
});

describe("values of other types", () => {
  const everything = `{
    me { id name online }
    rooms { nodes { id name names lastMessage { text } } }
    messages(roomId: "0") { nodes { text from { name online } } }
    user(username: "${bob.username}") { id }
    users { nodes { name online } }
  }`;

  it("[HOST3] under the demo apps' keys count as missing, and are logged once", async () => {
    const names = ["room:0", "room:0:name", "online_users", `user:${bob.id}`, `username:${bob.username}`, `user:${alice.id}:rooms`];
    for (const name of names) {
      for (const type of ["string", "list", "hash", "stream"]) {
        const kept = await hostile.dumpBuffer(name);
        // In one transaction, because a server may write the set of online users in between.
        const replacing = hostile.multi().del(name);
        if (type === "string") replacing.set(name, "user:x");
        if (type === "list") replacing.rpush(name, "x");
        if (type === "hash") replacing.hset(name, "Pablo", "1");
        if (type === "stream") replacing.xadd(name, "*", "x", "y");
        await replacing.exec();
        lines.length = 0;
        for (let n = 0; n < 5; n++) expect((await alice.request(everything)).errors, `${name} as ${type}`).toBeUndefined();
        expect(lines.length).toBeLessThanOrEqual(1);
        // While the value is there, one user connects and disconnects, and a demo app announces another.
        await bob.subscribe("{ me { id } }").next();
        await bob.disconnect();
        await hostile.publish("MESSAGES", `{"type":"user.connected","data":{"id":"${alice.id}"}}`);
        if (kept) await hostile.restore(name, 0, kept, "REPLACE");
        else await hostile.del(name);
      }
    }
    await allHeard();
  });

  it("[HOST3] as a room refuse sends without leaking details, and are logged at a bounded rate", async () => {
    await hostile.set("room:broken:name", "Broken");
    await hostile.set("room:broken", "a string");
    lines.length = 0;
    for (let n = 0; n < 20; n++) {
      const { extensions, message } = await alice.refused('mutation { send(roomId: "broken", text: "hello") { id } }');
      expect(extensions.code).toBe("INTERNAL_SERVER_ERROR");
      expect(message).not.toContain("WRONGTYPE");
    }
    expect(lines.length).toBe(1);
    expect(await hostile.get("room:broken")).toBe("a string");
    expect(await hostile.exists("log:{room:broken}", "meta:{room:broken}")).toBe(0);
  });
});
