import { Redis } from "ioredis";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Config } from "../../src/config/config.js";
import { DEMO_PASSWORD, DEMO_USERS, seedDemoData } from "../../src/interop/demo-data.js";
import { demoKeys } from "../../src/interop/keys.js";
import { asOurs } from "../../src/messages/ours.js";
import { scriptSources } from "../../src/program/platform.js";
import { Scripts } from "../../src/redis/scripts.js";
import { Passwords } from "../../src/sessions/password.js";
import { TestClient } from "../helpers/client.js";
import { eventually } from "../helpers/eventually.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const { url, client } = await ownRedis();
const passwords = new Passwords(4);
const SEEDING = demoKeys.seeding;
const PRIVATE_ROOMS = ["1:2", "1:3", "1:4", "2:3", "2:4", "3:4"];

/** A message as the demo apps store it, in a sorted set. */
interface Member {
  from: string;
  date: number;
  message: string;
  roomId: string;
  id: string;
}

const seed = (redis = client) => seedDemoData(redis, new Scripts(redis, scriptSources()), passwords);

beforeEach(async () => {
  await client.flushall();
});

describe("an empty database", () => {
  it("[DEMO1] gets the four accounts, with bcrypt hashes of their password", async () => {
    await seed();
    expect(await client.get("total_users")).toBe("4");
    for (const [index, username] of DEMO_USERS.entries()) {
      const id = index + 1;
      expect(await client.get(`username:${username}`)).toBe(`user:${id}`);
      const { password = "", ...others } = await client.hgetall(`user:${id}`);
      expect(others).toEqual({ username });
      expect(password).toMatch(/^\$2b\$04\$.{53}$/);
      expect(await passwords.matches(DEMO_PASSWORD, { passwordHash: password ?? "", cutAt72: false })).toBe(true);
    }
    expect([DEMO_USERS, DEMO_PASSWORD]).toEqual([["Pablo", "Joe", "Mary", "Alex"], "password123"]);
  });

  it("[DEMO1] gets everyone into the general room, and into a private room with each other", async () => {
    await seed();
    for (const id of ["1", "2", "3", "4"]) {
      const rooms = PRIVATE_ROOMS.filter((room) => room.split(":").includes(id));
      expect((await client.smembers(`user:${id}:rooms`)).sort()).toEqual(["0", ...rooms]);
    }
    expect(await client.get("room:0:name")).toBe("General");
    expect(await client.keys("room:*:name")).toEqual(["room:0:name"]);
    expect((await client.keys("room:?:?")).sort()).toEqual(PRIVATE_ROOMS.map((room) => `room:${room}`));
  });

  it("[DEMO1] gets two messages in each private room, one from each user", async () => {
    await seed();
    for (const room of PRIVATE_ROOMS) {
      const members = await membersOf(room);
      expect(members.map(({ from }) => from).sort()).toEqual(room.split(":"));
      for (const { message } of members) expect(["Hello", "Hi", "Yo", "Hola"]).toContain(message);
    }
  });

  it("[DEMO1] gets the demo apps' five messages in the general room, in order", async () => {
    await seed();
    expect((await membersOf("0")).map(({ message }) => message)).toEqual([
      "Hello!",
      "Hi, How are you? What about our next meeting?",
      "Yeah everything is fine",
      "Next meeting tomorrow 10.00AM",
      "Wow that's great",
    ]);
  });

  it("[DEMO1] gets messages that every demo app can read: string ids, whole seconds, score = date", async () => {
    await seed();
    const now = Date.now() / 1_000; // seconds
    const ids = new Set<string>();
    for (const roomId of ["0", ...PRIVATE_ROOMS]) {
      const raw = await client.zrange(`room:${roomId}`, "0", "-1", "WITHSCORES");
      for (let at = 0; at < raw.length; at += 2) {
        const member = JSON.parse(raw[at] ?? "") as Member;
        expect(raw[at]).toBe(asOurs(member));
        expect(Object.keys(member).sort()).toEqual(["date", "from", "id", "message", "roomId"]);
        expect(DEMO_USERS[Number(member.from) - 1]).toBeDefined();
        expect(member).toMatchObject({ from: expect.any(String), message: expect.any(String), roomId });
        expect(Number.isInteger(member.date)).toBe(true);
        expect(member.date).toBeLessThan(now);
        expect(member.date).toBeGreaterThan(now - 2_000);
        expect(raw[at + 1]).toBe(String(member.date));
        expect(member.id).toMatch(new RegExp(`^${roomId}/\\d+$`));
        ids.add(member.id);
      }
    }
    expect(ids.size).toBe(5 + 6 * 2);
  });

  it("[DEMO1] counts as unread only others' messages after a user's own last one", async () => {
    await seed();
    const server = await ownServer(url);
    for (const [index, username] of DEMO_USERS.entries()) {
      const { login } = await new TestClient(server.url).ask(
        "mutation ($u: String!, $p: String!) { login(username: $u, password: $p) { token } }",
        {
          u: username,
          p: DEMO_PASSWORD,
        },
      );
      const { rooms } = await new TestClient(server.url, login.token).ask(
        "{ rooms { nodes { id unreadCount readUpTo messages(last: 10) { nodes { id from { id } } } } } }",
      );
      for (const { id, unreadCount, readUpTo, messages } of rooms.nodes) {
        const nodes = messages.nodes as { id: string; from: { id: string } }[];
        const own = nodes.findLastIndex(({ from }) => from.id === String(index + 1));
        expect({ id, unreadCount, readUpTo }).toEqual({ id, unreadCount: nodes.length - 1 - own, readUpTo: nodes[own]?.id ?? null });
      }
    }
  });

  it("[DEMO1] is filled once; a second run changes nothing", async () => {
    await seed();
    const before = await everything();
    await seed();
    expect(await everything()).toEqual(before);
  });

  it("[DEMO1] is filled once by five concurrent servers, and none continues before it is done", async () => {
    await Promise.all(
      Array.from({ length: 5 }, async () => {
        const own = new Redis(url);
        onTestFinished(() => own.disconnect());
        await seed(own);
        expect(await own.get("total_users")).toBe("4");
        expect(await own.exists(...DEMO_USERS.map((username) => `username:${username}`))).toBe(4);
      }),
    );
    expect(await client.zcard("room:0")).toBe(5);
    for (const room of PRIVATE_ROOMS) expect(await client.zcard(`room:${room}`)).toBe(2);
  });

  it("[DEMO1] is filled by another server when the lease of one that died expires", async () => {
    await client.mset({ total_users: 4, [SEEDING]: 9_999_999_999 }); // a lease until the year 2286
    let over = false;
    const seeding = seed().then(() => {
      over = true;
    });
    await client.config("RESETSTAT");
    await eventually(async () => expect(await callsOf("evalsha")).toBeGreaterThan(2)); // it has retried
    expect(over).toBe(false);
    expect((await client.keys("*")).sort()).toEqual([SEEDING, "total_users"]);
    await client.set(SEEDING, 1);
    await seeding;
    expect(await client.get("total_users")).toBe("4");
    expect(await membersOf("0")).toHaveLength(5);
  });

  it("[DEMO1] is completed without duplicate messages when it was left half filled", async () => {
    await seed();
    const complete = (await everything()).map(([key]) => key);
    await client.set(SEEDING, 1);
    await client.del("user:3", "user:3:rooms", "username:Alex", "room:2:3", "room:0:name");
    await client.zremrangebyrank("room:0", 3, -1); // cut off within the general room

    await seed();
    expect((await everything()).map(([key]) => key)).toEqual(complete);
    expect(await client.get("total_users")).toBe("4");
    expect(await membersOf("0")).toHaveLength(5);
    for (const room of PRIVATE_ROOMS) expect(await membersOf(room)).toHaveLength(2);
    expect(await passwords.matches(DEMO_PASSWORD, { passwordHash: (await client.hget("user:3", "password")) ?? "", cutAt72: false })).toBe(
      true,
    );
  });
});

describe("a database in use", () => {
  it("[DEMO2] is not changed at all", async () => {
    await client.mset({ total_users: "7", "username:Pablo": "user:7", "room:0:name": "Lobby" });
    await client.zadd("room:0", 1, "theirs");
    const before = await everything();
    await seed();
    expect(await client.exists(SEEDING)).toBe(0);
    expect(await everything()).toEqual(before);
  });

  it("[DEMO2] is any database with a user counter, even 0", async () => {
    await client.set("total_users", 0);
    await seed();
    expect(await client.keys("*")).toEqual(["total_users"]);
  });

  it("[DEMO2] keeps accounts that are created during the filling", async () => {
    const seeding = seed();
    await eventually(async () => expect(await client.exists("total_users")).toBe(1));
    expect(await client.incr("total_users")).toBe(5); // like a registration
    await seeding;
    expect(await client.get("total_users")).toBe("5");
  });
});

describe("`server.demoAccounts`", () => {
  const offered = async (settings: Partial<Config>) =>
    (await new TestClient((await ownServer(url, settings)).url).ask("{ server { demoAccounts } }")).server.demoAccounts;

  it("[DEMO3] lists accounts that still have the demo password, if demo data is on", async () => {
    expect(await offered({ demoData: true })).toEqual(DEMO_USERS);
    await client.hset("user:1", "password", await passwords.hash("Pablo's own now"));
    await client.del("username:Alex");
    expect(await offered({ demoData: true })).toEqual(["Joe", "Mary"]);
  });

  it("[DEMO3] is empty if demo data is off, even if such accounts exist", async () => {
    await seed();
    expect(await offered({ demoData: false })).toEqual([]);
  });
});

async function membersOf(roomId: string): Promise<Member[]> {
  return (await client.zrange(`room:${roomId}`, "0", "-1")).map((member) => JSON.parse(member) as Member);
}

/** Every key with its value as Redis serialises it, except the seeding lease. */
async function everything(): Promise<[key: string, value: string | undefined][]> {
  const names = (await client.keys("*")).filter((key) => key !== SEEDING).sort();
  return Promise.all(names.map(async (key) => [key, (await client.dumpBuffer(key))?.toString("hex")]));
}

/** The number of calls of a command since Redis's statistics were reset. */
async function callsOf(command: string): Promise<number> {
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await client.info("commandstats"))?.[1] ?? 0);
}
