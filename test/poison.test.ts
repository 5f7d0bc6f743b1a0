import { describe, expect, it } from "vitest";
import { TestClient } from "./helpers/client.js";
import { demoApps } from "./helpers/demo-apps.js";
import { proxyTo } from "./helpers/proxy.js";
import { type Random, randomFrom } from "./helpers/random.js";
import { ownRedis } from "./helpers/redis.js";
import { ownServer } from "./helpers/server.js";

const redis = await ownRedis();

/** Members of room 0 that a demo app stored; the checks skip them. */
const theirs = new Set<string>();

/** Lists data that would crash a demo app or spoil one of its answers; empty if there is none. */
async function poison(): Promise<string[]> {
  const { client } = redis;
  const problems: string[] = [];
  const expectThat = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem);
  };
  const keys = await client.keys("*");
  /** Whether a demo app can show this user, which may also be a former guest. */
  const isUser = async (id: string) => /^[1-9]\d*$/.test(id) && !!(await client.hget(`user:${id}`, "username"));
  /** Whether this user can log in at a demo app. */
  const isAccount = async (id: string) => (await isUser(id)) && /^\$2[ab]\$/.test((await client.hget(`user:${id}`, "password")) ?? "");

  if (keys.includes("total_users")) expectThat(keys.includes("room:0:name"), "a user counter without a name for room 0");
  for (const id of await client.smembers("online_users")) expectThat(await isUser(id), `online_users has ${id}, which is not a user`);

  for (const key of keys.filter((key) => key.startsWith("username:"))) {
    const [, id = ""] = /^user:(\d+)$/.exec((await client.get(key)) ?? "") ?? [];
    expectThat(await isAccount(id), `${key} does not point to an account`);
    expectThat((await client.hget(`user:${id}`, "username")) === key.slice("username:".length), `${key} points to another user's account`);
  }
  for (const key of keys.filter((key) => /^user:[^:]+:rooms$/.test(key))) {
    const owner = key.split(":")[1] ?? "";
    for (const room of await client.smembers(key)) {
      const [low = "", high = ""] = room.split(":");
      const isPair = Number(low) < Number(high) && [low, high].includes(owner) && (await isUser(low)) && (await isUser(high));
      expectThat(keys.includes(`room:${room}:name`) || isPair, `${key} has ${room}, which has no name and is not a pair of users`);
    }
  }
  for (const key of keys.filter((key) => /^room:.*(?<!:name)$/.test(key))) {
    const roomId = key.slice("room:".length);
    const stored = await client.zrangebyscore(key, "-inf", "+inf", "WITHSCORES");
    for (let n = 0; n < stored.length; n += 2) {
      if (theirs.has(stored[n] as string)) continue;
      const score = Number(stored[n + 1]);
      const { from, date, message, ...others } = JSON.parse(stored[n] as string);
      expectThat(others.roomId === roomId, `a message of ${others.roomId} in ${key}`);
      expectThat(typeof message === "string" && typeof from === "string" && (await isUser(from)), `${stored[n]} has no valid sender`);
      expectThat(
        Number.isInteger(date) && date < 2 ** 31 && date === Math.floor(score > 1e11 ? score / 1_000 : score),
        `${stored[n]} has an invalid date`,
      );
    }
  }
  return problems;
}

const NAMES = [
  "zoë",
  "a:b",
  "user:1",
  "0",
  "__proto__",
  "constructor",
  "  spaced  ",
  "",
  "x".repeat(500),
  "名前",
  "a\u0000b",
  "-1",
  "1e3",
  "Pablo",
];
const PASSWORDS = ["another password", "a third password", "", "null", "x".repeat(100)];
const TEXTS = ["hi", "null", "<script>", '"}', "\\", "\u2028", "👩‍👩‍👧", "\u0000", "x".repeat(4_000), " ", "\ud800", "{}"];
const ROOMS = ["0", "1", "0:1", "2:1", "1:1", "-1:2", "1:2:3", "0:name", "x", "1:999999", "__proto__", "", "1e0:2"];

/** All groups created so far, including ended ones. */
const groups: string[] = [];

/** Returns a logged-in user, and replaces a user whose session has ended with a new one. */
async function someoneIn(random: Random, people: TestClient[], servers: { url: string }[]): Promise<TestClient> {
  const person = random.pick(people);
  const { errors } = await person.request("{ me { id } }").catch(() => ({ errors: undefined }));
  if (errors?.[0]?.extensions.code !== "UNAUTHENTICATED") return person;
  const successor = await TestClient.register(random.pick(servers)).catch(() => person);
  people[people.indexOf(person)] = successor;
  return successor;
}

/** Makes a random call to the API, sensible or not. */
async function doSomething(random: Random, people: TestClient[], servers: { url: string }[]): Promise<void> {
  const person = await someoneIn(random, people, servers);
  const someRoom = random.chance(0.5) ? random.pick(ROOMS) : `${random.pick(people).id}:${random.pick(people).id}`;
  const roomId = random.chance(0.4) ? random.pick([...groups, "912345678901234567", "group-0123456789abcdef"]) : someRoom;
  const userId = random.chance(0.9) ? random.pick(people).id : random.pick(ROOMS);
  const onMember = (deed: "addMember" | "removeMember") =>
    person.request(`mutation ($r: ID!, $u: ID!) { ${deed}(roomId: $r, userId: $u) { id } }`, { r: roomId, u: userId });
  const deeds = [
    async () => {
      const query =
        'mutation ($u: String!, $n: String) { register(username: $u, password: "a good password", name: $n) { token user { id } } }';
      const { data } = await person.request(query, { u: random.pick(NAMES), n: random.pick([null, ...NAMES]) });
      if (data?.register) people.push(new TestClient(random.pick(servers).url, data.register.token, data.register.user.id));
    },
    async () => {
      const { data } = await person.request("mutation ($n: String!) { joinAsGuest(name: $n) { token user { id } } }", {
        n: random.pick(NAMES),
      });
      if (data?.joinAsGuest) people.push(new TestClient(random.pick(servers).url, data.joinAsGuest.token, data.joinAsGuest.user.id));
    },
    async () => {
      const { data } = await person.request("mutation { refreshSession { token } }");
      if (data?.refreshSession) people.push(new TestClient(random.pick(servers).url, data.refreshSession.token, person.id));
    },
    async () => {
      const { data } = await person.request("{ sessions { id } }");
      await person.request("mutation ($id: ID!) { endSession(id: $id) }", {
        id: random.pick([...TEXTS, ...(data?.sessions ?? []).map(({ id }: { id: string }) => id)]),
      });
    },
    () =>
      person.request("mutation ($c: String!, $n: String!) { changePassword(current: $c, new: $n) }", {
        c: random.pick(["a good password", ...PASSWORDS]),
        n: random.pick(PASSWORDS),
      }),
    () =>
      person.request("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", {
        id: random.pick([...ROOMS, random.pick(people).id]),
      }),
    () =>
      person.request("mutation ($r: ID!, $t: String!, $c: ID) { send(roomId: $r, text: $t, clientMessageId: $c) { id } }", {
        r: roomId,
        t: random.pick(TEXTS),
        c: random.pick([null, "1", ...TEXTS]),
      }),
    async () => {
      const query = "mutation ($n: String!, $m: [ID!]!, $i: Boolean) { createRoom(name: $n, memberIds: $m, membersMayInvite: $i) { id } }";
      const { data } = await person.request(query, {
        n: random.chance(0.5) ? "A group" : random.pick(NAMES),
        m: random.chance(0.8) ? [random.pick(people).id, userId] : ROOMS,
        i: random.chance(0.5),
      });
      if (data?.createRoom) groups.push(data.createRoom.id);
    },
    () => onMember("addMember"),
    () => onMember("addMember"),
    () =>
      person.request(`mutation ($r: ID!) { ${random.pick(["acceptInvitation(roomId: $r) { id }", "declineInvitation(roomId: $r)"])} }`, {
        r: random.pick([roomId, ...groups]),
      }),
    () => person.request("{ invitations { nodes { roomName invitedBy { name blocked } } } blockedUsers { nodes { id } } }"),
    () => person.request(`mutation ($u: ID!) { ${random.chance(0.3) ? "block" : "unblock"}(userId: $u) { id blocked } }`, { u: userId }),
    () => onMember("removeMember"),
    () => person.request("mutation ($r: ID!) { leaveRoom(roomId: $r) }", { r: roomId }),
    () =>
      person.request("mutation ($r: ID!, $n: String!) { renameRoom(roomId: $r, name: $n) { id } }", { r: roomId, n: random.pick(NAMES) }),
    () => person.request("{ rooms { nodes { id name members { totalCount } } } }"),
    () => person.request('mutation { send(roomId: "0", text: "to all") { id } }'),
    // A demo app's message, with a date as their clients write it. An edit turns it into a message of Palaver.
    async () => {
      const date = random.pick([1_700_000_000, 1_700_000_000.25, 1_700_000_000_123, Math.floor(Date.now() / 1_000)]);
      const { member, score } = random.pick(Object.values(demoApps))({ roomId: "0", from: person.id, text: "said", date });
      theirs.add(member);
      await redis.client.zadd("room:0", score, member);
    },
    async () => {
      const { data } = await person.request("query ($r: ID!) { messages(roomId: $r, last: 20) { nodes { id } } }", {
        r: random.pick([roomId, "0"]),
      });
      const id = random.pick<string>([...ROOMS, "0/1", ...(data?.messages?.nodes ?? []).map((message: { id: string }) => message.id)]);
      const changes = [
        "mutation ($id: ID!, $t: String!) { editMessage(id: $id, text: $t) { id } }",
        "mutation ($id: ID!) { deleteMessage(id: $id) }",
        "mutation ($id: ID!, $e: String!, $on: Boolean) { react(messageId: $id, emoji: $e, on: $on) { id } }",
        "mutation ($r: ID!, $id: ID!, $t: String!) { send(roomId: $r, text: $t, replyTo: $id) { id } }",
      ];
      await person.request(random.pick(changes), {
        id,
        r: id.split("/")[0],
        t: random.pick(TEXTS),
        e: random.pick(["👍", ...TEXTS]),
        on: random.chance(0.7),
      });
    },
    () => person.subscribe("{ me { id } }").result(), // opens a socket
    () => person.disconnect(),
    async () => {
      await person.request("mutation ($e: Boolean!) { logout(everywhere: $e) }", { e: random.chance(0.5) });
    },
    () =>
      person.request('mutation ($u: String!) { login(username: $u, password: "a good password") { token } }', { u: random.pick(NAMES) }),
    async () => {
      const stream = person.follow({ roomId, after: [random.pick(TEXTS)] });
      await stream.result().catch(() => {});
      stream.stop();
    },
  ];
  await random
    .pick(deeds)()
    .catch(() => {}); // a refusal is fine here
}

/** Runs calls on a server that dies midway, as far as Redis can tell: within a command, or between two. */
async function dieDoingSomething(random: Random, people: TestClient[]): Promise<void> {
  const proxy = await proxyTo(redis.url);
  const doomed = await ownServer(proxy.url);
  const person = random.pick(people).on(doomed);
  proxy.goAwayAfter(random.integer(1, 1_500));
  for (let deeds = 0; deeds < 5; deeds++) await doSomething(random, [person, ...people], [doomed]);
  await person.disconnect();
  await doomed.stop();
  await proxy.stop();
}

describe("random calls to the API", () => {
  it.each([
    ["online_users has 99, which is not a user", () => redis.client.sadd("online_users", "99")],
    ["username:ghost does not point to an account", () => redis.client.set("username:ghost", "user:99")],
    ["username:guest 2 does not point to an account", () => redis.client.set("username:guest 2", "user:2")],
    ["username:one points to another user's account", () => redis.client.hset("user:1", "username", "two")],
    ["user:1:rooms has 1:99", () => redis.client.sadd("user:1:rooms", "1:99")],
    ["user:1:rooms has group-1", () => redis.client.sadd("user:1:rooms", "group-1")],
    ["has no valid sender", () => redis.client.zadd("room:0", 5, '{"from":"99","date":5,"message":"boo","roomId":"0"}')],
    ["has an invalid date", () => redis.client.zadd("room:0", 5, '{"from":"1","date":6000,"message":"boo","roomId":"0"}')],
    ["without a name for room 0", () => redis.client.set("total_users", 1)],
  ])("[I2] are checked by rules that detect: %s", async (problem, spoil) => {
    await redis.client.flushall();
    await redis.client.hset("user:1", { username: "one", password: "$2b$04$" });
    await redis.client.set("username:one", "user:1");
    await redis.client.hset("user:2", { username: "guest 2", guest: "1" });
    await redis.client.sadd("online_users", "1", "2");
    expect(await poison()).toEqual([]);
    await spoil();
    expect((await poison())[0]).toContain(problem);
  });

  it.each([1, 2, 3])("[I2] never write data that would break a demo app, even if servers die midway (seed %i)", async (seed) => {
    await redis.client.flushall();
    groups.length = 0;
    const random = randomFrom(seed);
    const servers = [await ownServer(redis.url, { demoData: seed === 1 }), await ownServer(redis.url)];
    const people = await Promise.all(servers.map((server) => TestClient.register(server)));
    // How many calls succeed is a matter of chance: continues until enough of them did.
    const isRich = async () => people.length > 4 && groups.length > 2 && (await redis.client.zcard("room:0")) > 5;
    for (let step = 0; step < 120 || !(await isRich()); step++) {
      await Promise.all(Array.from({ length: 3 }, () => doSomething(random, people, servers)));
      expect(await poison()).toEqual([]);
      if (step % 12 === 0) await dieDoingSomething(random, people);
      expect(await poison()).toEqual([]);
    }
    await Promise.all(people.map((person) => person.disconnect()));
  });
});
