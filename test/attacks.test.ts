import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { TestClient } from "./helpers/client.js";
import { eventually } from "./helpers/eventually.js";
import { measuredServer } from "./helpers/measured-server.js";
import { damage, mutate, mutateOperation } from "./helpers/mutations.js";
import { randomFrom } from "./helpers/random.js";
import { RawSocket } from "./helpers/raw-socket.js";
import { ownRedis } from "./helpers/redis.js";
import { ownServer } from "./helpers/server.js";
import { upgradeRequest, Wire, wireFrame } from "./helpers/wire.js";

/** Error lines that the server logs. An attack that causes one has found a bug. */
const failures: string[] = [];
const log = pino({ level: "error" }, { write: (line: string) => failures.push(line) });

const redis = await ownRedis();
const server = await ownServer(redis.url, { socketsPerUser: 1_000 }, log);
const mallory = await TestClient.register(server, "mallory");

/** Internals that no answer may contain. */
const INSIDE = /INTERNAL_SERVER_ERROR|node_modules|\bat [\w.<>]+ \(|ReplyError|WRONGTYPE|TypeError|RangeError/;

/** Asserts that the server answers and has logged no error. */
async function isUnharmed(): Promise<void> {
  await eventually(async () => expect(await new TestClient(server.url).ask("{ server { redis } }")).toEqual({ server: { redis: true } }));
  expect(failures.splice(0)).toEqual([]);
}

describe("other people's rooms", async () => {
  const SECRET = "the treasure is under the oak";
  const [ann, ben] = [await TestClient.register(server, "ann"), await TestClient.register(server, "ben")];
  const { openPrivateRoom: room } = await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id position } }", { id: ben.id });
  await ann.send(SECRET, room.id);
  const { messages } = await ann.ask("query ($id: ID!) { messages(roomId: $id) { position nodes { id } pageInfo { startCursor } } }", room);
  const cursor = messages.pageInfo.startCursor;
  const sides = [ann.id, ben.id];
  const names = [
    `${sides[1]}:${sides[0]}`,
    `0${room.id}`,
    ` ${room.id}`,
    `${room.id}:`,
    `${room.id}\u0000`,
    `room:${room.id}`,
    `{room:${room.id}}`,
  ];

  it.each([
    ["by id", "query ($room: ID!) { messages(roomId: $room) { nodes { text } position } }"],
    [
      "by id, as a room",
      "query ($room: ID!) { room(id: $room) { id name members: kind messages { nodes { text } } lastMessage { text } position } }",
    ],
    ["by cursor", `{ messages(roomId: "0", after: "${cursor}") { nodes { text } } }`],
    ["by cursor, backwards", `query ($room: ID!) { messages(roomId: $room, before: "${cursor}") { nodes { text } } }`],
    ["by alias", 'query ($room: ID!) { a: messages(roomId: "0") { nodes { id } } b: messages(roomId: $room) { nodes { text } } }'],
    [
      "by fragment",
      "query ($room: ID!) { ...q } fragment q on Query { ...r } fragment r on Query { x: room(id: $room) { ...on Room { lastMessage { text } } } }",
    ],
    [
      "through the viewer's own rooms",
      "{ rooms { nodes { id messages { nodes { text } } lastMessage { text room { lastMessage { text } } } } } }",
    ],
    ["by sending", 'mutation ($room: ID!) { send(roomId: $room, text: "let me in") { text room { lastMessage { text } } } }'],
    ["by opening it with a crafted user id", `mutation { openPrivateRoom(userId: "${sides[0]}:${sides[1]}") { id lastMessage { text } } }`],
  ])("[ATTACK1] cannot be read or written %s", async (_how, query) => {
    const socket = await RawSocket.accepted(server, mallory.token);
    for (const [n, id] of [room.id, ...names].entries()) {
      const answer = JSON.stringify(await mallory.request(query, { room: id }));
      await socket.subscribe(String(n), query, { room: id });
      const overSocket = JSON.stringify(await socket.answer(String(n)));
      for (const text of [answer, overSocket]) {
        expect(text).not.toContain(SECRET);
        expect(text).not.toContain(messages.position);
        expect(text).not.toMatch(INSIDE);
      }
    }
    expect((await ann.ask("query ($id: ID!) { messages(roomId: $id) { nodes { text } } }", room)).messages.nodes).toEqual([
      { text: SECRET },
    ]);
    await isUnharmed();
  });

  it("[ATTACK1] cannot be subscribed to by id, by position, or by another room's position", async () => {
    const socket = await RawSocket.accepted(server, mallory.token);
    const follow = (field: string) =>
      `subscription ($room: ID, $after: [String!]) { ${field}(roomId: $room, after: $after) { __typename } }`;
    const tries = [
      { room: room.id },
      { room: room.id, after: [messages.position] },
      { after: [room.position] },
      { after: [messages.position] },
      { room: "0", after: [messages.position] },
      { room: "0", after: [await mallory.position(), messages.position] },
      { after: [cursor] },
      ...names.map((name) => ({ room: name })),
    ];
    for (const [n, variables] of tries.entries()) {
      for (const field of ["messageAdded", "roomEvents"]) {
        const id = `${field} ${n}`;
        await socket.subscribe(id, follow(field), variables);
        expect(await socket.codes(id)).toEqual([expect.stringMatching(/^(NOT_A_MEMBER|NOT_FOUND|BAD_USER_INPUT)$/)]);
      }
    }
    await socket.subscribe("all", follow("messageAdded"), {});
    await ben.send(`${SECRET}, still`, room.id);
    await ben.send("marker");
    expect(await socket.next()).toMatchObject({ id: "all", payload: { data: { messageAdded: { __typename: "Message" } } } });
    await socket.subscribe("none", "{ me { id } }");
    expect((await socket.answer("none")).length).toBe(2); // and no event of the room came in between
    expect(socket.heard.filter(({ id }) => id === "all")).toHaveLength(1);
    await isUnharmed();
  });

  it("[ATTACK1] do not leak viewer-specific fields through frames that viewers share", async () => {
    const email = "ann@private.example";
    await redis.client.hset(`user:${ann.id}`, "email", email);
    const query = `subscription ($after: [String!], $mail: Boolean = true) {
      roomEvents(after: $after) { ...event ...on MessageAdded { message { who: from { ...person } where: room { ...place } } } }
    }
    fragment event on RoomEvent { at ... on MessageAdded { message { text from { id @skip(if: $mail) ... on User @include(if: $mail) { e: email } } } } }
    fragment person on User { id ...mail } fragment mail on User { email }
    fragment place on Room { title: name messages(last: 1) { nodes { from { email } } } }`;
    const after = [messages.position];
    const [toAnn, toBen] = [ann.subscribe(query, { after }), ben.subscribe(query, { after })];
    const text = "who sees my address?";
    await ann.send(text, room.id);
    const event = async (stream: typeof toAnn) => {
      for (;;) {
        const value = await stream.next();
        if (value.message.text === text) return value.message;
      }
    };
    const [seenByAnn, seenByBen] = [await event(toAnn), await event(toBen)];
    expect(seenByAnn).toMatchObject({ from: { e: email }, who: { email }, where: { title: ben.username } });
    expect(seenByBen).toMatchObject({ from: { e: null }, who: { email: null }, where: { title: ann.username } });
    expect(JSON.stringify(seenByBen)).not.toContain(email);
  });
});

describe("tokens", () => {
  const [id, random] = (mallory.token as string).split(".") as [string, string];
  const forged = [
    `${Number(id) + 1}.${random}`,
    `${id}.${"A".repeat(43)}`,
    `${id}.${random}A`,
    `${id}.${random.slice(1)}`,
    `0${id}.${random}`,
    `+${id}.${random}`,
    `${id}.${random}\u0000`,
    `__proto__.${random}`,
    `${id}:1.${random}`,
    `${id}}.${random}`,
    random,
    `${id}.${"A".repeat(30_000)}`,
    "💬",
  ];

  it.each(forged.map((token, n) => [n, token]))("[ATTACK2] are refused when forged: %i", async (_n, token) => {
    const socket = new RawSocket(server);
    await socket.say({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });
    expect((await socket.closed).code).toBe(4403);
    const tab = await RawSocket.accepted(server, mallory.token);
    await tab.say({
      id: "1",
      type: "subscribe",
      payload: { query: "{ rooms { nodes { id } } }", extensions: { headers: { authorization: token } } },
    });
    expect(await tab.codes("1")).toEqual(["UNAUTHENTICATED"]);
    if (/^[\x20-\x7e]{1,10000}$/.test(token as string)) {
      expect((await new TestClient(server.url, token as string).refused("{ rooms { nodes { id } } }")).extensions.code).toBe(
        "UNAUTHENTICATED",
      );
    }
  });

  it.each([[null], [1], [true], [[]], [["Bearer x"]], [{ toString: "x" }], [""], [" "], ["Bearer"], ["Bearer "]])(
    "[ATTACK2] count as missing or are refused when they are not tokens: %j",
    async (authorization) => {
      const socket = new RawSocket(server);
      await socket.say({ type: "connection_init", payload: { authorization, __proto__: { authorization: mallory.token } } });
      const answer = await Promise.race([socket.next(), socket.closed]).catch(() => ({ code: 4403 }));
      if ("code" in answer) return expect(answer.code).toBe(4403);
      await socket.subscribe("1", "{ me { id } rooms { nodes { id } } }");
      expect(await socket.codes("1")).toEqual(["UNAUTHENTICATED"]);
    },
  );
});

describe("frames", () => {
  const init = JSON.stringify({ type: "connection_init", payload: {} });
  const ping = JSON.stringify({ type: "ping" });

  it.each([
    ["invalid UTF-8", wireFrame(Buffer.from([0xff, 0xfe, 0x22])), 1007],
    ["random binary data", wireFrame(Buffer.from([0, 1, 2, 255]), { opcode: 2 }), 4400],
    ["an empty text", wireFrame(""), 4400],
    ["a frame without a mask", wireFrame(ping, { masked: false }), 1002],
    ["a reserved bit", wireFrame(ping, { reserved: 4 }), 1002],
    ["an unknown opcode", wireFrame(ping, { opcode: 5 }), 1002],
    ["a continuation without a start", wireFrame(ping, { opcode: 0 }), 1002],
    ["a fragmented ping", wireFrame("x", { opcode: 9, last: false }), 1002],
    ["an oversized ping", wireFrame("x".repeat(126), { opcode: 9 }), 1002],
    ["a length beyond memory", wireFrame("x", { length: 2n ** 62n }), 1009],
    ["a length just over the limit", wireFrame("x", { length: 65_537n }), 1009],
    [
      "fragments that exceed the limit together",
      Buffer.concat(
        [...Array(40)].map((_, n) => wireFrame("x".repeat(2_000), { opcode: (n && 0) || 1, last: false }).fill(n ? 0 : 1, 0, 1)),
      ),
      1009,
    ],
    [
      "two thousand fragments",
      Buffer.concat([wireFrame("{", { last: false }), ...[...Array(2_000)].map(() => wireFrame(" ", { opcode: 0, last: false }))]),
      1008,
    ],
    ["a close frame with an invalid code", wireFrame(Buffer.from([0, 5]), { opcode: 8 }), 1002],
  ])("[ATTACK3] close only their own connection, with the right code: %s", async (_what, bytes, code) => {
    const bystander = await RawSocket.accepted(server);
    const wire = await Wire.upgraded(server);
    wire.say(wireFrame(init));
    wire.say(bytes);
    expect(await wire.closeCode()).toBe(code);
    await bystander.subscribe("1", "{ server { name } }");
    expect(await bystander.codes("1")).toEqual([]);
    await isUnharmed();
  });

  it("[ATTACK3] are reassembled when they arrive byte by byte", async () => {
    const wire = await Wire.upgraded(server);
    for (const byte of wireFrame(init)) wire.say(Buffer.from([byte]));
    const pieces = [...ping].map((char, n) => wireFrame(char, { opcode: n === 0 ? 1 : 0, last: n === ping.length - 1 }));
    wire.say(Buffer.concat(pieces));
    await expect.poll(() => wire.heard).toContain('{"type":"pong"}');
  });

  it.each([
    ["invalid JSON", "hello", 4400],
    ["a number", "1e999", 4400],
    ["a list", "[]", 4400],
    ["null", "null", 4400],
    ["no `type`", { id: "1" }, 4400],
    ["an inherited property as type", { type: "constructor" }, 4400],
    ["an operation with no id", { type: "subscribe", payload: { query: "{ me { id } }" } }, 4400],
    ["an empty id", { id: "", type: "subscribe", payload: { query: "{ me { id } }" } }, 4400],
    ["an id that is a number", { id: 1, type: "subscribe", payload: { query: "{ me { id } }" } }, 4400],
    ["no query", { id: "1", type: "subscribe", payload: {} }, 4400],
    ["variables that are a list", { id: "1", type: "subscribe", payload: { query: "{ me { id } }", variables: [] } }, 4400],
    ["a ping with 30,000 brackets", `{"type":"ping","payload":{"x":${"[".repeat(30_000)}${"]".repeat(30_000)}}}`, 4400],
    ["a second connection_init", { type: "connection_init" }, 4429],
  ])("[ATTACK3] close the socket with a protocol code when they contain %s", async (_what, frame, code) => {
    const socket = await RawSocket.accepted(server, mallory.token);
    await socket.say(frame);
    expect((await socket.closed).code).toBe(code);
    await isUnharmed();
  });

  it("[ATTACK3] run nothing before the connection is accepted or after it is closed", async () => {
    for (const first of [
      { id: "1", type: "subscribe", payload: { query: "{ me { id } }" } },
      { type: "connection_ack" },
      { id: "1", type: "next" },
    ]) {
      const socket = new RawSocket(server);
      await socket.say(first);
      expect((await socket.closed).code).toBeGreaterThanOrEqual(4400);
    }
    const socket = await RawSocket.accepted(server, mallory.token);
    for (const type of ["complete", "pong", "ping"]) await socket.say({ id: "never heard of", type });
    expect(await socket.next()).toEqual({ type: "pong" });
    const before = await mallory.position();
    await socket.say("goodbye");
    await socket.subscribe("1", 'mutation { send(roomId: "0", text: "after the end") { id } }');
    expect((await socket.closed).code).toBe(4400);
    expect(await mallory.position()).toBe(before);
    await isUnharmed();
  });
});

describe("names and values", () => {
  it.each(["__proto__", "constructor", "toString", "hasOwnProperty", " ", "\u0000", "\ud800", "💬", '"},{"id":"', "x".repeat(60_000)])(
    "[ATTACK4] accepts %j as an operation id, twice in a row",
    async (name) => {
      const socket = await RawSocket.accepted(server, mallory.token);
      for (let n = 0; n < 2; n++) {
        await socket.subscribe(name, "{ me { id } }");
        expect(await socket.answer(name.toWellFormed() === name ? name : (socket.heard.at(-1)?.id ?? name))).toHaveLength(2);
      }
      await socket.subscribe(name, "subscription { messageAdded { text } }");
      await socket.subscribe(name, "{ me { id } }");
      const { code, reason } = await socket.closed;
      expect(code).toBe(4409);
      expect(reason.length).toBeLessThanOrEqual(123);
      await isUnharmed();
    },
  );

  it.each([
    ["lone surrogates", { text: "\ud800", id: "\udfff" }],
    ["NULs", { text: "\u0000", id: "\u0000" }],
    ["built-in property names", { text: "__proto__", id: "constructor" }],
    ["numeric limits", { text: "1e999", id: "9007199254740993", first: 2_147_483_647 }],
    ["numbers beyond the limits", { text: "x", id: "99999999999999999999", first: 1e308 }],
    ["fractions", { text: "x", id: "0", first: 0.5 }],
    ["lists", { text: ["x"], id: ["0"], list: Array<string>(5_000).fill("0") }],
    ["objects", { text: { toString: "x" }, id: {}, list: [{}] }],
    ["Redis and Lua syntax", { text: "*3\r\n$7\r\nFLUSHDB\r\n", id: '0"} redis.call("FLUSHDB")', list: ["{room:0}"] }],
    ["long strings", { text: "x".repeat(60_000), id: "0".repeat(300) }],
  ])(
    "[ATTACK4] do no harm as variables on either transport: %s",
    async (_what, { text, id, first = 1, list = [] }: Record<string, unknown>) => {
      const declared = "($text: String!, $id: ID!, $first: Int, $list: [String!], $ids: [ID!])";
      const socket = await RawSocket.accepted(server, mallory.token);
      const operations = [
        `mutation ${declared} { send(roomId: $id, text: $text, clientMessageId: $id) { text } }`,
        `mutation ${declared} { openPrivateRoom(userId: $id) { id } }`,
        `mutation ${declared} { login(username: $text, password: $text) { token } }`,
        `mutation ${declared} { register(username: $text, password: $text, name: $text, email: $text) { token } }`,
        `query ${declared} { messages(roomId: $id, first: $first, after: $text) { nodes { id } } }`,
        `query ${declared} { users(first: $first, after: $text) { nodes { id } } }`,
        `query ${declared} { room(id: $id) { name position } user(id: $id, username: $text) { id online } }`,
        `subscription ${declared} { messageAdded(roomId: $id, after: $list) { text } }`,
        `subscription ${declared} { userOnline(userIds: $ids) { id } }`,
      ];
      for (const [n, query] of operations.entries()) {
        const used = query
          .replace(/\$(\w+): [^,)]+,? ?/g, (all, name) => (query.split(`$${name}`).length > 2 ? all : ""))
          .replace("()", "");
        const variables = { text, id, first, list, ids: list };
        expect(JSON.stringify(await mallory.request(used, variables))).not.toMatch(INSIDE);
        await socket.subscribe(`op ${n}`, used, variables);
        await socket.say({ id: `op ${n}`, type: "complete" });
      }
      await socket.subscribe("marker", "{ me { id } }");
      await socket.answer("marker");
      expect(JSON.stringify(socket.heard)).not.toMatch(INSIDE);
      expect(await redis.client.exists("total_users")).toBe(1);
      await isUnharmed();
    },
  );

  it("[ATTACK4] refuses subscriptions over the limit on one socket, and leaves nothing behind", async () => {
    const socket = await RawSocket.accepted(server, mallory.token);
    for (let n = 0; n < 1_000; n++) await socket.subscribe(String(n), "subscription { messageAdded { text } }");
    await expect.poll(() => socket.heard.filter(({ type }) => type === "complete").length).toBe(800);
    await mallory.send("to the two hundred");
    await expect.poll(() => socket.heard.filter(({ payload }) => payload?.data).length).toBe(200);
    socket.socket.terminate();
    await expect.poll(async () => (await fetch(`${server.url}/metrics`)).text()).toMatch(/^palaver_followed_rooms 0$/m);
  });

  it("[ATTACK4] answers documents that are expensive to validate within a second of CPU time", async () => {
    const many = (count: number, make: (n: number) => string) => Array.from({ length: count }, (_, n) => make(n)).join(" ");
    const documents = [
      `{ ${many(249, () => "me { id }")} }`,
      `{ me { ${many(90, (n) => `...f${n}`)} } } ${many(90, (n) => `fragment f${n} on User { id }`)}`,
      `{ me { ...f0 } } ${many(90, (n) => `fragment f${n} on User { id ...f${(n + 1) % 90} }`)}`,
      `{ me { ${"...{ ".repeat(320)} id ${"}".repeat(320)} } }`,
      `{ me { id ${"@include(if: true) ".repeat(130)} } }`,
      `{ ${many(900, (n) => `messagess${n}`)} }`,
      `{ user(id: ${"[".repeat(490)}${"]".repeat(490)}) { id } }`,
      `query (${many(300, (n) => `$v${n}: ID`)}) { me { id } }`,
      "{".repeat(60_000),
      `{ me { id } } # ${"x".repeat(60_000)}`,
    ];
    for (const query of documents) {
      const before = process.cpuUsage();
      const { errors } = await mallory.request(query);
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1_000, query.slice(0, 50)).toBeLessThan(1_000); // ms; usually about 20
      expect(JSON.stringify(errors ?? [])).not.toMatch(INSIDE);
    }
    await isUnharmed();
  });
});

describe("HTTP", () => {
  const body = '{"query":"{ server { name } }"}';
  const request = (headers: Record<string, string> = {}, line = "POST /graphql HTTP/1.1", content = body) => {
    const all = { Host: "localhost", "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(content)), ...headers };
    return `${line}\r\n${Object.entries(all)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("")}\r\n${content}`;
  };

  it("[ATTACK5] answers every pipelined request, in order", async () => {
    const wire = new Wire(server);
    const numbered = (n: number) => request({}, undefined, `{"query":"{ n${n}: server { name } }"}`);
    wire.say(Array.from({ length: 50 }, (_, n) => numbered(n)).join(""));
    await expect.poll(() => [...wire.heard.matchAll(/"n(\d+)"/g)].map(([, n]) => Number(n))).toEqual([...Array(50).keys()]);
  });

  it.each([
    ["two lengths", request({ "content-length": "1" }), 400],
    ["a length and chunks", request({ "Transfer-Encoding": "chunked" }), 400],
    ["an empty length", request({ "Content-Length": "" }), 400],
    ["a negative length", request({ "Content-Length": "-1" }), 400],
    ["endless headers", `GET / HTTP/1.1\r\nHost: localhost\r\n${"X: y\r\n".repeat(10_000)}\r\n`, 431],
    ["no host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["an unknown method", request({}, "BREW /graphql HTTP/1.1"), 400],
    ["an invalid path", request({}, "POST /%c0%ae%zz HTTP/1.1"), 400],
    ["a path that goes up", request({}, "GET /../../etc/passwd HTTP/1.1", ""), 403],
    ["a path that goes up, escaped", request({}, "GET /..%2f..%2fpackage.json HTTP/1.1", ""), 404],
    ["a header with a line break", request({ "X-A": "b\r\n\r\nGET /healthz HTTP/1.1" }), 400],
    ["a tunnel", "CONNECT evil.example:80 HTTP/1.1\r\nHost: x\r\n\r\n", undefined],
    ["another protocol", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
    ["prototypes", request({}, undefined, '{"query":"{ me { id } }","variables":{"__proto__":{"x":1}}}'), 400],
    [
      "30,000 brackets",
      request({}, undefined, `{"query":"{ me { id } }","variables":{"x":${"[".repeat(30_000)}${"]".repeat(30_000)}}}`),
      200,
    ],
  ])("[ATTACK5] rejects a request with %s, and keeps serving", async (_what, bytes, status) => {
    const wire = new Wire(server);
    wire.say(bytes);
    if (status === undefined) await wire.closed;
    else await expect.poll(() => /^HTTP\/1.1 (\d+)/.exec(wire.heard)?.[1]).toBe(String(status));
    expect(wire.heard).not.toMatch(INSIDE);
    await isUnharmed();
  });

  it.each([
    ["no key", { "Sec-WebSocket-Key": null }, 400],
    ["an invalid key", { "Sec-WebSocket-Key": "short" }, 400],
    ["an unknown version", { "Sec-WebSocket-Version": "99" }, 400],
    ["another upgrade", { Upgrade: "h2c" }, 400],
    ["an invalid protocol list", { "Sec-WebSocket-Protocol": ",,graphql-transport-ws" }, 400],
    ["a foreign origin", { Origin: "https://evil.example" }, 403],
    ["an opaque origin", { Origin: "null" }, 403],
    ["a compression extension", { "Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits=8" }, 101],
  ])("[ATTACK5] answers an upgrade with %s with the right status", async (_what, headers, status) => {
    const wire = new Wire(server);
    wire.say(upgradeRequest(headers));
    await expect.poll(() => /^HTTP\/1.1 (\d+)/.exec(wire.heard)?.[1]).toBe(String(status));
    expect(wire.heard).not.toContain("permessage-deflate");
    if (status !== 101) await wire.closed;
    await isUnharmed();
  });
});

describe("10,000 malformed frames", async () => {
  const victim = await measuredServer(redis.url, "--sockets-per-user", "1000");
  const { token } = mallory;
  const variables = { room: "0", text: "hello", first: 3, after: null, id: "1" };
  const queries = [
    "{ me { id username name email } server { name version redis } }",
    "query ($first: Int, $after: String) { users(first: $first, after: $after) { nodes { id online } pageInfo { endCursor } totalCount } }",
    "query ($room: ID!, $first: Int) { room(id: $room) { id name names messages(first: $first) { edges { cursor node { id text from { name } } } } position } }",
    "{ rooms { nodes { id kind lastMessage { text } } } onlineUsers { id } }",
    "{ __schema { types { name fields { name } } } }",
    "mutation ($room: ID!, $text: String!, $id: ID) { send(roomId: $room, text: $text, clientMessageId: $id) { id position } }",
    "mutation ($id: ID!) { openPrivateRoom(userId: $id) { id name } }",
    'mutation { login(username: "nobody", password: "not that") { token } }',
    "subscription ($room: ID, $text: String) { messageAdded(roomId: $room) { text room { name } } }",
    "subscription { roomEvents { position ... on MessageAdded { message { text from { email } } } } }",
    "subscription ($id: ID!) { userOnline(userIds: [$id]) { id online } }",
    "subscription { roomShown { id } }",
  ];
  const operationsThatFit = queries.map((query) => ({ query, variables }));
  const frames: object[] = [
    ...queries.map((query, n) => ({
      id: String(n),
      type: "subscribe",
      payload: { query, variables, operationName: null, extensions: {} },
    })),
    { type: "ping", payload: { x: 1 } },
    { type: "pong" },
    { id: "8", type: "complete" },
    { type: "connection_init", payload: { authorization: `Bearer ${token}` } },
  ];

  /** Runs mutated operations; each one except subscriptions must be answered. */
  async function operations(seed: number, count: number): Promise<void> {
    const random = randomFrom(seed);
    const socket = await RawSocket.accepted(victim, random.chance(0.9) ? token : undefined);
    const unanswered = new Set<string>();
    for (let n = 0; n < count; n++) {
      const { query, variables } = mutateOperation(random, random.pick(operationsThatFit));
      if (!query.includes("subscription")) unanswered.add(String(n));
      await socket.subscribe(String(n), query, variables as Record<string, unknown>);
      for (const id of [...unanswered].filter(() => random.chance(0.02))) {
        await socket.say({ id, type: "complete" });
        unanswered.delete(id);
      }
    }
    for (;;) {
      for (const { id, type } of socket.heard) if (type !== "next") unanswered.delete(id ?? "");
      if (unanswered.size === 0) break;
      await socket.next();
    }
    socket.socket.terminate();
    await socket.closed;
    expect(JSON.stringify(socket.heard)).not.toMatch(INSIDE);
  }

  /** Sends a malformed frame after connection_init; resolves when the server closes the socket or answers the operation that follows. */
  async function frame(seed: number): Promise<void> {
    const random = randomFrom(seed);
    const socket = await RawSocket.accepted(victim, token);
    const text = mutate(random, random.pick(frames));
    await socket.say(text);
    await socket.subscribe("marker", "{ server { name } }");
    await Promise.race([socket.answer("marker").catch(() => {}), socket.closed]);
    socket.socket.terminate();
    const { code } = await socket.closed;
    expect([1006, 4400, 4403, 4409, 4429], text).toContain(code);
    expect(JSON.stringify(socket.heard)).not.toMatch(INSIDE);
  }

  /** Does the same over a raw connection, with damaged WebSocket frames. */
  async function overWire(seed: number, count: number): Promise<void> {
    const random = randomFrom(seed);
    const wire = await Wire.upgraded(victim);
    wire.say(wireFrame(JSON.stringify({ type: "connection_init", payload: { authorization: token } })));
    for (let n = 0; n < count; n++) {
      const bytes = wireFrame(mutate(random, random.pick(frames))).toString("latin1");
      wire.say(Buffer.from(random.chance(0.3) ? damage(random, bytes) : bytes, "latin1"));
    }
    wire.socket.end(); // like a client that disconnects midway
    await wire.closed;
    expect(wire.heard).not.toMatch(INSIDE);
  }

  async function overHttp(seed: number): Promise<void> {
    const random = randomFrom(seed);
    const { payload } = random.pick(frames.slice(0, queries.length)) as { payload: object };
    const body = mutate(random, payload);
    const response = await fetch(`${victim.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body,
    });
    const text = await response.text();
    expect(response.status, `${body} returned ${text}`).toBeLessThan(500);
    expect(text).not.toMatch(INSIDE);
    JSON.parse(text);
  }

  /** Runs the work for all seeds, several at a time. */
  async function each(first: number, count: number, work: (seed: number) => Promise<void>): Promise<void> {
    let next = first;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        while (next < first + count) await work(next++);
      }),
    );
  }

  it("[ATTACK6] close at most their own connection, and leave nothing behind", async () => {
    const round = async (seed: number, share: number) => {
      await each(seed, 200 * share, (n) => operations(n, 20));
      await each(seed, 800 * share, frame);
      await each(seed, 100 * share, (n) => overWire(n, 5));
      await each(seed, 1_000 * share, (n) => overHttp(n));
      await expect
        .poll(async () => (await fetch(`${victim.url}/metrics`)).text())
        .toMatch(/^palaver_sockets 0\n[\s\S]*^palaver_followed_rooms 0$/m);
    };
    await round(1, 0.6); // warm-up: fills caches
    const before = await victim.memory();
    await round(100_000, 1.2);
    const grown = ((await victim.memory()) - before) / 2 ** 20;
    expect(grown).toBeLessThan(10); // MiB; a leaked socket costs at least 11 kB, and there are 1,300
    expect(victim.failures()).toEqual([]);
  });
});
