import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { clientAddress } from "../../src/transports/gate/address.js";
import { Quota } from "../../src/util/quota.js";
import { TestClient } from "../helpers/client.js";
import { recordedLog } from "../helpers/log.js";
import { RawSocket } from "../helpers/raw-socket.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const server = await ownServer(redis.url);
const FOLLOW = "subscription { messageAdded { text } }";

describe("a user's rate of sends", () => {
  const limited = { rateLimits: true, sendsPerSecond: 20, sendBurst: 10 };

  it("[LIMIT1] is limited over all servers; excess sends get `retryAfter`, and succeed after it", async () => {
    const servers = [await ownServer(redis.url, limited), await ownServer(redis.url, limited)];
    const flooder = await TestClient.register(server, "flooder");
    const began = performance.now();
    let sent = 0;
    const refused: Record<string, unknown>[] = [];
    await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        const { errors } = await flooder
          .on(servers[n % 2] as { url: string })
          .request('mutation { send(roomId: "0", text: "flood") { id } }');
        if (errors) refused.push(...errors.map(({ extensions }) => extensions));
        else sent++;
      }),
    );
    const seconds = (performance.now() - began) / 1_000;
    const ahead = 2 * 2; // each server reserves two sends at a time
    expect(sent).toBeGreaterThanOrEqual(10);
    expect(sent).toBeLessThanOrEqual(10 + Math.ceil(20 * seconds) + ahead);
    expect(refused).toEqual(refused.map(() => ({ code: "RATE_LIMITED", retryable: true, retryAfter: 1 })));

    const other = await TestClient.register(server, "patient");
    await other.on(servers[0] as { url: string }).send("not the one who floods");
    const again = () => flooder.on(servers[0] as { url: string }).request('mutation { send(roomId: "0", text: "later") { id } }');
    await expect.poll(async () => (await again()).errors).toBeUndefined();
  });

  it("[LIMIT1] is limited over sockets as well, and can be left unlimited", async () => {
    const strict = await ownServer(redis.url, { rateLimits: true, sendsPerSecond: 1, sendBurst: 1 });
    const { token } = await TestClient.register(server);
    const codes = async (where: { url: string }) => {
      const socket = await RawSocket.accepted(where, token);
      const ids = ["1", "2", "3"];
      for (const id of ids) await socket.subscribe(id, 'mutation { send(roomId: "0", text: "hi") { id } }');
      while (socket.heard.filter(({ type }) => type === "complete").length < ids.length) await socket.next();
      return socket.heard.flatMap(({ payload }) => payload?.errors ?? []).map(({ extensions }) => extensions.code);
    };
    expect(await codes(strict)).toContain("RATE_LIMITED");
    expect(await codes(server)).toEqual([]);
  });
});

describe("subscriptions of a socket", () => {
  it("[LIMIT2] are limited in number; an excess one is refused, the others continue, an end makes room", async () => {
    const few = await ownServer(redis.url, { subscriptionsPerSocket: 3 });
    const alice = await TestClient.register(few, "alice");
    const socket = await RawSocket.accepted(few, alice.token);
    const follow = `subscription { messageAdded(after: "${await alice.position()}") { text } }`;
    await alice.send("so that it is known when they follow");
    const heardBy = async () => [await socket.next(), await socket.next(), await socket.next()].map(({ id }) => id).sort();
    for (const id of ["1", "2", "3"]) await socket.subscribe(id, follow);
    expect(await heardBy()).toEqual(["1", "2", "3"]);
    await socket.subscribe("4", follow);
    expect(await socket.next()).toMatchObject({
      id: "4",
      payload: { errors: [{ extensions: { code: "TOO_MANY_SUBSCRIPTIONS", retryable: false } }] },
    });
    expect(await socket.next()).toEqual({ id: "4", type: "complete" });
    await socket.subscribe("5", "subscription { messageAdded { nothing } }"); // invalid, so not counted
    expect(await socket.codes("5")).toEqual(["GRAPHQL_VALIDATION_FAILED"]);
    await socket.subscribe("6", "{ me { id } }"); // not a subscription
    expect(await socket.codes("6")).toEqual([]);

    await socket.say({ id: "2", type: "complete" });
    await socket.subscribe("7", follow);
    expect(await socket.next()).toMatchObject({
      id: "7",
      payload: { data: { messageAdded: { text: "so that it is known when they follow" } } },
    });
    await alice.send("to all three");
    expect(await heardBy()).toEqual(["1", "3", "7"]);
    const another = await RawSocket.accepted(few, alice.token);
    await another.subscribe("1", FOLLOW);
    await another.subscribe("2", "{ me { id } }");
    expect(await another.codes("2")).toEqual([]);
  });

  it("[LIMIT2] cost together, per event, at most as much as one query", async () => {
    const alice = await TestClient.register(server, "alice");
    const heavy = (n: number, what: string) => `subscription { messageAdded { id m${n}: room { ${what} } } }`;
    const refusedAt = async (what: string, message: string) => {
      const socket = await RawSocket.accepted(server, alice.token);
      for (let n = 0; n < 40; n++) await socket.subscribe(String(n), heavy(n, what));
      const refused = await socket.next();
      const error = { message: expect.stringContaining(message), extensions: { code: "TOO_MANY_SUBSCRIPTIONS" } };
      expect(refused.payload.errors[0]).toMatchObject(error);
      return Number(refused.id);
    };
    expect(await refusedAt("members(first: 100) { nodes { role user { id name } } }", "10000 values")).toBe(16); // about 600 each
    expect(await refusedAt("messages(last: 100) { nodes { text } }", "2000 texts")).toBe(9); // each text is read and returned
  });

  it("[LIMIT2] cover at most 10,000 rooms per user, over all sockets", async () => {
    const alice = await TestClient.register(server, "alice");
    const rooms = Array.from({ length: 4_000 }, (_, n) => `${alice.id}:${100_000 + n}`);
    await redis.client.sadd(`user:${alice.id}:rooms`, ...rooms);
    const sockets = [await RawSocket.accepted(server, alice.token), await RawSocket.accepted(server, alice.token)] as const;
    const refused = { errors: [{ message: expect.stringContaining("10000 rooms"), extensions: { code: "TOO_MANY_SUBSCRIPTIONS" } }] };
    const position = await alice.position();
    await alice.send("to both");
    for (const socket of sockets) await socket.subscribe("1", `subscription { messageAdded(after: "${position}") { text } }`);
    for (const socket of sockets) expect(await socket.next()).toMatchObject({ id: "1", type: "next" });
    await sockets[0].subscribe("2", "subscription { roomEvents { position } }");
    expect(await sockets[0].next()).toMatchObject({ id: "2", payload: refused });
    expect(await sockets[0].next()).toEqual({ id: "2", type: "complete" });

    // A subscription to one room counts as one room, and an ended subscription makes room for others.
    await sockets[0].subscribe("3", `subscription { messageAdded(roomId: "0", after: "${position}") { text } }`);
    await sockets[1].say({ id: "1", type: "complete" });
    expect(await sockets[0].next()).toMatchObject({ id: "3", type: "next" });
    await sockets[0].subscribe("4", `subscription { messageAdded(after: "${position}") { text } }`);
    expect(await sockets[0].next()).toMatchObject({ id: "4", type: "next" });
  });

  it("[LIMIT2] together have variables of at most the size of a frame", async () => {
    const alice = await TestClient.register(server, "alice");
    const socket = await RawSocket.accepted(server, alice.token);
    const query = "subscription ($after: [String!]) { messageAdded(after: $after) { text } }";
    const subscribe = (id: string, variables: object) => socket.say({ id, type: "subscribe", payload: { query, variables } });
    for (const id of ["1", "2", "3"]) await subscribe(id, { unused: "x".repeat(30_000) });
    expect(await socket.next()).toMatchObject({ id: "3", payload: { errors: [{ extensions: { code: "TOO_MANY_SUBSCRIPTIONS" } }] } });
    expect(await socket.next()).toEqual({ id: "3", type: "complete" });
    const long = Buffer.from(`${"a".repeat(2_000)}.1.1.0`).toString("base64url"); // has a position's form, but is invalid
    await subscribe("4", { after: [long] });
    const error = { extensions: { code: "BAD_USER_INPUT", argument: "after" } };
    expect(await socket.next()).toMatchObject({ id: "4", payload: { errors: [error] } });
  });

  it("[LIMIT2] together have at most 16,384 characters of distinct documents", async () => {
    const alice = await TestClient.register(server, "alice");
    const socket = await RawSocket.accepted(server, alice.token);
    const long = (n: number) => `subscription { messageAdded { text } } query q${n} { me { id } } # ${"x".repeat(5_000)}`;
    for (const [id, n] of [1, 2, 3, 1, 2, 3, 4].entries()) {
      await socket.say({
        id: String(id),
        type: "subscribe",
        payload: { query: long(n).replace("subscription", "subscription s"), operationName: "s" },
      });
    }
    expect(await socket.next()).toMatchObject({ id: "6", payload: { errors: [{ extensions: { code: "TOO_MANY_SUBSCRIPTIONS" } }] } });
  });
});

describe("open sockets", () => {
  it("[LIMIT3] are limited per user and server: an excess one gets 1013, and can return after a close", async () => {
    const few = await ownServer(redis.url, { socketsPerUser: 2 });
    const alice = await TestClient.register(few, "alice");
    const first = await RawSocket.accepted(few, alice.token);
    await RawSocket.accepted(few, alice.token);
    const third = new RawSocket(few);
    await third.say({ type: "connection_init", payload: { authorization: alice.token } });
    expect(await third.closed).toEqual({ code: 1013, reason: expect.stringContaining("2 connections") });
    const bob = await TestClient.register(few, "bob");
    await RawSocket.accepted(few, bob.token);
    await RawSocket.accepted(few); // sockets without a session count for no user

    first.socket.close();
    await first.closed;
    await expect.poll(() => RawSocket.accepted(few, alice.token).catch(() => undefined)).toBeDefined();
  });

  it("[LIMIT3] that no longer answer make room for the user's new ones, longest silent first", async () => {
    const few = await ownServer(redis.url, { socketsPerUser: 3 });
    const alice = await TestClient.register(few, "alice");
    const deaf = { autoPong: false };
    const first = await RawSocket.accepted(few, alice.token, deaf);
    const alive = await RawSocket.accepted(few, alice.token);
    const second = await RawSocket.accepted(few, alice.token, deaf);
    const closed: string[] = [];
    for (const [name, { closed: end }] of Object.entries({ first, alive, second })) void end.then(() => closed.push(name));

    await RawSocket.accepted(few, alice.token);
    expect((await first.closed).code).toBe(1013);
    await RawSocket.accepted(few, alice.token);
    await second.closed;
    expect(closed).toEqual(["first", "second"]);
    await expect(RawSocket.accepted(few, alice.token)).rejects.toThrow("1013 This user has 3 connections open");
    await alive.subscribe("1", "{ me { id } }");
    expect(await alive.codes("1")).toEqual([]);
  });

  it("[LIMIT3] are limited per address, which only the proxy in front determines", async () => {
    const few = await ownServer(redis.url, { socketsPerAddress: 2, proxies: 1 });
    const from = (...hops: string[]) => ({ headers: { "x-forwarded-for": hops.join(", ") } });
    const first = await RawSocket.accepted(few, undefined, from("203.0.113.7"));
    await RawSocket.accepted(few, undefined, from("198.51.100.1", "203.0.113.7"));
    const third = new RawSocket(few, from("198.51.100.2", "203.0.113.7"));
    const [, response] = (await once(third.socket, "unexpected-response")) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(429);
    await RawSocket.accepted(few, undefined, from("203.0.113.7", "203.0.113.8"));

    // Failed upgrades do not count.
    for (let n = 0; n < 5; n++) {
      const broken = connect(Number(new URL(few.url).port), "127.0.0.1");
      broken.write(
        "GET /graphql HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      );
      await once(broken.resume(), "close");
    }
    await RawSocket.accepted(few, undefined, from("203.0.113.9"));
    first.socket.close();
    await expect.poll(() => RawSocket.accepted(few, undefined, from("203.0.113.7")).catch(() => undefined)).toBeDefined();
  });

  it.each([
    ["127.0.0.1", undefined, 0, undefined],
    ["::1", "203.0.113.7", 0, "0:0:0:0"],
    ["127.0.0.1", "203.0.113.7", 0, "127.0.0.1"],
    ["127.0.0.1", undefined, 1, undefined],
    ["127.0.0.1", "203.0.113.7", 1, "203.0.113.7"],
    ["127.0.0.1", "203.0.113.7", 2, "127.0.0.1"],
    ["::ffff:127.0.0.1", undefined, 0, undefined],
    ["203.0.113.7", "198.51.100.1", 0, "203.0.113.7"],
    ["::ffff:203.0.113.7", undefined, 0, "203.0.113.7"],
    ["10.0.0.1", "198.51.100.1, 203.0.113.7", 1, "203.0.113.7"],
    ["10.0.0.1", "198.51.100.1, 203.0.113.7", 2, "198.51.100.1"],
    ["10.0.0.1", "198.51.100.1", 2, "10.0.0.1"],
    ["10.0.0.1", "203.0.113.7:4711", 1, "203.0.113.7"],
    ["10.0.0.1", "__proto__", 1, "10.0.0.1"],
    ["2001:db8::1", undefined, 0, "2001:db8:0:0"],
    ["2001:db8:0:0:ffff::2", undefined, 0, "2001:db8:0:0"],
    ["10.0.0.1", "[2001:DB8::9]:443", 1, "2001:db8:0:0"],
    ["fe80::1%eth0", undefined, 0, "fe80:0:0:0"],
    ["::2", undefined, 0, "0:0:0:0"],
  ])("[LIMIT3] from peer %s, with X-Forwarded-For %s and %i proxies, count for %s", (remoteAddress, forwarded, proxies, expected) => {
    const request = { socket: { remoteAddress }, headers: { "x-forwarded-for": forwarded } };
    expect(clientAddress(request as unknown as IncomingMessage, proxies)).toBe(expected);
  });

  it("[LIMIT3] through a proxy that PROXIES omits are limited, with one warning that says what to set", async () => {
    const { log, warnings } = recordedLog();
    const few = await ownServer(redis.url, { socketsPerAddress: 1, rateLimits: true }, log);
    await RawSocket.accepted(few);
    await RawSocket.accepted(few); // the machine's own programs have no limit
    expect(warnings()).toEqual([]);
    for (const header of ["x-forwarded-for", "forwarded", "x-real-ip"]) {
      const behind = { headers: { [header]: "for=203.0.113.7" } };
      const one = await RawSocket.accepted(few, undefined, behind);
      await expect(RawSocket.accepted(few, undefined, behind)).rejects.toThrow();
      one.socket.close();
      await one.closed;
      await fetch(`${few.url}/graphql?query={server{name}}`, behind);
    }
    expect(warnings()).toEqual([expect.stringMatching(/PROXIES is not set.*Set PROXIES to/)]);
  });

  it("[LIMIT3] are counted by a quota that forgets keys with a count of zero", () => {
    const quota = new Quota(1);
    expect([quota.take("__proto__"), quota.take("__proto__"), quota.take("constructor")]).toEqual([true, false, true]);
    quota.release("__proto__");
    expect(quota.take("__proto__")).toBe(true);
  });
});

/** Asks Linux whether a connection is established, because a client that does not read cannot tell. False on other systems. */
function isEstablished(serverPort: number, clientPort: number): boolean {
  if (process.platform !== "linux") return false;
  const [server, client] = [serverPort, clientPort].map((port) => `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`);
  return readFileSync("/proc/net/tcp", "utf8").includes(`${server} ${client} 01`); // https://docs.kernel.org/networking/proc_net_tcp.html
}

describe("a silent or slow connection", () => {
  // No headers, trickling headers, a missing body, an unread answer, no connection_init, no answer to a close frame.
  it("[LIMIT4] is closed, at whatever stage it stalls", async () => {
    const port = Number(new URL(server.url).port);
    const ends = async (begin: string, trickle?: string) => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {}); // the server may reset the connection
      socket.write(begin);
      const timer = trickle === undefined ? undefined : setInterval(() => socket.write(trickle), 500);
      await once(socket.resume(), "close");
      clearInterval(timer);
    };
    const head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    const deaf = connect(port, "127.0.0.1"); // requests a large page, and does not read it
    await once(deaf, "connect");
    deaf.pause().write("GET /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n");
    const silent = new RawSocket(server);
    const rude = new RawSocket(server);
    await rude.say("nonsense");
    rude.socket.pause(); // so it never answers the close frame
    await Promise.all([
      ends(""),
      ends(head, "X-Slow: yes\r\n"),
      ends(`${head}Content-Length: 1000\r\n\r\n{`, " "),
      expect(silent.closed).resolves.toMatchObject({ code: 4408 }),
      expect.poll(async () => (await fetch(`${server.url}/metrics`)).text()).toMatch(/^palaver_sockets 0$/m),
      expect.poll(() => isEstablished(port, deaf.localPort ?? 0), { timeout: 50_000, interval: 500 }).toBe(false),
    ]);
    deaf.destroy();
  });

  it("[LIMIT4] is destroyed after a refusal, even if the client does not close its end", async () => {
    const own = await ownServer(redis.url);
    const stubborn = connect({ port: Number(new URL(own.url).port), host: "127.0.0.1", allowHalfOpen: true });
    stubborn.on("error", () => {}); // the server resets the connection, as the test expects
    stubborn.write("GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    await once(stubborn.resume(), "end");
    await expect
      .poll(() => {
        stubborn.write("x"); // fails once the server has destroyed the connection
        return stubborn.destroyed;
      })
      .toBe(true);
  });
});

describe("the size of an operation", () => {
  const nested = (depth: number): string => (depth === 0 ? "id" : `room { lastMessage { ${nested(depth - 1)} } }`);
  const message = (depth: number) => `{ messages(roomId: "0", last: 1) { nodes { ${nested(depth)} } } }`;
  const login = 'login(username: "x", password: "y") { token }';

  it.each([
    ["a document of more than 1,000 tokens", `{ me { ${"id ".repeat(1_000)} } }`, "GRAPHQL_PARSE_FAILED"],
    ["fields more than 20 deep", message(9), "QUERY_TOO_COMPLEX"],
    [
      "fields more than 20 deep in a fragment",
      `${message(8).replace("id", "...f")} fragment f on Message { ${nested(1)} }`,
      "QUERY_TOO_COMPLEX",
    ],
    ["21 writes", `mutation { ${Array.from({ length: 21 }, (_, n) => `a${n}: ${login}`).join(" ")} }`, "QUERY_TOO_COMPLEX"],
    [
      "many pages",
      `{ ${Array.from({ length: 20 }, (_, n) => `u${n}: users(first: 100) { nodes { id name username online } }`).join(" ")} }`,
      "QUERY_TOO_COMPLEX",
    ],
    ["directives", `{ me { id ${"@a ".repeat(400)} } }`, "GRAPHQL_VALIDATION_FAILED"],
    ["circular fragments", "{ me { ...a } } fragment a on User { ...b } fragment b on User { ...a }", "GRAPHQL_VALIDATION_FAILED"],
  ])("[LIMIT5] is bounded, with the same code on both transports: %s", async (_what, query, code) => {
    const alice = await TestClient.register(server, "alice");
    const { errors } = await alice.request(query);
    const socket = await RawSocket.accepted(server, alice.token);
    await socket.subscribe("1", query);
    const codes = await socket.codes("1");
    expect(new Set(codes)).toEqual(new Set([code]));
    expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(new Set([code]));
    await socket.subscribe("2", message(8)); // 20 deep is allowed, and the socket still works
    expect(await socket.codes("2")).toEqual([]);
  });

  const times = (count: number, field: string) => `{ ${Array.from({ length: count }, (_, n) => `a${n}: ${field}`).join(" ")} }`;

  it.each([
    ["the end of a list", `{ users(last: 100) { nodes ${times(95, "id")} } }`],
    [
      "the members of a group, even if few are returned",
      '{ messages(roomId: "0", last: 100) { nodes { room { members(first: 0) { totalCount } } } } }',
    ],
    [
      "fields next to an empty page of messages",
      `{ messages(roomId: "0", last: 100) { nodes { room ${times(3, "messages(first: 0) { position }")} } } }`,
    ],
    ["the schema", times(6, "__schema { types { name } }")],
    ["searches", times(20, 'users(search: "a", first: 0) { totalCount }')],
    ["all online users", times(10, "onlineUsers(first: null) { id }")],
    ["created groups", `mutation ${times(10, 'createRoom(name: "g") { id }')}`],
    ["texts searched for mentions", `{ messages(roomId: "0", last: 100) { nodes ${times(5, "mentionRanges { start }")} } }`],
  ])("[LIMIT5] is charged for lookups: %s", async (_what, query) => {
    const alice = await TestClient.register(server, "alice");
    expect((await alice.refused(query)).extensions).toEqual({ code: "QUERY_TOO_COMPLEX", retryable: false });
  });

  it("[LIMIT5] is charged by the viewer's actual number of rooms", async () => {
    const alice = await TestClient.register(server, "alice");
    const pages =
      "{ rooms { nodes { messages(last: 50) { nodes { text sentAt from { name } } } members(first: 50) { nodes { user { name } } } } } }";
    const mentions = times(4, "mentions(first: 0) { pageInfo { hasNextPage } }");
    expect((await alice.ask(pages)).rooms.nodes).toHaveLength(1);
    await alice.ask(mentions);
    const others = Array.from({ length: 2_000 }, (_, n) => `${alice.id}:${Number(alice.id) + n + 1}`);
    await redis.client.sadd(`user:${alice.id}:rooms`, ...others);
    for (const query of [pages, mentions]) expect((await alice.refused(query)).extensions.code).toBe("QUERY_TOO_COMPLEX");
    await alice.ask(times(1, "mentions(first: 0) { pageInfo { hasNextPage } }"));
  });

  it("[LIMIT5] is limited to 20 uses of a field in one place", async () => {
    const alice = await TestClient.register(server, "alice");
    await alice.ask(`{ ${"me { id } ".repeat(20)} }`);
    const { message, extensions } = await alice.refused(`{ ${"me { id } ".repeat(21)} }`);
    expect({ message, code: extensions.code }).toEqual({
      message: expect.stringContaining("me appears more than 20 times"),
      code: "GRAPHQL_VALIDATION_FAILED",
    });
  });

  it("[LIMIT5] is limited to 60 fragments", async () => {
    const using = (count: number) => {
      const names = Array.from({ length: count }, (_, n) => `f${n}`);
      return `{ me { ${names.map((name) => `...${name}`).join(" ")} } } ${names.map((name) => `fragment ${name} on User { id }`).join(" ")}`;
    };
    const alice = await TestClient.register(server, "alice");
    expect((await alice.request(using(60))).errors).toBeUndefined();
    expect(await alice.refused(using(61))).toMatchObject({
      message: expect.stringContaining("more than 60 fragments"),
      extensions: { code: "GRAPHQL_VALIDATION_FAILED" },
    });
  });

  it("[LIMIT5] gets at most ten errors for one document, and one that says so", async () => {
    const alice = await TestClient.register(server, "alice");
    const { errors } = await alice.request(`{ me { ${Array.from({ length: 30 }, (_, n) => `no${n}`).join(" ")} } }`);
    expect(errors).toHaveLength(11);
    expect(errors?.at(-1)).toMatchObject({
      message: expect.stringContaining("Too many validation errors"),
      extensions: { code: "GRAPHQL_VALIDATION_FAILED", retryable: false },
    });
  });

  it("[LIMIT5] is bounded by the actual length of lists that take no length argument", async () => {
    const alice = await TestClient.register(server, "alice");
    const { id } = await alice.send("liked by many");
    const liked = [...Array(20).keys()].map((n) => [
      String.fromCodePoint(0x1f600 + n),
      100,
      Array.from({ length: 100 }, (_, m) => String(m + 1)),
    ]);
    await redis.client.hset("reactions:{room:0}", id, JSON.stringify(liked));
    const users = (count: number) => `{ message(id: "${id}") { reactions ${times(count, "users { id }")} } }`;
    expect((await alice.request(users(10))).errors).toBeUndefined();
    expect((await alice.request(users(11))).errors?.[0]).toMatchObject({ extensions: { code: "QUERY_TOO_COMPLEX" } });
  });
});
