import { randomUUID } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { TestClient } from "../helpers/client.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);
const alice = await TestClient.register(one, "alice");
const bob = await TestClient.register(two, "bob");

describe("sending", () => {
  it("[M1] puts an answered send into history at once, on every server", async () => {
    const { id, position } = await alice.send("stored");
    for (const reader of [alice, alice.on(two), bob]) {
      const { messages } = await reader.ask(
        '{ messages(roomId: "0", last: 1) { nodes { id text from { id username } roomId position } } }',
      );
      expect(messages.nodes).toEqual([{ id, text: "stored", from: { id: alice.id, username: alice.username }, roomId: "0", position }]);
    }
  });

  it("[M1] stores texts exactly as sent", async () => {
    for (const text of [
      '"quoted" \\ back/slash',
      "<b>&lt;</b>",
      "línea\nsegunda\ttab",
      "🧑‍🚀 مرحبا \r\n \u2028",
      "%s %d $1 {room:0}",
      "  spaces kept  ",
    ]) {
      expect((await alice.send(text)).text).toBe(text);
      const { messages } = await bob.ask('{ messages(roomId: "0", last: 1) { nodes { text } } }');
      expect(messages.nodes[0].text).toBe(text);
    }
  });

  it("[M2] returns the same message and stores nothing when a clientMessageId is repeated", async () => {
    const clientMessageId = randomUUID();
    const first = await alice.send("once", "0", clientMessageId);
    const before = await redis.client.zcard("room:0");
    const again = await Promise.all(
      [alice, alice.on(two), alice, alice.on(two)].map((client) => client.send("once", "0", clientMessageId)),
    );
    for (const repeated of again) expect(repeated).toEqual(first);
    expect(await redis.client.zcard("room:0")).toBe(before);
    expect(await alice.position()).toBe(first.position);
  });

  it("[M2] stores one message for 20 concurrent sends with one clientMessageId on two servers", async () => {
    const before = await redis.client.zcard("room:0");
    const clientMessageId = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 ? alice : alice.on(two)).send("race", "0", clientMessageId)),
    );
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(await redis.client.zcard("room:0")).toBe(before + 1);
  });

  it("[M2] scopes a clientMessageId to its user, room and text", async () => {
    const clientMessageId = randomUUID();
    const { id } = await alice.send("mine", "0", clientMessageId);
    expect((await bob.send("mine", "0", clientMessageId)).id).not.toBe(id);
    const { openPrivateRoom: room } = await alice.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: bob.id });
    expect((await alice.send("mine", room.id, clientMessageId)).id).not.toBe(id);
    const error = await alice.refused('mutation ($c: ID) { send(roomId: "0", text: "other", clientMessageId: $c) { id } }', {
      c: clientMessageId,
    });
    expect(error.extensions).toEqual({ code: "CLIENT_MESSAGE_ID_REUSED", retryable: false });
  });

  it("[M2] remembers a clientMessageId over midnight and for at least a day, but not forever", async () => {
    const clientMessageId = randomUUID();
    const first = await alice.send("yesterday's", "0", clientMessageId);
    const [key = ""] = await redis.client.keys("sent:{room:0}:*");
    const day = Number(key.split(":").at(-1));
    expect(await redis.client.expiretime(key)).toBe((day + 2) * 86_400);
    await redis.client.rename(key, `sent:{room:0}:${day - 1}`);
    expect((await alice.send("yesterday's", "0", clientMessageId)).id).toBe(first.id);
    await redis.client.rename(`sent:{room:0}:${day - 1}`, `sent:{room:0}:${day - 2}`);
    expect((await alice.send("yesterday's", "0", clientMessageId)).id).not.toBe(first.id);
  });

  it.each([-400, -3, 3, 40])("[M3] sends and retries correctly from a server whose clock is %i days off", async (days) => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + days * 86_400_000 });
    try {
      const off = await ownServer(redis.url);
      const clientMessageId = randomUUID();
      const first = await alice.on(off).send("by another clock", "0", clientMessageId);
      expect(Math.abs(Date.parse(first.sentAt) - (Date.now() - days * 86_400_000))).toBeLessThan(60_000);
      expect(await alice.on(off).send("by another clock", "0", clientMessageId)).toEqual(first);
      vi.useRealTimers();
      expect(await alice.on(two).send("by another clock", "0", clientMessageId)).toEqual(first);
      expect(await alice.on(off).send("by another clock", "0", clientMessageId)).toEqual(first); // its clock is now correct
    } finally {
      vi.useRealTimers();
    }
  });

  it("[M3] assigns distinct, increasing times and positions to concurrent sends on two servers", async () => {
    const sent = await Promise.all(Array.from({ length: 60 }, (_, n) => (n % 2 ? alice : bob).send(`burst ${n}`)));
    expect(new Set(sent.map(({ position }) => position)).size).toBe(60);
    const { messages } = await alice.ask('{ messages(roomId: "0", last: 60) { nodes { id } } }');
    const bySeq = [...sent].sort((a, b) => seqOf(a.position) - seqOf(b.position)).map(({ id }) => id);
    expect(messages.nodes.map(({ id }: { id: string }) => id)).toEqual(bySeq);
  });

  it("[M3] keeps the order despite a clock that jumps back and a demo app's message from the future", async () => {
    const future = Date.now() * 1_000 + 3_600_000_000; // µs, an hour ahead
    await redis.client.hset("meta:{room:0}", "time", future);
    await redis.client.zadd(
      "room:0",
      9_999_999_999,
      JSON.stringify({ from: alice.id, date: 9_999_999_999, message: "from 2286", roomId: "0" }),
    );
    const first = await alice.send("after the jump");
    const second = await alice.send("and again");
    // The message from the future was stored earlier, so it has the time in between.
    expect(first.id).toBe(`0/${future + 2}`);
    expect(second.id).toBe(`0/${future + 3}`);
    await redis.client.zremrangebyscore("room:0", 9_999_999_999, "+inf");
  });

  it("[M3] stores JSON that demo apps can read: string ids, whole seconds, a final space as its mark", async () => {
    const { id } = await alice.send("for everyone");
    const [member = "", score = ""] = await redis.client.zrevrange("room:0", 0, 0, "WITHSCORES");
    const date = Math.floor(Number(score));
    expect(member).toBe(`{"from":"${alice.id}","date":${date},"message":"for everyone","roomId":"0","id":"${id}" }`);
    expect(id).toBe(`0/${Math.round(Number(score) * 1_000_000)}`);
  });

  it("[M1] fails and changes nothing if the room's key has another type", async () => {
    await redis.client.set("room:wrong:name", "Wrong");
    await redis.client.set("room:wrong", "no sorted set");
    const error = await alice.refused('mutation { send(roomId: "wrong", text: "hi") { id } }');
    expect(error.extensions.code).toBe("INTERNAL_SERVER_ERROR");
    expect(error.message).not.toMatch(/WRONGTYPE|script|redis/i);
    expect(await redis.client.exists("log:{room:wrong}", "meta:{room:wrong}")).toBe(0);
  });
});

describe("permissions", () => {
  it("[M5] let only its two users read, subscribe to or write to a private room", async () => {
    const eve = await TestClient.register(one, "eve");
    const { openPrivateRoom: room } = await alice.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: bob.id });
    const secret = await alice.send("secret", room.id);
    const attempts = [
      ["query ($r: ID!) { messages(roomId: $r) { nodes { text } } }"],
      ["query ($r: ID!) { messages(roomId: $r, last: 1) { position } }"],
      ["query ($r: ID!) { room(id: $r) { lastMessage { text } } }"],
      ['mutation ($r: ID!) { send(roomId: $r, text: "hi") { id } }'],
    ];
    for (const [query = ""] of attempts) expect((await eve.refused(query, { r: room.id })).extensions.code).toBe("NOT_A_MEMBER");
    expect(await eve.follow({ roomId: room.id }).refusal()).toBe("NOT_A_MEMBER");
    expect(await eve.follow({ after: [secret.position] }).refusal()).toBe("NOT_A_MEMBER");
    expect((await bob.ask("query ($r: ID!) { messages(roomId: $r) { nodes { text } } }", { r: room.id })).messages.nodes.at(-1).text).toBe(
      "secret",
    );
  });

  it("[M5] do not let clients without a session read, subscribe or write", async () => {
    const nobody = new TestClient(one.url);
    for (const query of [
      '{ messages(roomId: "0") { nodes { text } } }',
      "{ rooms { nodes { id } } }",
      '{ room(id: "0") { id } }',
      "{ users { nodes { id } } }",
      '{ user(id: "1") { id } }',
      'mutation { send(roomId: "0", text: "hi") { id } }',
      'mutation { openPrivateRoom(userId: "1") { id } }',
      "mutation { logout }",
    ]) {
      expect((await nobody.refused(query)).extensions.code).toBe("UNAUTHENTICATED");
    }
    for (const query of [
      "subscription { messageAdded { text } }",
      "subscription { userOnline { id } }",
      "subscription { roomShown { id } }",
    ]) {
      expect(await nobody.subscribe(query).refusal()).toBe("UNAUTHENTICATED");
    }
    expect((await nobody.ask("{ me { id } }")).me).toBeNull();
  });

  it("[M5] make the session's user the sender", async () => {
    expect((await bob.send("mine")).from.id).toBe(bob.id);
  });
});

describe("invalid input", () => {
  const cases: [what: string, argument: string, query: string][] = [
    ["an empty text", "text", 'mutation { send(roomId: "0", text: " \\n ") { id } }'],
    ["an over-long text", "text", `mutation { send(roomId: "0", text: "${"x".repeat(4_001)}") { id } }`],
    ["an impossible room id", "roomId", 'mutation { send(roomId: "0:name", text: "hi") { id } }'],
    ["a room id that is a pattern", "roomId", '{ messages(roomId: "*") { position } }'],
    ["a private room's id with the users swapped", "roomId", '{ messages(roomId: "2:1") { position } }'],
    ["an empty clientMessageId", "clientMessageId", 'mutation { send(roomId: "0", text: "hi", clientMessageId: "") { id } }'],
    [
      "a long clientMessageId",
      "clientMessageId",
      `mutation { send(roomId: "0", text: "hi", clientMessageId: "${"x".repeat(65)}") { id } }`,
    ],
    ["an oversized page", "last", '{ messages(roomId: "0", last: 101) { position } }'],
    ["a negative page", "first", '{ messages(roomId: "0", first: -1) { position } }'],
    ["both `first` and `last`", "last", '{ messages(roomId: "0", first: 1, last: 1) { position } }'],
    ["an invalid cursor", "before", '{ messages(roomId: "0", last: 1, before: "nonsense") { position } }'],
    ["an empty cursor", "after", '{ messages(roomId: "0", first: 1, after: "") { position } }'],
    ["a private room with oneself", "userId", `mutation { openPrivateRoom(userId: "${alice.id}") { id } }`],
    ["an invalid user id", "userId", 'mutation { openPrivateRoom(userId: "x") { id } }'],
  ];
  it.each(cases)("[O1] %s causes BAD_USER_INPUT that names %s", async (_what, argument, query) => {
    const { message, extensions } = await alice.refused(query);
    expect(extensions).toEqual({ code: "BAD_USER_INPUT", retryable: false, argument });
    expect(message).toMatch(new RegExp(`^${argument}: .*\\.$`));
  });

  it("[O1] counts a text's limit in characters, not code units", async () => {
    expect((await alice.send("🎈".repeat(4_000))).text).toHaveLength(8_000);
  });

  it("[O1] rejects a position as cursor, a cursor as position, and either from another room", async () => {
    await alice.send("somewhere");
    const { messages } = await alice.ask('{ messages(roomId: "0", last: 1) { position pageInfo { startCursor } } }');
    const cursor = messages.pageInfo.startCursor;
    expect(
      (await alice.refused('query ($c: String) { messages(roomId: "0", last: 1, before: $c) { position } }', { c: messages.position }))
        .extensions.argument,
    ).toBe("before");
    expect(await alice.follow({ after: [cursor] }).refusal()).toBe("BAD_USER_INPUT");
    const { openPrivateRoom: room } = await alice.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: bob.id });
    const elsewhere = await alice.refused("query ($r: ID!, $c: String) { messages(roomId: $r, last: 1, before: $c) { position } }", {
      r: room.id,
      c: cursor,
    });
    expect(elsewhere.extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: "before" });
    expect(await alice.follow({ roomId: room.id, after: [messages.position] }).refusal()).toBe("BAD_USER_INPUT");
    expect(await alice.follow({ after: [messages.position, messages.position] }).refusal()).toBe("BAD_USER_INPUT");
  });

  it("[O1] returns NOT_FOUND for unknown rooms and users", async () => {
    for (const query of [
      'mutation { send(roomId: "nowhere", text: "hi") { id } }',
      '{ messages(roomId: "nowhere") { position } }',
      `mutation { send(roomId: "${alice.id}:999999", text: "hi") { id } }`,
      'mutation { openPrivateRoom(userId: "999999") { id } }',
    ]) {
      expect((await alice.refused(query)).extensions.code).toBe("NOT_FOUND");
    }
    expect(await alice.ask('{ room(id: "nowhere") { id } user(id: "999999") { id } }')).toEqual({ room: null, user: null });
    expect(await redis.client.exists("meta:{room:nowhere}", "room:nowhere", "log:{room:nowhere}")).toBe(0);
  });
});

/** The sequence number in a position. Clients treat positions as opaque; this test looks inside. */
function seqOf(position: string): number {
  return Number(Buffer.from(position, "base64url").toString().split(".")[1]);
}
