import { describe, expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { ownCluster } from "../helpers/cluster.js";
import { eventually } from "../helpers/eventually.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);
const me = await TestClient.register(one, "reader");
const nobody = new TestClient(one.url);

const SEARCH = `query ($search: String, $first: Int, $after: String, $last: Int, $before: String) {
  users(search: $search, first: $first, after: $after, last: $last, before: $before) {
    nodes { username } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

async function search(text: string, page: Record<string, unknown> = {}, client = me) {
  const { nodes, ...others } = (await client.ask(SEARCH, { search: text, ...page })).users;
  return { ...others, names: nodes.map(({ username }: { username: string }) => username) };
}

const names = async (text: string, client = me): Promise<string[]> => (await search(text, {}, client)).names;

async function register(username: string, name?: string, email?: string): Promise<string> {
  const query = `mutation ($username: String!, $name: String, $email: String) {
    register(username: $username, password: "a good password", name: $name, email: $email) { user { id } }
  }`;
  return (await nobody.ask(query, { username, name, email })).register.user.id;
}

/** Creates an account as a demo app does. */
async function demoUser(username: string, redisClient = redis.client): Promise<string> {
  const id = String(await redisClient.incr("total_users"));
  await redisClient.set(`username:${username}`, `user:${id}`);
  await redisClient.hset(`user:${id}`, { username, password: "$2b$10$something" });
  return id;
}

describe("directory", () => {
  it("[DIR1] matches the start of the username or of any word of the name, in any letter case", async () => {
    await register("countess", "Ada King Lovelace", "secret@analytical.example");
    await register("adamant");
    expect(await names("ada")).toEqual(["countess", "adamant"]); // "ada king…" sorts before "adamant"
    expect(await names("LOVE")).toEqual(["countess"]);
    expect(await names("king lov")).toEqual(["countess"]);
    expect(await names("  Ada   King ")).toEqual(["countess"]);
    expect(await names("count", me.on(two))).toEqual(["countess"]);
    for (const nothing of ["ovelace", "secret", "analytical", "$2b", "ada lovelace"]) expect(await names(nothing)).toEqual([]);
  });

  it("[DIR1] matches composed, decomposed and full-width letters of any script", async () => {
    await register("zoë", "Ｆｕｌｌ Width");
    await register("Дмитрий", "名前 太郎");
    for (const [text, found] of [
      ["ZOE\u0308", "zoë"],
      ["zoë", "zoë"],
      ["full w", "zoë"],
      ["ДМИТ", "Дмитрий"],
      ["太郎", "Дмитрий"],
    ] as const)
      expect(await names(text), text).toEqual([found]);
  });

  it("[DIR1] pages through each user once, in both directions, even if several names match", async () => {
    const usernames = Array.from({ length: 25 }, (_, n) => `pager-${String(n).padStart(2, "0")}`);
    for (const [n, username] of usernames.entries()) await register(username, n % 2 ? "Pager Pagerson" : "Someone");
    const whole = await search("PAGER");
    expect([...whole.names].sort()).toEqual(usernames);
    expect(whole.totalCount).toBe(25);

    const forward: string[] = [];
    for (let page = await search("pager", { first: 7 }); ; page = await search("pager", { first: 7, after: page.pageInfo.endCursor })) {
      expect(page.pageInfo.hasPreviousPage).toBe(forward.length > 0);
      forward.push(...page.names);
      if (!page.pageInfo.hasNextPage) break;
    }
    expect(forward).toEqual(whole.names);
    const backward: string[] = [];
    for (let page = await search("pager", { last: 7 }); ; page = await search("pager", { last: 7, before: page.pageInfo.startCursor })) {
      expect(page.pageInfo.hasNextPage).toBe(backward.length > 0);
      backward.unshift(...page.names);
      if (!page.pageInfo.hasPreviousPage) break;
    }
    expect(backward).toEqual(whole.names);
  });

  it("[DIR1] excludes guests, and treats an empty search as no search", async () => {
    await nobody.ask('mutation { joinAsGuest(name: "Ghostly Guest") { token } }');
    await register("ghostly");
    await demoUser("marker-of-guests"); // once this user is found, the guest's id has been indexed
    await expect.poll(() => names("marker-of-guests")).toHaveLength(1);
    expect(await names("ghostly")).toEqual(["ghostly"]);
    const everyone = await search("", { first: 100 });
    expect(await search(" \u0000 ", { first: 100 })).toEqual(everyone);
    expect(everyone.names).toContain("ghostly");
  });

  it("[DIR1] finds a user whose sign-up was cut off before its last step, after a login", async () => {
    const id = await register("halfway");
    await redis.client.hset("indexed:2:{total_users}", { up_to: id }); // already indexed
    await redis.client.zrem("directory:2:{total_users}", `halfway\0${id}`);
    expect(await names("halfway")).toEqual([]);
    await nobody.ask('mutation { login(username: "halfway", password: "a good password") { token } }');
    expect(await names("halfway")).toEqual(["halfway"]);
  });

  it("[DIR2] finds users of demo apps, even if the account appears some time after its id", async () => {
    const late = await redis.client.incr("total_users");
    await demoUser("Demo Person");
    await expect.poll(() => names("demo p")).toEqual(["Demo Person"]);
    await redis.client.hset(`user:${late}`, { username: "Latecomer", password: "$2b$10$something" });
    await expect.poll(() => names("late", me.on(two))).toEqual(["Latecomer"]);
  });

  it("[DIR2] indexes an existing database, with two servers, from where a dead server stopped", async () => {
    const taken = await ownRedis();
    const [anyone, many] = [5, 1_500];
    for (let n = 1; n <= many; n++) await demoUser(`${n % 100 === anyone ? "anyone" : "other"} ${n}`, taken.client);
    await taken.client.hset("indexed:2:{total_users}", { up_to: 400, server: "dead", deadline: 1 });
    await taken.client.zadd("directory:2:{total_users}", 0, "anyone 5\x005");
    const servers = [await ownServer(taken.url), await ownServer(taken.url)];
    const reader = await TestClient.register(servers[0] as { url: string });
    await expect.poll(async () => (await search("anyone 1", {}, reader)).totalCount).toBe(5); // the first 400 count as indexed
    await eventually(async () => {
      await search("anyone", {}, reader); // makes a server look for new accounts
      expect(await taken.client.hget("indexed:2:{total_users}", "up_to")).toBe(String(many + 1));
    });
    await expect.poll(() => taken.client.hexists("indexed:2:{total_users}", "server")).toBe(0);
  });

  it("[DIR2] works on a Redis Cluster", async () => {
    const { urls } = await ownCluster();
    const server = await ownServer(urls.join(","), { demoData: true });
    const reader = await TestClient.register(server);
    await expect.poll(() => names("pab", reader)).toEqual(["Pablo"]);
  });

  it("[DIR3] refuses long searches and cursors of another search; odd texts find nothing", async () => {
    const cursor = (await search("pager", { first: 1 })).pageInfo.endCursor;
    for (const [variables, argument] of [
      [{ search: "x".repeat(65) }, "search"],
      [{ search: "x".repeat(60_000) }, "search"],
      [{ search: "ada", after: cursor }, "after"],
      [{ after: cursor }, "after"],
      [{ search: "pager", before: "bmFtZTpwYWdlcg" }, "before"],
      [{ search: "pager", first: 101 }, "first"],
      [{ search: "pager", first: 1, last: 1, after: "x" }, "after"],
    ] as const)
      expect((await me.refused(SEARCH, variables)).extensions, JSON.stringify(variables).slice(0, 80)).toEqual({
        code: "BAD_USER_INPUT",
        retryable: false,
        argument,
      });
    for (const text of ["\ud800", "[", "(", "-", "+", "*", "\u00ff", "\ufdfa".repeat(64), "𝔘".repeat(64), "%zz", "\\"])
      expect(await names(text), text).toEqual([]);
  });

  it("[DIR3] tolerates strange accounts and values in the database", async () => {
    const long = await demoUser("long".repeat(100_000));
    await redis.client.hset(`user:${long}`, { name: "w ".repeat(100_000) });
    await demoUser("\ud800\u0000lone");
    const gone = await demoUser("gone soon");
    await demoUser("after them");
    await expect.poll(() => names("after th")).toEqual(["after them"]);
    expect(await redis.client.zcard("directory:2:{total_users}")).toBeLessThan(300);
    await redis.client.del(`user:${gone}`);
    await redis.client.zadd("directory:2:{total_users}", 0, "gone without an id", 0, "gone\0x", 0, "gone\x00999999");
    expect(await names("gone")).toEqual([]);
    expect((await search("longlong")).names).toHaveLength(1);

    const counter = await redis.client.get("total_users");
    for (const value of ["none", "1e15", "-5", "9007199254740993"]) {
      await redis.client.set("total_users", value);
      expect(await names("countess"), value).toEqual(["countess"]);
    }
    await redis.client.set("total_users", counter ?? "");
    await redis.client.del("indexed:2:{total_users}");
    await demoUser("still indexed");
    await expect.poll(() => names("still")).toEqual(["still indexed"]);
  });
});
