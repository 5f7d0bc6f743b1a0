import { describe, expect, it } from "vitest";
import { cleanUp } from "../helpers/cleanup.js";
import { TestClient } from "../helpers/client.js";
import { ownCluster } from "../helpers/cluster.js";
import { BUSY } from "../helpers/eventually.js";
import { proxyTo } from "../helpers/proxy.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";
import { acceptedSocket } from "../helpers/socket.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);

const ME = "{ me { id } }";
const FOLLOW = "subscription ($after: [String!]) { messageAdded(after: $after) { text } }";
const SESSIONS = "{ sessions { id createdAt lastSeenAt expiresAt current } }";
const CHANGE = 'mutation { changePassword(current: "a good password", new: "another password") }';

async function logIn(user: TestClient, password = "a good password"): Promise<TestClient> {
  const query = "mutation ($u: String!, $p: String!) { login(username: $u, password: $p) { token } }";
  const { login } = await new TestClient(user.serverUrl).ask(query, { u: user.username, p: password });
  return new TestClient(user.serverUrl, login.token, user.id, user.username);
}

const isIn = async (client: TestClient) => (await client.ask("{ session { id } }")).session !== null;
const sessionsKey = ({ id }: TestClient) => `sessions:{user:${id}}`;
const hashOf = async (user: TestClient) => (await redis.client.zrangebyscore(sessionsKey(user), "-inf", "+inf"))[0] as string;

/** Subscribes to the general room with the client's session, on both servers, and waits until the subscriptions run. */
async function followed(client: TestClient, servers = [one, two]) {
  const after = [await client.position()];
  const streams = servers.map((server) => client.on(server).subscribe(FOLLOW, { after }));
  await client.send("begun");
  for (const stream of streams) expect(await stream.next()).toEqual({ text: "begun" });
  return streams;
}

/** Waits until the sockets of all streams are closed with 4403. @returns the time in ms */
async function cutOff(streams: { next(): Promise<unknown> }[]): Promise<number> {
  const start = performance.now();
  const untilItEnds = async (stream: { next(): Promise<unknown> }) => {
    for (;;) await stream.next();
  };
  await Promise.all(streams.map((stream) => expect(untilItEnds(stream)).rejects.toMatchObject({ code: 4403 })));
  return performance.now() - start;
}

describe("a user's sessions", () => {
  it("[S3] are listed with the times of their start and last use, but without their hashes", async () => {
    const ann = await TestClient.register(one, "ann");
    const phone = await logIn(ann);
    const { sessions } = await ann.on(two).ask(SESSIONS);
    expect(sessions).toHaveLength(2);
    expect(sessions.map(({ current }: { current: boolean }) => current).sort()).toEqual([false, true]);
    for (const { id, createdAt, lastSeenAt, expiresAt } of sessions) {
      expect(id).toMatch(/^[\w-]{16}$/);
      expect(Math.abs(Date.parse(createdAt) - Date.now())).toBeLessThan(60_000);
      expect(Date.parse(lastSeenAt)).toBe(Date.parse(createdAt));
      expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(86_400_000);
    }
    const stored = JSON.stringify(sessions);
    for (const hash of await redis.client.zrangebyscore(sessionsKey(ann), "-inf", "+inf")) expect(stored).not.toContain(hash.slice(0, 16));
    expect((await phone.ask(SESSIONS)).sessions.map(({ id }: { id: string }) => id).sort()).toEqual(
      sessions.map(({ id }: { id: string }) => id).sort(),
    );
  });

  it("[S3] are prolonged by use, with at most one write a minute", async () => {
    const ann = await TestClient.register(one, "ann");
    const [key, hash] = [sessionsKey(ann), await hashOf(ann)];
    const details = `session-details:{user:${ann.id}}`;
    const before = [await redis.client.zscore(key, hash), await redis.client.hget(details, hash)];
    for (let n = 0; n < 5; n++) await ann.ask(ME);
    expect([await redis.client.zscore(key, hash), await redis.client.hget(details, hash)]).toEqual(before);

    const aWhileAgo = Date.now() - 61_000;
    const [id, kind] = (before[1] ?? "").split(" ");
    await redis.client.hset(details, hash, `${id} ${kind} ${aWhileAgo} ${aWhileAgo}`);
    await redis.client.zadd(key, Date.now() + 30_000, hash);
    for (const name of [key, details]) await redis.client.pexpire(name, 30_000);
    const [session] = (await ann.ask(SESSIONS)).sessions;
    expect(Date.parse(session.lastSeenAt) - Date.parse(session.createdAt)).toBeGreaterThanOrEqual(61_000);
    expect(Math.abs(Date.parse(session.expiresAt) - Date.now() - 86_400_000)).toBeLessThan(10_000);
    for (const name of [key, details]) expect(await redis.client.pttl(name)).toBeGreaterThan(86_000_000);
  });

  it("[S3] leave no data behind: expired ones are removed, and the keys expire with the last one", async () => {
    const ann = await TestClient.register(one, "ann");
    await redis.client.zadd(sessionsKey(ann), Date.now() - 1, await hashOf(ann));
    await logIn(ann);
    const [hashes, details] = [await redis.client.zrangebyscore(sessionsKey(ann), "-inf", "+inf"), `session-details:{user:${ann.id}}`];
    expect(hashes).toHaveLength(1);
    expect(await redis.client.hkeys(details)).toEqual(hashes);
    expect(await redis.client.pexpiretime(details)).toBe(await redis.client.pexpiretime(sessionsKey(ann)));
  });

  it("[S3] can be ended by id, but not by another user", async () => {
    const [ann, eve] = [await TestClient.register(one, "ann"), await TestClient.register(one, "eve")];
    const phone = await logIn(ann);
    const { sessions } = await ann.ask(SESSIONS);
    const other = sessions.find(({ current }: { current: boolean }) => !current);
    const end = "mutation ($id: ID!) { endSession(id: $id) }";
    for (const id of [other.id, "", "*", await hashOf(ann)])
      expect((await eve.refused(end, { id })).extensions).toEqual({ code: "NOT_FOUND", retryable: false });
    expect(await isIn(phone)).toBe(true);
    expect((await ann.ask(end, { id: other.id })).endSession).toBe(true);
    expect([await isIn(phone), await isIn(ann)]).toEqual([false, true]);
    expect((await ann.refused(end, { id: other.id })).extensions.code).toBe("NOT_FOUND");
  });
});

describe("a new password", () => {
  it("[S3] ends the user's other sessions, and is required for the next log-in", async () => {
    const ann = await TestClient.register(one, "ann");
    const phone = await logIn(ann);
    expect((await ann.on(two).ask(CHANGE)).changePassword).toBe(true);
    expect([await isIn(ann), await isIn(phone)]).toEqual([true, false]);
    expect(await isIn(await logIn(ann, "another password"))).toBe(true);
    await expect(logIn(ann)).rejects.toThrow("INVALID_CREDENTIALS");
    expect((await redis.client.hget(`user:${ann.id}`, "password"))?.startsWith("$2b$")).toBe(true);
  });

  it("[S2] requires the current one, and follows the rules of sign-up", async () => {
    const ann = await TestClient.register(one, "ann");
    const change = "mutation ($c: String!, $n: String!) { changePassword(current: $c, new: $n) }";
    const refusal = async (c: string, n: string) => (await ann.refused(change, { c, n })).extensions;
    expect(await refusal("a wrong password", "another password")).toEqual({ code: "INVALID_CREDENTIALS", retryable: false });
    for (const bad of ["short", "x".repeat(73), "nul\0 inside it", "a good password"])
      expect(await refusal("a good password", bad)).toEqual({ code: "BAD_USER_INPUT", retryable: false, argument: "new" });
    expect(await isIn(await logIn(ann))).toBe(true);
    expect((await new TestClient(one.url).refused(CHANGE)).extensions.code).toBe("UNAUTHENTICATED");
  });

  it("[S3] ends sessions from concurrent log-ins with the old one, on any server", async () => {
    const ann = await TestClient.register(one, "ann");
    const attempts = Array.from({ length: 20 }, (_, n) => logIn(ann.on(n % 2 ? one : two)).catch(() => undefined));
    const [, ...others] = await Promise.all([ann.ask(CHANGE), ...attempts]);
    for (const other of others) if (other) expect(await isIn(other)).toBe(false);
    expect(await isIn(ann)).toBe(true);
  });
});

describe("refreshSession", () => {
  const REFRESH = "mutation { refreshSession { id token expiresAt user { id } } }";

  it("[S4] replaces a session's token once, even when called concurrently", async () => {
    const ann = await TestClient.register(one, "ann");
    const [before] = (await ann.ask(SESSIONS)).sessions;
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => ann.on(n % 2 ? one : two).request(REFRESH)));
    const given = answers.flatMap(({ data }) => data?.refreshSession ?? []);
    expect(given).toHaveLength(1);
    for (const { errors } of answers) if (errors) expect(errors[0]?.extensions.code).toBe("UNAUTHENTICATED");
    expect(await isIn(ann)).toBe(false);
    const refreshed = new TestClient(two.url, given[0].token);
    const { sessions } = await refreshed.ask(SESSIONS);
    expect(sessions).toMatchObject([{ id: before.id, createdAt: before.createdAt, current: true }]);
    expect(given[0]).toMatchObject({ id: before.id, user: { id: ann.id }, expiresAt: sessions[0].expiresAt });
    expect(await redis.client.hlen(`session-details:{user:${ann.id}}`)).toBe(1);
  });

  it("[S4] keeps the calling socket open under the new token, and closes other sockets of the old one", async () => {
    const ann = await TestClient.register(one, "ann");
    const [other] = await followed(ann, [two]);
    const { say, next, closed } = await acceptedSocket(one, ann.token);
    await say({ id: "1", type: "subscribe", payload: { query: FOLLOW, variables: { after: [await ann.position()] } } });
    await say({ id: "2", type: "subscribe", payload: { query: ME } });
    for (let n = 0; n < 2; n++) await next();

    // The server still answers operations that run before, during or after the refresh.
    for (let n = 0; n < 10; n++) await say({ id: `a${n}`, type: "subscribe", payload: { query: ME } });
    await say({ id: "3", type: "subscribe", payload: { query: REFRESH } });
    for (let n = 0; n < 10; n++) await say({ id: `b${n}`, type: "subscribe", payload: { query: ME } });
    let token = "";
    for (let n = 0; n < 42; n++) {
      const { payload } = (await next()) as { payload?: { data: { me?: { id: string }; refreshSession?: { token: string } } } };
      if (payload?.data.refreshSession) token = payload.data.refreshSession.token;
      else if (payload) expect(payload.data.me?.id).toBe(ann.id);
    }
    await cutOff([other as (typeof streams)[number]]);
    const refreshed = new TestClient(two.url, token, ann.id);
    expect([await isIn(ann), await isIn(refreshed)]).toEqual([false, true]);
    await refreshed.send("still here");
    expect(await next()).toMatchObject({ id: "1", payload: { data: { messageAdded: { text: "still here" } } } });
    await refreshed.ask("mutation { logout }");
    expect(await closed).toBe(4403);
  });

  it("[S4] invalidates the old token for new sockets and for another refresh", async () => {
    const ann = await TestClient.register(one, "ann");
    await ann.ask(REFRESH);
    await expect(acceptedSocket(two, ann.token)).rejects.toThrow("4403");
    expect((await ann.refused(REFRESH)).extensions.code).toBe("UNAUTHENTICATED");
  });
});

type Stream = Awaited<ReturnType<typeof followed>>[number];
let streams: Stream[];

describe("the end of a session", () => {
  const ways: [string, (ann: TestClient, other: TestClient) => Promise<unknown>][] = [
    ["logout", (ann) => ann.ask("mutation { logout }")],
    ["logout everywhere, by another session", (_, other) => other.ask("mutation { logout(everywhere: true) }")],
    [
      "endSession",
      async (_, other) => {
        const { sessions } = await other.ask(SESSIONS);
        const { id } = sessions.find(({ current }: { current: boolean }) => !current);
        return other.ask("mutation ($id: ID!) { endSession(id: $id) }", { id });
      },
    ],
    ["changePassword", (_, other) => other.ask(CHANGE)],
    ["refreshSession over HTTP", (ann) => ann.ask("mutation { refreshSession { id } }")],
    [
      "a login beyond the limit",
      async (ann, other) => {
        const later = Date.now() + 90_000_000;
        await redis.client.zadd(sessionsKey(ann), ...Array.from({ length: 98 }, (_, n) => [later + n, `hash ${n}`]).flat());
        return logIn(other);
      },
    ],
  ];
  it.each(ways)("[D5] closes its sockets with 4403 within a second, on every server: %s", async (_way, end) => {
    const ann = await TestClient.register(one, "ann");
    const other = await logIn(ann);
    streams = await followed(ann);
    await end(ann, other);
    expect(await cutOff(streams)).toBeLessThan(1_000 * BUSY);
  });

  it("[D5] leaves the user's other sessions, and their sockets, alone", async () => {
    const ann = await TestClient.register(one, "ann");
    const other = await logIn(ann);
    const [left, stays] = [(await followed(ann))[0] as Stream, (await followed(other))[1] as Stream];
    await ann.ask("mutation { logout }");
    await cutOff([left]);
    await other.send("still here");
    expect(await stays.next()).toEqual({ text: "still here" });
  });

  it("[D5] closes idle sockets within a second after it expires, and not before; use prolongs it", async () => {
    const short = await ownServer(redis.url, { sessionTtl: 1 });
    const ann = await TestClient.register(short, "ann");
    const { closed } = await acceptedSocket(short, ann.token); // idle
    const start = performance.now();
    const end = closed.then((code) => ({ code, at: performance.now() - start }));
    let used = 0;
    await expect
      .poll(
        async () => {
          expect(await isIn(ann)).toBe(true);
          used = performance.now() - start;
          return used;
        },
        { timeout: 60_000 },
      )
      .toBeGreaterThan(1_800);
    const { code, at } = await end;
    expect(code).toBe(4403);
    expect(at).toBeGreaterThan(used + 800); // the session is prolonged every 50 ms
    expect(at).toBeLessThan(used + 1_000 * BUSY);
  });

  it("[D5] closes sockets even if it comes while the connection to Redis is down", async () => {
    const ann = await TestClient.register(one, "ann");
    streams = await followed(ann);
    const [killed] = (await redis.client
      .multi()
      .call("CLIENT", "KILL", "TYPE", "pubsub")
      .zrem(sessionsKey(ann), await hashOf(ann))
      .exec()) as [[unknown, number]];
    expect(killed[1]).toBeGreaterThanOrEqual(2);
    expect(await cutOff(streams)).toBeLessThan(2_000 * BUSY);
  });

  it("[D5] takes effect after an outage of Redis in which a session expires; sockets stay until then", async () => {
    const proxy = await proxyTo(redis.url);
    const far = await ownServer(proxy.url);
    cleanUp(() => proxy.stop());
    const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(one, "ben")];
    const [ended] = (await followed(ann, [far])) as [Stream];
    const [stays] = (await followed(ben, [far])) as [Stream];
    proxy.goAway();
    await redis.client.zadd(sessionsKey(ann), Date.now() - 1, await hashOf(ann));
    await expect.poll(async () => (await ben.on(far).request(ME)).errors?.[0]?.extensions.code).toBe("UNAVAILABLE");
    proxy.comeBack();
    await cutOff([ended]);
    await ben.send("still here");
    expect(await stays.next()).toEqual({ text: "still here" });
    await far.stop();
  });

  it("[D5] closes the socket of a client that has stopped reading", async () => {
    const lonely = await ownServer(redis.url);
    const ann = await TestClient.register(lonely, "ann");
    const { socket } = await acceptedSocket(lonely, ann.token);
    const sockets = async () => /^palaver_sockets (\d+)$/m.exec(await (await fetch(`${lonely.url}/metrics`)).text())?.[1];
    expect(await sockets()).toBe("1");
    socket.pause();
    await ann.on(two).ask("mutation { logout }");
    await expect.poll(sockets).toBe("0");
  });

  it("[D5] closes sockets that are accepted at the same time", async () => {
    const ann = await TestClient.register(one, "ann");
    const opening = Array.from({ length: 30 }, (_, n) => acceptedSocket(n % 2 ? one : two, ann.token));
    await ann.ask("mutation { logout }");
    for (const attempt of await Promise.allSettled(opening)) {
      if (attempt.status === "fulfilled") expect(await attempt.value.closed).toBe(4403);
      else expect(String(attempt.reason)).toContain("4403");
    }
    await expect.poll(() => redis.client.call("PUBSUB", "SHARDNUMSUB", `user:${ann.id}`)).toEqual([`user:${ann.id}`, 0]);
  });

  it("[D5] ends a subscription with its own token alone, as in GraphiQL's tabs", async () => {
    const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(one, "ben")];
    const { say, next } = await acceptedSocket(one, ben.token);
    const extensions = { headers: { Authorization: `Bearer ${ann.token}` } };
    const variables = { after: [await ann.position()] };
    await say({ id: "ann", type: "subscribe", payload: { query: FOLLOW, variables, extensions } });
    await say({ id: "ben", type: "subscribe", payload: { query: FOLLOW, variables } });
    await say({ id: "me", type: "subscribe", payload: { query: ME, extensions } });
    expect([await next(), await next()]).toContainEqual({ id: "me", type: "next", payload: { data: { me: { id: ann.id } } } });
    await ann.on(two).ask("mutation { logout }");
    const code = { extensions: { code: "UNAUTHENTICATED", retryable: false } };
    expect(await next()).toMatchObject({ id: "ann", type: "next", payload: { errors: [code] } });
    expect(await next()).toEqual({ id: "ann", type: "complete" });
    await ben.send("still here");
    expect(await next()).toMatchObject({ id: "ben", payload: { data: { messageAdded: { text: "still here" } } } });
  });

  it("[D5] cannot be caused by publishing on a user's channel", async () => {
    const ann = await TestClient.register(one, "ann");
    streams = await followed(ann);
    for (const payload of ['{"kind":"sessions.ended"}', "null", "[]", '"sessions.ended"', "not JSON", "{}"])
      await redis.client.spublish(`user:${ann.id}`, payload);
    await ann.send("still here");
    for (const stream of streams) expect(await stream.next()).toEqual({ text: "still here" });
  });

  it("[D5] closes sockets on a Redis Cluster, also after lost connections", async () => {
    const { urls, nodeOf } = await ownCluster();
    const servers = [await ownServer(urls.join(",")), await ownServer(urls.join(","))];
    const ann = await TestClient.register(servers[0] as (typeof servers)[number], "ann");
    const other = await logIn(ann);
    streams = await followed(ann, servers);
    const others = await followed(other, servers);
    await ann.ask("mutation { logout }");
    expect(await cutOff(streams)).toBeLessThan(1_000 * BUSY);
    const node = nodeOf(sessionsKey(ann));
    await node.multi().call("CLIENT", "KILL", "TYPE", "pubsub").del(sessionsKey(ann)).exec();
    await cutOff(others);
  });
});
