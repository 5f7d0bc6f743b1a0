import { describe, expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { randomFrom } from "../helpers/random.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const server = await ownServer(redis.url);
const alice = await TestClient.register(server, "alice");

interface Page {
  nodes: { id: string; text: string }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
}

let rooms = 0;

/** Creates a named room that no other test uses. */
async function newRoom(): Promise<string> {
  const id = `room-${++rooms}`;
  await redis.client.set(`room:${id}:name`, id);
  return id;
}

/** Stores a message as a demo app does: without an id, and with a time in whole seconds, which many messages can share. */
function foreign(roomId: string, date: number, message: string) {
  return redis.client.zadd(`room:${roomId}`, date, JSON.stringify({ from: Number(alice.id), date, message, roomId }));
}

async function page(roomId: string, args: { first?: number; after?: string | null; last?: number; before?: string | null }): Promise<Page> {
  const query = `query ($roomId: ID!, $first: Int, $after: String, $last: Int, $before: String) {
    messages(roomId: $roomId, first: $first, after: $after, last: $last, before: $before) {
      nodes { id text } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }`;
  return (await alice.ask(query, { roomId, ...args })).messages;
}

/** The original text of a message: edits in these tests only append to it. */
const nameOf = (text: string) => text.split(",")[0] as string;

/** Walks the pages from one end to the other and returns all messages; `between` runs after each page. */
async function walk(roomId: string, direction: "newest" | "oldest", size: () => number, between: () => Promise<unknown> = async () => {}) {
  const pages: Page["nodes"][] = [];
  let cursor: string | null = null;
  for (;;) {
    const { nodes, pageInfo }: Page = await (direction === "newest"
      ? page(roomId, { last: size(), before: cursor })
      : page(roomId, { first: size(), after: cursor }));
    if (direction === "newest") pages.unshift(nodes);
    else pages.push(nodes);
    const more = direction === "newest" ? pageInfo.hasPreviousPage : pageInfo.hasNextPage;
    if (!more) return pages.flat();
    cursor = direction === "newest" ? pageInfo.startCursor : pageInfo.endCursor;
    await between();
  }
}

describe("paging through history", () => {
  it("[M4] returns the newest 50 messages, oldest first, without arguments", async () => {
    const room = await newRoom();
    for (let n = 1; n <= 60; n++) await alice.send(`message ${n}`, room);
    const { nodes, pageInfo } = await page(room, {});
    expect(nodes.map(({ text }) => text)).toEqual(Array.from({ length: 50 }, (_, n) => `message ${n + 11}`));
    expect(pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });

  it("[M4] reports whether there are more messages on either side", async () => {
    const room = await newRoom();
    for (const text of ["one", "two", "three"]) await alice.send(text, room);
    const newest = await page(room, { last: 1 });
    expect(newest.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: false });
    const middle = await page(room, { last: 1, before: newest.pageInfo.startCursor });
    expect(middle).toMatchObject({ nodes: [{ text: "two" }], pageInfo: { hasPreviousPage: true, hasNextPage: true } });
    const oldest = await page(room, { last: 1, before: middle.pageInfo.startCursor });
    expect(oldest).toMatchObject({ nodes: [{ text: "one" }], pageInfo: { hasPreviousPage: false, hasNextPage: true } });
    const forward = await page(room, { first: 1, after: oldest.pageInfo.endCursor });
    expect(forward).toEqual(middle);
    const between = await page(room, { first: 5, after: oldest.pageInfo.endCursor, before: newest.pageInfo.startCursor });
    expect(between).toEqual(middle);
    expect(await page(room, { first: 2, after: newest.pageInfo.endCursor })).toMatchObject({
      nodes: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: true, startCursor: null, endCursor: null },
    });
    expect(await page(room, { first: 0 })).toMatchObject({ nodes: [], pageInfo: { hasNextPage: true } });
  });

  it("[M4] returns an empty page for an empty room", async () => {
    expect(await page(await newRoom(), { last: 5 })).toEqual({
      nodes: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
    });
  });

  it.each(["newest", "oldest"] as const)("[M4] walks through 300 demo-app messages of one second, from the %s", async (direction) => {
    const room = await newRoom();
    await alice.send("ours", room);
    for (let n = 0; n < 300; n++) await foreign(room, 1_700_000_000, `foreign ${n}`);
    const texts = (await walk(room, direction, () => 7)).map(({ text }) => text);
    expect(texts).toHaveLength(301);
    expect(new Set(texts).size).toBe(301);
    expect(texts.at(-1)).toBe("ours");
  });

  it("[M4] skips members that are not messages", async () => {
    const room = await newRoom();
    for (const [score, member] of [
      [1, "no JSON"],
      [2, "null"],
      [2, "[]"],
      [3, '{"from":"1"}'],
      [4, '{"from":{},"message":"x"}'],
      [4, '{"from":"1","message":5}'],
    ] as const) {
      await redis.client.zadd(`room:${room}`, score, member);
    }
    for (let n = 0; n < 40; n++) await redis.client.zadd(`room:${room}`, 5, `junk ${n}`);
    await foreign(room, 6, "readable");
    for (let n = 0; n < 40; n++) await redis.client.zadd(`room:${room}`, 7, `junk ${n + 40}`);
    expect(await page(room, { last: 3 })).toMatchObject({ nodes: [{ text: "readable" }], pageInfo: { hasPreviousPage: false } });
    expect(await page(room, { first: 3 })).toMatchObject({ nodes: [{ text: "readable" }], pageInfo: { hasNextPage: false } });
  });

  it("[M4] accepts a cursor whose message no longer exists", async () => {
    const room = await newRoom();
    for (const text of ["one", "two", "three", "four"]) await alice.send(text, room);
    const { pageInfo } = await page(room, { last: 2 });
    const members = await redis.client.zrangebyscore(`room:${room}`, "-inf", "+inf");
    await redis.client.zrem(`room:${room}`, ...members.filter((member) => member.includes('"three"')));
    expect((await page(room, { last: 5, before: pageInfo.startCursor })).nodes.map(({ text }) => text)).toEqual(["one", "two"]);
    expect((await page(room, { first: 5, after: pageInfo.startCursor })).nodes.map(({ text }) => text)).toEqual(["four"]);
  });

  it.each([1, 2, 3, 4, 5, 6])(
    "[M4] shows every message that existed throughout, once, while others come and go (seed %i)",
    async (seed) => {
      const random = randomFrom(seed);
      const room = await newRoom();
      const base = 1_700_000_000;
      let n = 0;
      const addForeign = () => foreign(room, base + random.integer(0, 6) + (random.chance(0.2) ? 0.25 : 0), `foreign ${n++}`);
      for (let count = random.integer(20, 120); count > 0; count--) await addForeign();
      for (let count = random.integer(0, 40); count > 0; count--) await alice.send(`ours ${n++}`, room);
      const removed = new Set<string>();

      const texts = async () =>
        (await redis.client.zrange(`room:${room}`, "0", "-1")).map((member) => JSON.parse(member).message as string);
      const ids = async () => {
        const { messages } = await alice.ask("query ($r: ID!) { messages(roomId: $r, last: 100) { nodes { id text } } }", { r: room });
        return messages.nodes as Page["nodes"];
      };

      const disturb = async () => {
        await addForeign();
        if (random.chance(0.5)) await alice.send(`late ${n++}`, room);
        const deeds = [
          // A demo app, or another client of this Redis, removes a message.
          async () => {
            const victim = random.pick(await redis.client.zrange(`room:${room}`, "0", "-1"));
            removed.add(nameOf(JSON.parse(victim).message));
            await redis.client.zrem(`room:${room}`, victim);
          },
          async () => {
            const victim = random.pick(await ids());
            removed.add(nameOf(victim.text));
            await alice.ask("mutation ($id: ID!) { deleteMessage(id: $id) }", { id: victim.id });
          },
          // An edit changes the text, and with it the byte order; in a demo app's message it changes all bytes.
          async () => {
            const { id, text } = random.pick(await ids());
            await alice.ask("mutation ($id: ID!, $t: String!) { editMessage(id: $id, text: $t) { id } }", {
              id,
              t: `${nameOf(text)}, edited ${n++}`,
            });
          },
          async () => {
            const { id } = random.pick(await ids());
            await alice.ask('mutation ($id: ID!) { react(messageId: $id, emoji: "👍") { id } }', { id });
          },
        ];
        for (let count = 3; count > 0; count--) await random.pick(deeds)();
      };

      for (const direction of ["newest", "oldest"] as const) {
        removed.clear();
        const before = new Set((await texts()).map(nameOf));
        const seen = (await walk(room, direction, () => random.integer(1, 9), disturb)).map(({ text }) => nameOf(text));
        expect(new Set(seen).size).toBe(seen.length);
        expect([...before].filter((text) => !removed.has(text) && !seen.includes(text))).toEqual([]);
      }
    },
  );
});

describe("users", () => {
  it("[M4] are paged in order of registration, in both directions, without failed sign-ups", async () => {
    const clients = [alice];
    for (let n = 0; n < 12; n++) clients.push(await TestClient.register(server, `member${n}`));
    await Promise.all(
      Array.from({ length: 5 }, () =>
        new TestClient(server.url).request('mutation { register(username: "raced", password: "a good password") { token } }'),
      ),
    );
    const total = clients.length + 1;
    for (const backwards of [false, true]) {
      const seen: string[] = [];
      let cursor: string | null = null;
      for (;;) {
        const args = backwards ? `last: 3, before: $cursor` : `first: 3, after: $cursor`;
        const { users } = await alice.ask(
          `query ($cursor: String) { users(${args}) { totalCount nodes { id username } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
          { cursor },
        );
        expect(users.totalCount).toBe(total);
        const names = users.nodes.map(({ username }: { username: string }) => username);
        if (backwards) seen.unshift(...names);
        else seen.push(...names);
        if (!(backwards ? users.pageInfo.hasPreviousPage : users.pageInfo.hasNextPage)) break;
        cursor = backwards ? users.pageInfo.startCursor : users.pageInfo.endCursor;
      }
      expect(seen).toEqual([...clients.map(({ username }) => username), "raced"]);
    }
  });

  it("[O1] cannot be paged with invalid arguments, which the error names", async () => {
    for (const [args, argument] of [
      ["first: 101", "first"],
      ["last: -1", "last"],
      ['after: "nonsense"', "after"],
      [`before: "${Buffer.from("user:0").toString("base64url")}"`, "before"],
    ]) {
      expect((await alice.refused(`{ users(${args}) { totalCount } }`)).extensions).toMatchObject({ code: "BAD_USER_INPUT", argument });
    }
  });

  it("[API3] show their email only to themselves", async () => {
    const { register } = await new TestClient(server.url).ask(
      'mutation { register(username: "ada", password: "a good password", name: "Ada L.", email: "ada@example.com") { token user { id name email createdAt } } }',
    );
    expect(register.user).toMatchObject({ name: "Ada L.", email: "ada@example.com" });
    const ada = new TestClient(server.url, register.token);
    expect((await ada.ask("{ me { email name } }")).me).toEqual({ email: "ada@example.com", name: "Ada L." });
    const { user } = await alice.ask('{ user(username: "ada") { id email name createdAt } }');
    expect(user).toMatchObject({ id: register.user.id, email: null, name: "Ada L." });
    expect(Math.abs(Date.parse(user.createdAt) - Date.now())).toBeLessThan(60_000);
  });
});
