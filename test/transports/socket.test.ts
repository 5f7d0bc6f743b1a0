import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { TestClient } from "../helpers/client.js";
import { RawSocket } from "../helpers/raw-socket.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";
import { openSocket } from "../helpers/socket.js";

const redis = await ownRedis();
const server = await ownServer(redis.url, { allowedOrigins: ["https://chat.example"] });
const alice = await TestClient.register(server, "alice");

const open = (headers?: Record<string, string>, protocol?: string) => openSocket(server, headers, protocol);

async function accepted(authorization?: string, key = "authorization") {
  const connection = open();
  await connection.say({ type: "connection_init", payload: authorization === undefined ? {} : { [key]: authorization } });
  expect(await connection.next()).toEqual({ type: "connection_ack" });
  return connection;
}

describe("GraphQL over WebSockets", () => {
  it("[WS1] runs all operation types on one socket, with the session of its connectionParams", async () => {
    const { say, next } = await accepted(`Bearer ${alice.token}`);
    await say({ id: "1", type: "subscribe", payload: { query: "{ me { id } }" } });
    expect(await next()).toEqual({ id: "1", type: "next", payload: { data: { me: { id: alice.id } } } });
    expect(await next()).toEqual({ id: "1", type: "complete" });
    const after = [await alice.position()];
    await say({
      id: "2",
      type: "subscribe",
      payload: { query: "subscription ($after: [String!]) { messageAdded(after: $after) { text } }", variables: { after } },
    });
    await say({ id: "3", type: "subscribe", payload: { query: 'mutation { send(roomId: "0", text: "over the socket") { text } }' } });
    const frames = [await next(), await next(), await next()];
    expect(frames).toEqual(
      expect.arrayContaining([
        { id: "2", type: "next", payload: { data: { messageAdded: { text: "over the socket" } } } },
        { id: "3", type: "next", payload: { data: { send: { text: "over the socket" } } } },
        { id: "3", type: "complete" },
      ]),
    );
    await say({ id: "2", type: "complete" });
    await say({ type: "ping" });
    expect(await next()).toEqual({ type: "pong" });
    await expect.poll(() => redis.client.call("PUBSUB", "SHARDNUMSUB", "room:0")).toEqual(["room:0", 0]);
  });

  it.each(["authorization", "Authorization", "AUTHORIZATION"])("[WS1] accepts the key %s, as users type it in GraphiQL", async (key) => {
    const { say, next } = await accepted(`Bearer ${alice.token}`, key);
    await say({ id: "1", type: "subscribe", payload: { query: "{ me { id } }" } });
    expect(await next()).toMatchObject({ payload: { data: { me: { id: alice.id } } } });
  });

  const token = alice.token as string;
  it.each([
    ["authorization: Bearer", { authorization: `Bearer ${token}` }],
    ["authorization", { authorization: token }],
    ["token", { token }],
    ["Token: Bearer", { Token: `bearer ${token}` }],
    ["headers.Authorization", { headers: { Authorization: `Bearer ${token}` } }],
    ["headers.authorization", { Headers: { authorization: token }, authorization: "" }],
  ])("[S11] accepts a token in connectionParams.%s", async (_where, payload) => {
    const socket = new RawSocket(server, { headers: { authorization: "Bearer x" } }); // the params take precedence
    await socket.say({ type: "connection_init", payload });
    expect(await socket.next()).toEqual({ type: "connection_ack" });
    await socket.subscribe("1", "{ me { id } }");
    expect((await socket.answer("1"))[0]?.payload.data).toEqual({ me: { id: alice.id } });
  });

  it.each([[undefined], [null], [{}], [{ authorization: null }], [{ authorization: "", token: null, headers: {} }]])(
    "[S11] accepts a token in the header of the upgrade, with the params %j",
    async (payload) => {
      const socket = new RawSocket(server, { headers: { authorization: `Bearer ${token}` } });
      await socket.say({ type: "connection_init", payload });
      expect(await socket.next()).toEqual({ type: "connection_ack" });
      await socket.subscribe("1", "{ me { id } }");
      expect((await socket.answer("1"))[0]?.payload.data).toEqual({ me: { id: alice.id } });
    },
  );

  it.each([
    ["authToken", { authToken: token }],
    ["access_token", { access_token: "anything" }],
    ["an unknown name", { me: token }],
    ["an unknown header in headers", { headers: { "x-auth-token": token } }],
    ["authorization, as a list", { authorization: [token] }],
    ["authorization, as Basic", { authorization: "Basic dTpw" }],
    ["authorization, without a token", { authorization: "Bearer " }],
    ["authorization, unknown", { authorization: `Bearer 1.${"A".repeat(43)}` }],
    ["token, of another server", { token: "eyJhbGciOi.eyJzdWIiOi.c2ln" }],
  ])("[S11] closes the socket with 4403 and a sentence for an invalid credential: %s", async (_what, payload) => {
    const socket = new RawSocket(server);
    await socket.say({ type: "connection_init", payload });
    expect(await socket.closed).toEqual({ code: 4403, reason: expect.stringMatching(/Bearer TOKEN|Log in again/) });
  });

  it.each([
    ["the address", `/graphql?token=${token}`, {}],
    ["another header", "/graphql", { "x-auth-token": token }],
    ["a header as Basic", "/graphql", { authorization: "Basic dTpw" }],
    ["a header, unknown", "/graphql", { authorization: `Bearer 1.${"A".repeat(43)}` }],
  ])("[S11] closes an upgrade with a credential in %s with 4403 and a sentence", async (_where, path, headers) => {
    const socket = new WebSocket(server.url.replace("http", "ws") + path, "graphql-transport-ws", { headers });
    await once(socket, "open");
    socket.send('{"type":"connection_init"}');
    const [code, reason] = await once(socket, "close");
    expect([code, String(reason)]).toEqual([4403, expect.stringMatching(/Bearer TOKEN|Log in again/)]);
  });

  it("[S11] refuses an operation with an invalid credential of its own, unless it needs no session", async () => {
    const socket = await RawSocket.accepted(server, token);
    const ask = async (query: string, headers: object) => {
      await socket.say({ id: "1", type: "subscribe", payload: { query, extensions: { headers } } });
      return (await socket.answer("1"))[0]?.payload;
    };
    for (const headers of [{ Authorization: `Bearer 1.${"A".repeat(43)}` }, { Authorization: "Basic dTpw" }, { token }]) {
      const { errors } = await ask("{ me { id } }", headers);
      expect(errors).toMatchObject([
        { message: expect.stringMatching(/Bearer TOKEN|Log in again/), extensions: { code: "UNAUTHENTICATED" } },
      ]);
      expect((await ask('mutation { joinAsGuest(name: "Gus") { user { guest } } }', headers)).data).toBeDefined();
    }
  });

  it.each([["graphql-ws"], [["graphql-ws", "graphql-subscriptions"]], ["something-else"], [[]]])(
    "[WS5] closes a client that only speaks %j at once, with a reason that names the right protocol",
    async (protocols) => {
      const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, protocols);
      const closed = once(socket, "close");
      await once(socket, "open");
      const [code, reason] = await closed;
      expect([code, String(reason)]).toEqual([4406, expect.stringContaining("graphql-transport-ws")]);
      const both = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, ["graphql-ws", "graphql-transport-ws"]);
      await once(both, "open");
      expect(both.protocol).toBe("graphql-transport-ws");
      both.terminate();
    },
  );

  it("[WS2] answers an invalid operation with an error frame, and keeps the socket open", async () => {
    const { say, next } = await accepted();
    const error = (id: string, code: string) => ({
      id,
      type: "error",
      payload: [expect.objectContaining({ extensions: { code, retryable: false } })],
    });
    await say({ id: "1", type: "subscribe", payload: { query: "{ me {" } });
    expect(await next()).toEqual(error("1", "GRAPHQL_PARSE_FAILED"));
    await say({ id: "2", type: "subscribe", payload: { query: "{ you }" } });
    expect(await next()).toEqual(error("2", "GRAPHQL_VALIDATION_FAILED"));
    await say({ id: "3", type: "subscribe", payload: { query: "query A { me { id } }", operationName: "B" } });
    expect(await next()).toEqual(error("3", "OPERATION_RESOLUTION_FAILURE"));
    await say({ id: "4", type: "subscribe", payload: { query: "query ($id: ID!) { room(id: $id) { id } }" } });
    expect(await next()).toMatchObject({
      id: "4",
      type: "next",
      payload: { errors: [{ extensions: { code: "BAD_USER_INPUT", retryable: false } }] },
    });
    expect(await next()).toEqual({ id: "4", type: "complete" });
    await say({ id: "5", type: "subscribe", payload: { query: "{ rooms { nodes { id } } }" } });
    expect(await next()).toMatchObject({
      id: "5",
      payload: { data: { rooms: null }, errors: [{ extensions: { code: "UNAUTHENTICATED" } }] },
    });
    expect(await next()).toEqual({ id: "5", type: "complete" });
    await say({ id: "6", type: "subscribe", payload: { query: "{ server { name } }" } });
    expect(await next()).toMatchObject({ id: "6", payload: { data: { server: { name: "palaver" } } } });
  });

  it.each([
    ["invalid JSON", "no JSON", 4400],
    ["an unknown frame", { type: "dance" }, 4400],
    ["a subscription before the connection is accepted", { id: "1", type: "subscribe", payload: { query: "{ me { id } }" } }, 4401],
    ["a frame over 64 KiB", { type: "ping", payload: { x: "x".repeat(66_000) } }, 1009],
    ["a forged token", { type: "connection_init", payload: { authorization: `Bearer 1.${"A".repeat(43)}` } }, 4403],
  ])("[WS3] closes the socket with a specific code for %s", async (_what, frame, code) => {
    const { say, closed } = open();
    await say(frame);
    expect(await closed).toBe(code);
  });

  it("[WS3] closes the socket for a second connection_init and for an id in use", async () => {
    const twice = await accepted();
    await twice.say({ type: "connection_init" });
    expect(await twice.closed).toBe(4429);
    const { say, closed } = await accepted(`Bearer ${alice.token}`);
    const subscription = { id: "same", type: "subscribe", payload: { query: "subscription { messageAdded { text } }" } };
    await say(subscription);
    await say(subscription);
    expect(await closed).toBe(4409);
  });

  it("[WS3] closes the socket for the id of an operation that still starts, and leaves nothing behind", async () => {
    const { say, closed } = await accepted(`Bearer ${alice.token}`);
    const subscription = { id: "1", type: "subscribe", payload: { query: "subscription { messageAdded { text } }" } };
    for (const frame of [subscription, { id: "1", type: "complete" }, subscription, subscription]) await say(frame);
    expect(await closed).toBe(4409);
    await expect
      .poll(async () => (await (await fetch(`${server.url}/metrics`)).text()).match(/palaver_followed_rooms (\d+)/)?.[1])
      .toBe("0");
  });

  it("[SEC3] keeps running when clients abort upgrades", async () => {
    const { port } = new URL(server.url);
    for (let n = 0; n < 40; n++) {
      const socket = connect(Number(port), "127.0.0.1");
      socket.on("error", () => {}); // the server may close first
      await once(socket, "connect");
      socket.write(
        `GET /${n % 2 ? "graphql" : "nowhere"} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n`,
      );
      socket.resetAndDestroy();
      await once(socket, "close");
    }
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  it("[WS4] does not run an operation after the session's end, and closes the socket with 4403", async () => {
    const leaver = await TestClient.register(server, "leaver");
    const { say, closed } = await accepted(`Bearer ${leaver.token}`);
    await leaver.ask("mutation { logout }");
    await say({ id: "1", type: "subscribe", payload: { query: 'mutation { send(roomId: "0", text: "too late") { id } }' } });
    expect(await closed).toBe(4403);
    expect((await alice.ask('{ messages(roomId: "0", last: 1) { nodes { text } } }')).messages.nodes).not.toEqual([{ text: "too late" }]);
  });

  it("[SEC1] refuses pages of other origins, unless they are allowed", async () => {
    const refused = open({ origin: "https://evil.example" });
    const [, response] = (await once(refused.socket, "unexpected-response")) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(403);
    for (const origin of ["https://chat.example", server.url]) {
      const { say, next } = open({ origin });
      await say({ type: "connection_init" });
      expect(await next()).toEqual({ type: "connection_ack" });
    }
  });

  it("[O2] asks clients to reconnect when the server stops, and does not wait for one that is mute", async () => {
    const stopping = await ownServer(redis.url);
    const stubborn = new WebSocket(`${stopping.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    const polite = new WebSocket(`${stopping.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    await Promise.all([once(stubborn, "open"), once(polite, "open")]);
    stubborn.pause();
    const goodbye = once(polite, "close");
    const stopped = Promise.all([stopping.stop(), stopping.stop()]);
    expect((await goodbye)[0]).toBe(1012);
    const ready = await fetch(`${stopping.url}/readyz`); // the server still waits for the other client
    expect([ready.status, await ready.json()]).toEqual([503, { ready: false, problems: ["The server is stopping."], warnings: [] }]);
    await stopped;
    stubborn.terminate();
    await expect(fetch(stopping.url)).rejects.toThrow();
  });

  it("[D4] stops reading from a client that does not read its answers, until it does", async () => {
    await redis.client.set("room:big:name", "Big");
    for (let n = 0; n < 25; n++) await alice.send("x".repeat(4_000), "big");
    const operations = async () => {
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      return Number(/^palaver_operations_total\{transport="websocket"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
    };
    const { say, socket } = await accepted(alice.token);
    let answered = 0;
    socket.removeAllListeners("message");
    socket.on("message", (data: Buffer) => {
      if (data.includes('"type":"complete"')) answered++;
    });

    const before = await operations();
    socket.pause();
    const count = 2_000; // 200 MB of answers
    const query = `{ messages(roomId: "big", last: 25) { nodes { text } } } # ${"x".repeat(1_000)}`; // exceeds the buffers on the way
    for (let n = 0; n < count; n++) await say({ id: String(n), type: "subscribe", payload: { query } });
    let heard = await operations();
    for (let last = 0; last < heard; heard = await operations()) {
      last = heard;
      for (let n = 0; n < 50; n++) await alice.position(); // time for the server to read more, if it does
    }
    expect(heard - before).toBeLessThan(count);
    socket.resume();
    await expect.poll(() => answered).toBe(count);
    socket.terminate();
  });
});
