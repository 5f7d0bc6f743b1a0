import { describe, expect, it, vi } from "vitest";
import { introduce } from "../helpers/acquaint.js";
import { TestClient } from "../helpers/client.js";
import { ownCluster } from "../helpers/cluster.js";
import { eventually } from "../helpers/eventually.js";
import { proxyTo } from "../helpers/proxy.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const GUESTS = "guests:{total_users}";
const ENOUGH = { timeout: 60_000, interval: 50 }; // ms: several servers may die during a sweep, and each holds its lease for a while

type OwnRedis = Awaited<ReturnType<typeof ownRedis>>;

async function join(server: { url: string }, name = "Gus"): Promise<TestClient> {
  const query = "mutation ($name: String!) { joinAsGuest(name: $name) { token user { id username } } }";
  const { token, user } = (await new TestClient(server.url).ask(query, { name })).joinAsGuest;
  return new TestClient(server.url, token, user.id, user.username);
}

/** Every key that refers to a user by its name or its content. */
async function tracesOf({ client }: OwnRedis, id: string): Promise<string[]> {
  const traces: string[] = [];
  const names = new RegExp(`^(.*\\{)?(user|room):([1-9]\\d*:)?${id}(:|\\}|$)`);
  for (const key of await client.keys("*")) {
    if (names.test(key)) traces.push(key);
    const type = await client.type(key);
    if (type === "set" && ((await client.sismember(key, id)) || (await client.smembers(key)).some((one) => one.split(":").includes(id))))
      traces.push(`${key} has ${id}`);
    if (type === "hash" && (await client.hexists(key, id))) traces.push(`${key} has ${id}`);
    if (type === "zset" && (await client.zscore(key, id)) !== null) traces.push(`${key} has ${id}`);
  }
  return traces.sort();
}

/** Makes the guest due for the sweep now. */
const hurry = ({ client }: OwnRedis, id: string) => client.zadd(GUESTS, "XX", 0, id);

/** Waits until the sweep has finished with a guest. */
async function forgotten(redis: OwnRedis, id: string): Promise<void> {
  await vi.waitFor(async () => {
    await hurry(redis, id);
    expect(await redis.client.zscore(GUESTS, id)).toBeNull();
  }, ENOUGH);
}

async function settled(server: { url: string }, redis: OwnRedis) {
  const [ann, ben] = [await TestClient.register(server, "ann"), await TestClient.register(server, "ben")];
  const guest = await join(server, "Gus Grissom");
  await introduce(ann, [guest, ben]);
  const { createRoom: group } = await ann.ask('mutation ($m: [ID!]!) { createRoom(name: "Us", memberIds: $m) { id } }', {
    m: [guest.id, ben.id],
  });
  const rooms: string[] = [];
  for (const { id } of [ann, ben])
    rooms.push((await guest.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id })).openPrivateRoom.id);
  const [cid, dan] = [await TestClient.register(server, "cid"), await TestClient.register(server, "dan")];
  await cid.ask('mutation ($m: [ID!]!) { createRoom(name: "Join us", memberIds: $m) { id } }', { m: [guest.id] });
  await guest.ask("mutation ($id: ID!) { block(userId: $id) { id } }", { id: dan.id });
  await guest.send("in private", rooms[0]);
  const said = await ann.send("an answer", rooms[0]);
  await guest.ask('mutation ($id: ID!) { markRead(messageId: $id) { id } react(messageId: $id, emoji: "👍") { id } }', { id: said.id });
  await guest.send("to all of us", group.id);
  await guest.send("to everyone");
  const { id } = await ann.send("hello guest");
  await guest.ask("mutation ($id: ID!) { markRead(messageId: $id) { id } }", { id });
  await guest.subscribe("{ me { id } }").next(); // was online
  await guest.disconnect();
  await vi.waitFor(async () => expect(await redis.client.sismember("online_users", guest.id)).toBe(0), ENOUGH);
  return { ann, ben, guest, group, rooms };
}

describe("guests whose session has ended", () => {
  it("[S10] leave only their name and their messages in shared rooms", async () => {
    const redis = await ownRedis();
    const server = await ownServer(redis.url, { guestKeep: 0 });
    const { ann, ben, guest, group, rooms } = await settled(server, redis);
    await hurry(redis, guest.id); // too early: the session still runs
    await vi.waitFor(
      async () => expect(Number(await redis.client.zscore(GUESTS, guest.id))).toBeGreaterThan(Date.now() / 1_000 + 3_000),
      ENOUGH,
    );
    expect((await guest.ask("{ rooms { nodes { id } } }")).rooms.nodes).toHaveLength(4);

    await guest.ask("mutation { logout }");
    await forgotten(redis, guest.id);
    expect(await tracesOf(redis, guest.id)).toEqual([`user:${guest.id}`]);
    expect(await redis.client.hgetall(`user:${guest.id}`)).toEqual({
      username: guest.username,
      name: "Gus Grissom",
      guest: "1",
      ended: "1",
    });
    for (const [n, other] of [ann, ben].entries()) {
      expect((await other.ask("{ rooms { nodes { id } } }")).rooms.nodes.map(({ id }: { id: string }) => id)).not.toContain(rooms[n]);
      expect((await other.refused("query ($r: ID!) { messages(roomId: $r) { position } }", { r: rooms[n] })).extensions.code).toBe(
        "NOT_FOUND",
      );
    }
    const query =
      'query ($g: ID!) { group: messages(roomId: $g) { nodes { text from { name username guest } } } all: messages(roomId: "0") { nodes { text from { id } } } }';
    const { group: inGroup, all } = await ann.ask(query, { g: group.id });
    expect(inGroup.nodes).toEqual([{ text: "to all of us", from: { name: "Gus Grissom", username: guest.username, guest: true } }]);
    expect(all.nodes).toContainEqual({ text: "to everyone", from: { id: guest.id } });
    const { nodes: listed } = (await ann.ask("{ rooms { nodes { id members(first: 5) { nodes { user { id } } } } } }")).rooms;
    expect(listed.find(({ id }: { id: string }) => id === group.id).members.nodes).toEqual([
      { user: { id: ann.id } },
      { user: { id: ben.id } },
    ]);

    // Nothing brings the guest back: other users can no longer contact them.
    const open = "mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }";
    expect((await ann.refused(open, { id: guest.id })).extensions.code).toBe("NOT_FOUND");
    const add = "mutation ($g: ID!, $id: ID!) { addMember(roomId: $g, userId: $id) { id } }";
    expect((await ann.refused(add, { g: group.id, id: guest.id })).extensions.code).toBe("NOT_FOUND");
    expect(await tracesOf(redis, guest.id)).toEqual([`user:${guest.id}`]);
    await redis.client.del("total_users");
    expect(Number((await join(server)).id)).toBeGreaterThan(Number(guest.id));
  });

  it("[S10] are kept for GUEST_KEEP seconds after their session ends, however it ends", async () => {
    const redis = await ownRedis();
    const server = await ownServer(redis.url, { guestTtl: 1, guestKeep: 1_000 });
    const [out, left] = [await join(server), await join(server)];
    await left.ask("mutation { logout }");
    await eventually(async () => expect((await out.request("{ me { id } }")).data).not.toBeUndefined());
    await vi.waitFor(async () => expect(await redis.client.exists(`sessions:{user:${out.id}}`)).toBe(0), ENOUGH);
    const ends: number[] = [];
    for (const { id } of [out, left]) {
      ends.push(Number(await redis.client.hget(`user:${id}`, "until")));
      expect(Math.abs((ends.at(-1) as number) - Date.now())).toBeLessThan(10_000);
      await hurry(redis, id);
      await vi.waitFor(async () => {
        const due = Number(await redis.client.zscore(GUESTS, id));
        expect(Math.abs(due - (ends.at(-1) as number) / 1_000 - 1_000)).toBeLessThan(3);
      }, ENOUGH);
      expect(await redis.client.hexists(`user:${id}`, "ended")).toBe(0);
      await redis.client.hset(`user:${id}`, "until", Date.now() - 1_001_000); // as if this time had passed
      await forgotten(redis, id);
      expect(await redis.client.hkeys(`user:${id}`)).toEqual(["username", "name", "guest", "ended"]);
    }
  });

  it("[S10] are removed by another server, wherever the first one dies", async () => {
    const redis = await ownRedis();
    const server = await ownServer(redis.url, { guestKeep: 100_000 });
    const cutOffAfter = async (bytes: number) => {
      const { guest, ann, rooms } = await settled(server, redis);
      await guest.ask("mutation { logout }");
      await redis.client.hset(`user:${guest.id}`, "until", 1);
      await redis.client.zrem(GUESTS, guest.id); // so that the other server examines the guest first
      const proxy = await proxyTo(redis.url);
      const doomed = await ownServer(proxy.url, { guestKeep: 100_000 });
      await redis.client.zadd(GUESTS, 0, guest.id);
      proxy.goAwayAfter(bytes);
      await vi.waitFor(() => expect(proxy.isGone()).toBe(true), ENOUGH);
      await proxy.stop();
      await doomed.stop();
      await redis.client.zadd(GUESTS, 0, guest.id);
      await forgotten(redis, guest.id);
      await eventually(async () => {
        await hurry(redis, guest.id);
        expect(await tracesOf(redis, guest.id)).toEqual([`user:${guest.id}`]);
      });
      expect((await ann.ask("{ rooms { nodes { id } } }")).rooms.nodes.map(({ id }: { id: string }) => id)).not.toContain(rooms[0]);
    };
    await Promise.all([100, 300, 600, 1_000, 1_500, 2_000, 2_500, 3_000, 4_000].map(cutOffAfter));
  });

  it("[S10] leave no trace in a group even if a server dies while removing them from it", async () => {
    const redis = await ownRedis();
    const first = await ownServer(redis.url, { guestKeep: 100_000 });
    const { guest, group } = await settled(first, redis);
    await guest.ask("mutation { logout }");
    await first.stop();
    await redis.client.hset(`user:${guest.id}`, "until", 1);
    await hurry(redis, guest.id);

    const proxy = await proxyTo(redis.url);
    proxy.goAwayBefore(new RegExp(`hdel\\r\\n\\$\\d+\\r\\nreads:\\{room:${group.id}\\}`, "i"));
    const doomed = await ownServer(proxy.url, { guestKeep: 100_000 });
    await vi.waitFor(() => expect(proxy.isGone()).toBe(true), ENOUGH);
    await doomed.stop();
    await proxy.stop();

    await ownServer(redis.url, { guestKeep: 100_000 });
    await forgotten(redis, guest.id);
    expect(await tracesOf(redis, guest.id)).toEqual([`user:${guest.id}`]);
  });

  it("[S10] are removed by one server at a time, in portions, without touching accounts", async () => {
    const redis = await ownRedis();
    const server = await ownServer(redis.url, { guestKeep: 0 });
    const ann = await TestClient.register(server, "ann");
    const guests = await Promise.all(Array.from({ length: 50 }, () => join(server)));
    for (const guest of guests) await guest.ask("mutation { logout }");
    await Promise.all([ownServer(redis.url, { guestKeep: 0 }), ownServer(redis.url, { guestKeep: 0 })]);
    await redis.client.zadd(GUESTS, 0, ann.id);
    await vi.waitFor(async () => {
      for (const { id } of guests) await hurry(redis, id);
      expect(await redis.client.zcard(GUESTS)).toBe(0);
    }, ENOUGH);
    for (const { id } of guests) expect(await redis.client.hkeys(`user:${id}`)).toEqual(["username", "name", "guest", "ended"]);
    expect((await ann.ask("{ me { username } rooms { nodes { id } } }")).me).toEqual({ username: ann.username });
  });

  it("[S10] become accounts if a cut-off registration had set their name, and are removed otherwise", async () => {
    const redis = await ownRedis();
    const server = await ownServer(redis.url, { guestKeep: 0 });
    const { password = "" } = await redis.client.hgetall(`user:${(await TestClient.register(server)).id}`);
    const [named, begun] = [await join(server), await join(server)];
    for (const guest of [named, begun]) {
      await redis.client.zrem(GUESTS, guest.id);
      const claim = JSON.stringify({ username: `name-${guest.id}`, attempt: "x", deadline: 1 });
      await redis.client.hset(`user:${guest.id}`, { claim, password });
      await guest.ask("mutation { logout }");
    }
    await redis.client.set(`username:name-${named.id}`, `user:${named.id}`);
    for (const { id } of [named, begun]) {
      await redis.client.zadd(GUESTS, 0, id);
      await forgotten(redis, id);
    }
    const login = 'mutation ($u: String!) { login(username: $u, password: "a good password") { user { id guest } } }';
    const anonymous = new TestClient(server.url);
    expect((await anonymous.ask(login, { u: `name-${named.id}` })).login.user).toEqual({ id: named.id, guest: false });
    expect((await anonymous.refused(login, { u: `name-${begun.id}` })).extensions.code).toBe("INVALID_CREDENTIALS");
    expect(await redis.client.hkeys(`user:${begun.id}`)).toEqual(["username", "name", "guest", "ended"]);
  });

  it("[S10] are found at server start in a database without a list of guests", async () => {
    const redis = await ownRedis();
    const old = await ownServer(redis.url, { guestKeep: 0 });
    const [there, ended] = [await join(old), await join(old)];
    await old.stop();
    await redis.client.del(GUESTS, "indexed:2:{total_users}", `sessions:{user:${ended.id}}`);
    await redis.client.hdel(`user:${there.id}`, "until");
    await redis.client.hset(`user:${ended.id}`, "until", 1);
    const server = await ownServer(redis.url, { guestKeep: 0 });
    await vi.waitFor(async () => {
      expect(await redis.client.hget(`user:${ended.id}`, "ended")).toBe("1");
      const until = Number(await redis.client.hget(`user:${there.id}`, "until"));
      expect(Math.abs(Number(await redis.client.zscore(GUESTS, there.id)) - until / 1_000)).toBeLessThan(3);
    }, ENOUGH);
    await forgotten(redis, ended.id);
    expect((await there.on(server).ask("{ me { id } }")).me).toEqual({ id: there.id });
  });

  it("[S10] are removed on a Redis Cluster too, except those who registered in time", async () => {
    const { urls, nodeOf } = await ownCluster();
    const server = await ownServer(urls.join(","), { guestKeep: 0 });
    const ann = await TestClient.register(server, "ann");
    const [gone, stays] = [await join(server), await join(server)];
    const rooms: string[] = [];
    for (const guest of [gone, stays]) {
      const { openPrivateRoom } = await guest.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ann.id });
      rooms.push(openPrivateRoom.id);
      await guest.send("in private", openPrivateRoom.id);
    }
    const { register } = await stays.ask('mutation { register(username: "gus", password: "a good password") { token } }');
    for (const client of [gone, new TestClient(server.url, register.token)]) await client.ask("mutation { logout }");
    await vi.waitFor(async () => {
      await nodeOf(GUESTS).zadd(GUESTS, "XX", 0, gone.id);
      expect(await nodeOf(GUESTS).zcard(GUESTS)).toBe(0);
    }, ENOUGH);
    expect((await ann.ask("{ rooms { nodes { id } } }")).rooms.nodes.map(({ id }: { id: string }) => id).sort()).toEqual(["0", rooms[1]]);
    expect(await nodeOf(`user:${gone.id}`).hkeys(`user:${gone.id}`)).toEqual(["username", "name", "guest", "ended"]);
  });
});
