import { describe, expect, it } from "vitest";
import { TestClient } from "./helpers/client.js";
import { ownRedis } from "./helpers/redis.js";
import { ownServer } from "./helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);
const watcher = await TestClient.register(one, "watcher");

const isOnline = async ({ id }: TestClient): Promise<boolean> =>
  (await watcher.ask("query ($id: ID) { user(id: $id) { online } }", { id })).user.online;

/** Opens the client's socket, and resolves when the server has accepted it. */
async function connect(client: TestClient) {
  await client.subscribe("{ me { id } }").next();
}

/** Follows transitions; resolves when the server listens. */
async function watch(userIds?: string[]) {
  const stream = watcher.subscribe("subscription ($userIds: [ID!]) { userOnline(userIds: $userIds) { id online } }", { userIds });
  await expect.poll(() => redis.client.call("PUBSUB", "SHARDNUMSUB", "online_users")).toEqual(["online_users", 1]);
  return stream;
}

describe("presence", () => {
  it("[P1] a user is online while any of their connections, on any server, is open", async () => {
    const ann = await TestClient.register(one, "ann");
    const elsewhere = ann.on(two);
    expect(await isOnline(ann)).toBe(false);
    await connect(ann);
    expect(await isOnline(ann)).toBe(true);
    expect(await redis.client.sismember("online_users", ann.id)).toBe(1);
    await connect(elsewhere);
    await ann.disconnect();
    await expect.poll(() => redis.client.hlen(`presence:{user:${ann.id}}`)).toBe(2); // the other server, and the version
    expect(await isOnline(ann)).toBe(true);
    await elsewhere.disconnect();
    await expect.poll(() => isOnline(ann)).toBe(false);
    expect(await redis.client.sismember("online_users", ann.id)).toBe(0);
  });

  it("[PRES1] userOnline fires once when the first connection opens and once when the last has closed", async () => {
    const ann = await TestClient.register(one, "ann");
    const ben = await TestClient.register(two, "ben");
    const stream = await watch([ann.id]);
    const tabs = [ann, ann.on(two), ann.on(one)];
    for (const tab of tabs) await connect(tab);
    await connect(ben); // not asked for
    for (const tab of tabs) await tab.disconnect();
    expect(await stream.next()).toEqual({ id: ann.id, online: true });
    expect(await stream.next()).toEqual({ id: ann.id, online: false });
    await connect(ann.on(two));
    expect(await stream.next()).toEqual({ id: ann.id, online: true });
  });

  it("[P1] an anonymous connection, or a refused one, makes nobody online", async () => {
    const ann = await TestClient.register(one, "ann");
    await connect(new TestClient(one.url));
    const forged = new TestClient(one.url, `${ann.id}.${"A".repeat(43)}`);
    await expect(forged.subscribe("{ me { id } }").next()).rejects.toMatchObject({ code: 4403 });
    expect(await isOnline(ann)).toBe(false);
  });

  it("[P1] fifty connections that open and close at once leave nobody online", async () => {
    const ann = await TestClient.register(one, "ann");
    const tabs = Array.from({ length: 50 }, (_, n) => ann.on(n % 2 ? one : two));
    await Promise.all(
      tabs.map(async (tab, n) => {
        const opening = connect(tab).catch(() => {}); // cut while it opens
        if (n % 3) await opening;
        await tab.disconnect();
      }),
    );
    await expect.poll(() => redis.client.hkeys(`presence:{user:${ann.id}}`)).toEqual(["version"]);
    expect(await isOnline(ann)).toBe(false);
  });

  it("[P2] a stopped server's users go offline", async () => {
    const three = await ownServer(redis.url);
    const ann = (await TestClient.register(one, "ann")).on(three);
    const stream = await watch([ann.id]);
    await connect(ann);
    expect(await stream.next()).toEqual({ id: ann.id, online: true });
    await three.stop();
    expect(await stream.next()).toEqual({ id: ann.id, online: false });
  });

  it("[P2] users of a server whose lease has run out go offline when another server looks", async () => {
    const ann = await TestClient.register(one, "ann");
    // What a server leaves that is killed: its name, its users, and their counts, but no lease.
    await redis.client.sadd("servers", "dead-server");
    await redis.client.sadd("users:dead-server", ann.id);
    await redis.client.hset(`presence:{user:${ann.id}}`, "dead-server", 2, "version", 1);
    await redis.client.hset("versions:{online_users}", ann.id, 1);
    await redis.client.sadd("online_users", ann.id);
    await redis.client.sadd("announced:{online_users}", ann.id);
    const stream = await watch([ann.id]);
    await ownServer(redis.url); // every server looks when it starts
    expect(await stream.next()).toEqual({ id: ann.id, online: false });
    expect(await isOnline(ann)).toBe(false);
    expect(await redis.client.exists("users:dead-server")).toBe(0);
    await expect.poll(() => redis.client.smembers("servers")).not.toContain("dead-server");
  });
});
