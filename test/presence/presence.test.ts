import { describe, expect, it, vi } from "vitest";
import { Channels } from "../../src/log/channels.js";
import { type Transition, Transitions } from "../../src/presence/transitions.js";
import { connectRedis } from "../../src/redis/connect.js";
import { cleanUp } from "../helpers/cleanup.js";
import { TestClient } from "../helpers/client.js";
import { eventually } from "../helpers/eventually.js";
import { user } from "../helpers/ids.js";
import { emptyFolder, type Program, start } from "../helpers/program.js";
import { proxyTo } from "../helpers/proxy.js";
import { randomFrom } from "../helpers/random.js";
import { ownRedis, silent } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url, { socketsPerUser: 100 });
const two = await ownServer(redis.url, { socketsPerUser: 100 });
const watcher = await TestClient.register(one, "watcher");

const isOnline = async ({ id }: TestClient): Promise<boolean> =>
  (await watcher.ask("query ($id: ID) { user(id: $id) { online } }", { id })).user.online;

/** Opens the client's socket, and resolves when the server has accepted it. */
async function connect(client: TestClient) {
  await client.subscribe("{ me { id } }").next();
}

/** Subscribes to transitions, and waits until the server is subscribed in Redis. */
async function watch(userIds?: string[]) {
  const stream = watcher.subscribe("subscription ($userIds: [ID!]) { userOnline(userIds: $userIds) { id online } }", { userIds });
  await expect.poll(() => redis.client.call("PUBSUB", "SHARDNUMSUB", "online_users")).toEqual(["online_users", 1]);
  return stream;
}

describe("presence", () => {
  it("[P1] shows a user online while any of their connections, on any server, is open", async () => {
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
    await connect(ben); // not in the subscription's list
    for (const tab of tabs) await tab.disconnect();
    expect(await stream.next()).toEqual({ id: ann.id, online: true });
    expect(await stream.next()).toEqual({ id: ann.id, online: false });
    await connect(ann.on(two));
    expect(await stream.next()).toEqual({ id: ann.id, online: true });
  });

  it("[P1] ignores anonymous and refused connections", async () => {
    const ann = await TestClient.register(one, "ann");
    await connect(new TestClient(one.url));
    const forged = new TestClient(one.url, `${ann.id}.${"A".repeat(43)}`);
    await expect(forged.subscribe("{ me { id } }").next()).rejects.toMatchObject({ code: 4403 });
    expect(await isOnline(ann)).toBe(false);
  });

  it("[P1] shows the user offline after fifty connections open and close at once", async () => {
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

  it("[P2] shows a stopped server's users offline", async () => {
    const three = await ownServer(redis.url);
    const ann = (await TestClient.register(one, "ann")).on(three);
    const stream = await watch([ann.id]);
    await connect(ann);
    expect(await stream.next()).toEqual({ id: ann.id, online: true });
    await three.stop();
    expect(await stream.next()).toEqual({ id: ann.id, online: false });
  });

  it("[P2] shows users offline when a sweep finds that their server's lease has expired", async () => {
    const ann = await TestClient.register(one, "ann");
    // The leftovers of a killed server: its name, its users, and their counts, but no lease.
    await redis.client.sadd("servers", "dead-server");
    await redis.client.sadd("users:dead-server", ann.id);
    await redis.client.hset(`presence:{user:${ann.id}}`, "dead-server", 2, "version", 1);
    await redis.client.hset("versions:{online_users}", ann.id, 1);
    await redis.client.sadd("online_users", ann.id);
    await redis.client.sadd("announced:{online_users}", ann.id);
    const stream = await watch([ann.id]);
    await ownServer(redis.url); // every server sweeps when it starts
    expect(await stream.next()).toEqual({ id: ann.id, online: false });
    expect(await isOnline(ann)).toBe(false);
    expect(await redis.client.exists("users:dead-server")).toBe(0);
    await expect.poll(() => redis.client.smembers("servers")).not.toContain("dead-server");
  });
});

describe("the grace period", () => {
  it("[P3] keeps a user online who reloads the page; one who stays away goes offline with one event", async () => {
    const patient = await ownServer(redis.url, { presenceGrace: 1 });
    const ann = (await TestClient.register(one, "ann")).on(patient);
    const ben = (await TestClient.register(one, "ben")).on(patient);
    const stream = await watch([ann.id, ben.id]);
    await connect(ann);
    await connect(ben);
    await stream.next();
    await stream.next();
    await ann.disconnect();
    await ben.disconnect(); // after Ann, so her grace period ends first
    await connect(ann); // back within the grace period
    expect(await isOnline(ben)).toBe(true);
    expect(await stream.next()).toEqual({ id: ben.id, online: false });
    expect(await isOnline(ann)).toBe(true);
    await ann.disconnect();
    expect(await stream.next()).toEqual({ id: ann.id, online: false });
  });

  it("[P3] keeps users online who move on from a stopping server; the others go offline afterwards", async () => {
    const stopping = await ownServer(redis.url, { presenceGrace: 1, presenceLease: 2 });
    await ownServer(redis.url, { presenceLease: 2 }); // sweeps the users who do not come back
    const ann = (await TestClient.register(one, "ann")).on(stopping);
    const ben = (await TestClient.register(one, "ben")).on(stopping);
    const stream = await watch([ann.id, ben.id]);
    await connect(ann);
    await connect(ben);
    await stream.next();
    await stream.next();
    await stopping.stop();
    await connect(ann.on(two));
    expect(await stream.next()).toEqual({ id: ben.id, online: false });
    expect(await isOnline(ann)).toBe(true);
  });

  it("[P2] leaves no user online when all servers stop together", async () => {
    const own = await ownRedis();
    const servers = await Promise.all([1, 2, 3].map(() => ownServer(own.url, { presenceGrace: 100 })));
    for (const server of servers) await connect(await TestClient.register(server));
    expect(await own.client.scard("online_users")).toBe(3);
    await Promise.all(servers.map((server) => server.stop()));
    expect((await own.client.keys("*")).filter((key) => /^(users:|lease:|sweep:|servers)/.test(key))).toEqual([]);
    expect(await own.client.scard("online_users")).toBe(0);
  });
});

describe("an outage of Redis", () => {
  it("[P1] takes no connected user offline, even if it outlasts the leases", async () => {
    const own = await ownRedis();
    const proxies = [await proxyTo(own.url), await proxyTo(own.url)] as const;
    for (const proxy of proxies) cleanUp(() => proxy.stop());
    const [a, b] = [await ownServer(proxies[0].url, { presenceLease: 2 }), await ownServer(proxies[1].url, { presenceLease: 2 })];
    const people = await Promise.all(Array.from({ length: 6 }, (_, n) => TestClient.register(n % 2 ? a : b)));
    const observer = await TestClient.register(a, "observer");
    const last = people.pop() as TestClient;
    for (const person of people) await connect(person);
    const stream = observer.subscribe("subscription ($ids: [ID!]) { userOnline(userIds: $ids) { id online } }", {
      ids: [...people, last].map(({ id }) => id),
    });
    await expect.poll(() => own.client.call("PUBSUB", "SHARDNUMSUB", "online_users")).toEqual(["online_users", 1]);
    await connect(last);
    expect(await stream.next()).toEqual({ id: last.id, online: true }); // the subscription has started
    const leases = async () => (await own.client.keys("lease:*")).length;
    for (const proxy of proxies) proxy.goAway();
    await expect.poll(leases).toBe(0);
    for (const proxy of proxies) proxy.comeBack();
    await expect.poll(leases).toBe(2);
    expect(await own.client.scard("online_users")).toBe(7);
    const [first] = people as [TestClient];
    await first.disconnect();
    expect(await stream.next()).toEqual({ id: first.id, online: false }); // and nothing before it
  });

  it("[I2] [PRES1] that loses data brings no user without an account online, and notifies of the change", async () => {
    const own = await ownRedis();
    const server = await ownServer(own.url, { presenceLease: 2 });
    const [ann, observer] = [await TestClient.register(server, "ann"), await TestClient.register(server, "observer")];
    const stream = observer.subscribe("subscription ($ids: [ID!]) { userOnline(userIds: $ids) { online } }", { ids: [ann.id] });
    await expect.poll(() => own.client.call("PUBSUB", "SHARDNUMSUB", "online_users")).toEqual(["online_users", 1]);
    await connect(ann);
    expect(await stream.next()).toEqual({ online: true });
    // Everything but the observer's account and session, without which the server would close the observer's socket.
    const others = (await own.client.keys("*")).filter((key) => !key.includes(`user:${observer.id}`));
    await own.client.del(...others);
    await expect.poll(() => own.client.exists("servers")).toBe(1); // the server has registered again
    expect(await stream.next()).toEqual({ online: false });
    await expect.poll(() => own.client.smembers("online_users")).toEqual([observer.id]);
  });
});

describe("onlineUsers", () => {
  it("[PRES2] returns accounts only, in order of registration", async () => {
    const people = await Promise.all(Array.from({ length: 12 }, () => TestClient.register(one)));
    for (const person of people) await connect(person);
    await redis.client.sadd("online_users", "999999", "nobody", "-1");
    const { onlineUsers } = await watcher.ask("{ onlineUsers { id online } }");
    const ids = onlineUsers.map(({ id }: { id: string }) => Number(id));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(ids).toEqual(expect.arrayContaining(people.map(({ id }) => Number(id))));
    expect(ids).not.toContain(999_999);
    expect(onlineUsers.every(({ online }: { online: boolean }) => online)).toBe(true);
    expect((await watcher.ask("{ onlineUsers(first: 5) { id } }")).onlineUsers.length).toBeLessThanOrEqual(5);
    expect((await watcher.refused("{ onlineUsers(first: 1001) { id } }")).extensions).toMatchObject({
      code: "BAD_USER_INPUT",
      argument: "first",
    });
    await redis.client.srem("online_users", "999999", "nobody", "-1");
    await Promise.all(people.map((person) => person.disconnect()));
  });

  it("[O1] is limited to 1,000 users, as is userOnline", async () => {
    const userIds = Array.from({ length: 1_001 }, (_, n) => String(n + 1));
    const stream = watcher.subscribe("subscription ($userIds: [ID!]) { userOnline(userIds: $userIds) { id } }", { userIds });
    expect(await stream.refusal()).toBe("BAD_USER_INPUT");
  });
});

describe("many transitions at once", () => {
  const announce = (userId: number, online: boolean) =>
    redis.client.spublish("online_users", JSON.stringify({ userId: String(userId), online }));

  /** Subscribes to transitions, and counts how many arrive in each turn of the event loop. */
  async function followTransitions(userIds?: string[]) {
    const { commands, subscriber, close } = await connectRedis([redis.url], {}, silent);
    cleanUp(close);
    const transitions = new Transitions(commands, new Channels(subscriber, silent), silent);
    const feed = await transitions.follow(userIds?.map(user));
    cleanUp(() => feed.end());
    const told: Transition[] = [];
    const portions: number[] = [];
    let inThisTurn = 0;
    feed.attach({
      value: (transition) => {
        if (Number(transition.userId) >= 100_000) told.push(transition); // ignores users of earlier tests who disconnect late
        if (inThisTurn++ === 0)
          setImmediate(() => {
            portions.push(inThisTurn);
            inThisTurn = 0;
          });
      },
      replayed: () => {},
      end: () => {},
    });
    return { told, portions, subscriber };
  }

  it("[PRES3] reach a subscriber to everyone in small batches, completely, but without undone ones", async () => {
    const { told, portions } = await followTransitions();
    const away = 100_000;
    for (let n = 0; n < 600; n++) await announce(away + n, true);
    for (let n = 300; n < 500; n++) await announce(away + n, false);
    await vi.waitFor(() => expect(told.filter(({ online }) => online)).toHaveLength(400 + told.filter(({ online }) => !online).length), {
      timeout: 60_000,
    });
    const state = new Map<string, boolean>();
    for (const { userId, online } of told) {
      expect(state.get(userId) ?? false).toBe(!online); // each is a change
      state.set(userId, online);
    }
    expect([...state].filter(([, online]) => online)).toHaveLength(400);
    expect(Math.max(...portions)).toBeLessThanOrEqual(100);
  });

  it("[PRES3] reach a subscriber to some users immediately", async () => {
    const { told } = await followTransitions(["200599"]);
    for (let n = 0; n < 600; n++) void announce(200_000 + n, true);
    await eventually(() => expect(told).toEqual([{ userId: "200599", online: true }]));
  });

  it("[PRES1] are delivered later if they were announced while the connection to Redis was down", async () => {
    const { told, subscriber } = await followTransitions();
    await redis.client.sadd("announced:{online_users}", "300001");
    subscriber.disconnect(true);
    await eventually(() => expect(told).toContainEqual({ userId: "300001", online: true }));
    await redis.client.srem("announced:{online_users}", "300001");
    subscriber.disconnect(true);
    await eventually(() => expect(told.filter(({ userId }) => userId === "300001").at(-1)).toEqual({ userId: "300001", online: false }));
  });
});

describe("servers that are killed", () => {
  const startProgram = async (url: string) =>
    start(await emptyFolder(), "--redis", url, "--presence-lease", "2", "--presence-grace", "0", "--log-level", "warn");

  it("[P2] have their users shown offline on other servers, with one event each, within the lease", async () => {
    const own = await ownRedis();
    const staying = await ownServer(own.url, { presenceLease: 2 });
    const killed = await startProgram(own.url);
    const people = await Promise.all(Array.from({ length: 20 }, () => TestClient.register(staying)));
    const observer = await TestClient.register(staying, "observer");
    const stream = observer.subscribe("subscription { userOnline { id online } }");
    await expect.poll(() => own.client.call("PUBSUB", "SHARDNUMSUB", "online_users")).toEqual(["online_users", 1]);
    for (const person of people) await connect(person.on(killed));
    const [both] = people as [TestClient];
    await connect(both); // one user also has a tab on the other server
    const seen = new Map<string, boolean[]>();
    const note = async () => {
      const { id, online } = await stream.next();
      seen.set(id, [...(seen.get(id) ?? []), online]);
    };
    while (people.some(({ id }) => !seen.has(id))) await note();
    killed.kill("SIGKILL");
    while (people.slice(1).some(({ id }) => seen.get(id)?.length !== 2)) await note();
    await both.disconnect();
    while (seen.get(both.id)?.length !== 2) await note();
    for (const { id } of people) expect(seen.get(id)).toEqual([true, false]);
    expect(await own.client.smembers("online_users")).toEqual([observer.id]);
  });

  it("[P1] [P2] leave the correct users in online_users after 500 random connects, disconnects and kills", async () => {
    const own = await ownRedis();
    const random = randomFrom(5);
    const servers: { url: string; program?: Program }[] = [
      await ownServer(own.url, { presenceLease: 2 }),
      await ownServer(own.url, { presenceLease: 2 }),
    ];
    for (let n = 0; n < 2; n++) {
      const program = await startProgram(own.url);
      servers.push({ url: program.url, program });
    }
    const people = await Promise.all(Array.from({ length: 15 }, () => TestClient.register(servers[0] as { url: string })));
    const tabs: { client: TestClient; server: { url: string } }[] = [];
    let kills = 0;
    for (let step = 0; step < 500; step++) {
      if (step % 120 === 119) {
        const victim = random.pick(servers.filter(({ program }) => program)) as { url: string; program: Program };
        victim.program.kill("SIGKILL");
        kills++;
        for (const tab of tabs.splice(0).filter(({ server, client }) => server !== victim || void client.disconnect())) tabs.push(tab);
        servers.splice(servers.indexOf(victim), 1);
        const program = await startProgram(own.url);
        servers.push({ url: program.url, program });
      } else if (tabs.length > 20 || random.chance(0.45)) {
        const [tab] = tabs.splice(random.integer(0, tabs.length - 1), 1);
        const closing = tab?.client.disconnect();
        if (random.chance(0.5)) await closing;
      } else {
        const server = random.pick(servers);
        const client = random.pick(people).on(server);
        const opening = connect(client);
        if (random.chance(0.2)) {
          opening.catch(() => {}); // cut while it opens
          await client.disconnect();
        } else {
          await opening;
          tabs.push({ client, server });
        }
      }
    }
    expect(kills).toBe(4);
    const truth = [...new Set(tabs.map(({ client }) => client.id))].sort();
    await eventually(async () => expect((await own.client.smembers("online_users")).sort()).toEqual(truth));
    expect((await own.client.smembers("announced:{online_users}")).sort()).toEqual(truth);
    await Promise.all(tabs.map(({ client }) => client.disconnect()));
    await eventually(async () => expect(await own.client.scard("online_users")).toBe(0));
  });
});
