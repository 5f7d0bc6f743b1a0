import { describe, expect, it, vi } from "vitest";
import { TestClient } from "../helpers/client.js";
import { ownCluster } from "../helpers/cluster.js";
import { eventually } from "../helpers/eventually.js";
import { recordedLog } from "../helpers/log.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const idsOf = (users: TestClient[]) => users.map(({ id }) => Number(id));

/** Asserts that the users' ids are distinct, and that each session still belongs to the same user. */
async function areThemselves(users: TestClient[]) {
  expect(new Set(users.map(({ id }) => id)).size).toBe(users.length);
  for (const user of users) expect((await user.ask("{ me { id username } }")).me).toEqual({ id: user.id, username: user.username });
}

describe("user ids", () => {
  it.each([
    ["deleted", (redis: Awaited<ReturnType<typeof ownRedis>>) => redis.client.del("total_users")],
    ["from an old dump", (redis: Awaited<ReturnType<typeof ownRedis>>) => redis.client.set("total_users", 2)],
    ["not a number", (redis: Awaited<ReturnType<typeof ownRedis>>) => redis.client.set("total_users", "many")],
    ["not a whole number", (redis: Awaited<ReturnType<typeof ownRedis>>) => redis.client.set("total_users", "5.5")],
    ["not a number that Redis can increment", (redis: Awaited<ReturnType<typeof ownRedis>>) => redis.client.set("total_users", "007")],
    ["too long for an id", (redis: Awaited<ReturnType<typeof ownRedis>>) => redis.client.set("total_users", "9".repeat(18))],
  ])("[R1] never reuse an id, its sessions or rooms when the counter is %s", async (_what, lose) => {
    const redis = await ownRedis();
    const { log, warnings } = recordedLog();
    const server = await ownServer(redis.url, {}, log);
    const carol = await TestClient.register(server, "carol");
    const dave = await TestClient.register(server, "dave");
    const others = await Promise.all(Array.from({ length: 20 }, () => TestClient.register(server)));
    const { openPrivateRoom: room } = await carol.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: dave.id });
    await carol.send("for Dave alone", room.id);

    await lose(redis);
    const mallory = await TestClient.register(server, "mallory");
    expect(Number(mallory.id)).toBeGreaterThan(Math.max(...idsOf([carol, dave, ...others])));
    await areThemselves([carol, dave, mallory, ...others]);
    expect((await mallory.ask("{ rooms { nodes { id } } }")).rooms.nodes).toEqual([{ id: "0" }]);
    expect(warnings()).toEqual([expect.stringMatching(/counter of user ids .* was behind/)]);
  });

  it("[R1] are safe with a counter that is behind: a starting server raises it before it adds demo data", async () => {
    const redis = await ownRedis();
    const carol = await TestClient.register(await ownServer(redis.url), "carol");
    await redis.client.del("total_users");
    const server = await ownServer(redis.url, { demoData: true });
    expect(await redis.client.get("total_users")).toBe(carol.id);
    expect(server.welcome).toEqual([]);
    await areThemselves([carol.on(server)]);
  });

  it("[R1] are safe with a counter that falls back: a running server raises it within seconds", async () => {
    const redis = await ownRedis();
    const server = await ownServer(redis.url);
    const users = await Promise.all(Array.from({ length: 5 }, () => TestClient.register(server)));
    await redis.client.set("total_users", 1);
    await vi.waitFor(async () => expect(Number(await redis.client.get("total_users"))).toBe(Math.max(...idsOf(users))), {
      timeout: 60_000,
    });
  });

  it("[R1] [I2] continue after FLUSHALL; the general room gets its name before the counter returns", async () => {
    const redis = await ownRedis();
    const server = await ownServer(redis.url);
    const users = await Promise.all(Array.from({ length: 3 }, () => TestClient.register(server)));
    await redis.client.flushall();
    await eventually(async () => expect(await redis.client.exists("total_users")).toBe(1));
    expect(await redis.client.get("room:0:name")).toBe("General");
    expect(Number((await TestClient.register(server)).id)).toBeGreaterThan(Math.max(...idsOf(users)));
  });

  it("[R1] are not reused after an account was deleted, in whole or in part", async () => {
    const redis = await ownRedis();
    const server = await ownServer(redis.url);
    const [one, two, three] = await Promise.all(Array.from({ length: 3 }, () => TestClient.register(server)));
    const last = Math.max(...idsOf([one, two, three] as TestClient[]));
    await redis.client.del(
      "total_users",
      `user:${last}`,
      `user:${last}:rooms`,
      `sessions:{user:${last}}`,
      `session-details:{user:${last}}`,
    );
    expect(Number((await TestClient.register(server)).id)).toBeGreaterThan(last);

    const restored = await ownRedis(); // an old dump without id marks, in which only a user's room list is left
    await restored.client.sadd("user:1:rooms", "0", "1:2");
    await restored.client.zadd("sessions:{user:2}", 1, "a hash");
    expect(Number((await TestClient.register(await ownServer(restored.url))).id)).toBeGreaterThan(2);
  });

  it("[R1] stay unique when 50 sign-ups race on two servers while the counter is deleted repeatedly", async () => {
    const redis = await ownRedis();
    const [one, two] = [await ownServer(redis.url), await ownServer(redis.url)];
    let racing = true;
    const losing = (async () => {
      while (racing) await redis.client.del("total_users");
    })();
    const join = 'mutation { joinAsGuest(name: "Gus") { token user { id username } } }';
    const users = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const server = n % 2 ? one : two;
        if (n % 5) return TestClient.register(server);
        const { token, user } = (await new TestClient(server.url).ask(join)).joinAsGuest;
        return new TestClient(server.url, token, user.id, user.username);
      }),
    ).finally(() => {
      racing = false;
    });
    await losing;
    await areThemselves(users);
  });

  it("[R1] stay unique when a cluster failover loses the counter's last value", async () => {
    const cluster = await ownCluster({ replicas: true, nodeTimeout: 1_500 });
    const { log, warnings } = recordedLog();
    const server = await ownServer(cluster.urls.join(","), {}, log);
    const [alice, bob] = [await TestClient.register(server, "alice"), await TestClient.register(server, "bob")];

    const resume = await cluster.stopReplica("total_users"); // it misses all later writes
    const carol = await TestClient.register(server, "carol");
    const { openPrivateRoom: room } = await carol.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: alice.id });
    await cluster.kill("total_users", resume);

    const mallory = await vi.waitFor(() => TestClient.register(server, "mallory"), { timeout: 60_000, interval: 100 });
    expect([alice.id, bob.id, carol.id]).not.toContain(mallory.id);
    expect((await mallory.ask("{ rooms { nodes { id } } }")).rooms.nodes).toEqual([{ id: "0" }]);
    expect((await mallory.refused("query ($r: ID!) { messages(roomId: $r) { position } }", { r: room.id })).extensions.code).toBe(
      "NOT_A_MEMBER",
    );
    // Carol's data in the shard that lost its last writes is gone; the rest still belongs to her.
    const { data } = await carol.request("{ me { username } }");
    expect([null, { username: carol.username }]).toContainEqual(data?.me ?? null);
    expect(warnings().join()).toMatch(/counter of user ids .* was behind/);
  });
});
