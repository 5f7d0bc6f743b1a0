import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { cleanUp } from "../helpers/cleanup.js";
import { TestClient } from "../helpers/client.js";
import { ownCluster } from "../helpers/cluster.js";
import { fillRoom } from "../helpers/fill.js";
import { proxyTo } from "../helpers/proxy.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const BIG = 100_000; // messages; 16 MB, far more than the buffers on the way can hold

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);

interface Line {
  id: string;
  from: { id: string; username: string; name: string };
  text: string;
  sentAt: string;
  clientMessageId: string | null;
}

const linesIn = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);

const ask = (client: TestClient, roomId = "0", headers: Record<string, string> = { authorization: `Bearer ${client.token}` }) =>
  fetch(`${client.serverUrl}/rooms/${roomId}/export`, { headers });

async function exported(client: TestClient, roomId = "0"): Promise<Line[]> {
  const response = await ask(client, roomId);
  expect(response.status).toBe(200);
  return linesIn(await response.text());
}

/** Creates a private room of two new users with a long history. */
async function bigRoom() {
  const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(one, "ben")];
  const { openPrivateRoom: room } = await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ben.id });
  await fillRoom(redis.client, room.id, BIG, ben.id);
  return { ann, ben, room: room.id as string };
}

/** Starts an export without reading its body. */
async function begin(client: TestClient, roomId: string): Promise<IncomingMessage> {
  const request = get(`${client.serverUrl}/rooms/${roomId}/export`, { headers: { authorization: `Bearer ${client.token}` }, agent: false });
  request.on("error", () => {}); // the export may be cut off
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.on("error", () => {}); // likewise
  cleanUp(() => response.destroy());
  return response;
}

/** Reads to the end; `whole` is false if the response was cut off. */
async function readOn(response: IncomingMessage): Promise<{ text: string; whole: boolean }> {
  let text = "";
  response.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  await new Promise((resolve) => response.once("close", resolve));
  return { text, whole: response.complete };
}

/** Waits until no more history pages are read; returns the number of pages read so far. */
async function whenStill(): Promise<number> {
  let before = -1;
  await expect
    .poll(
      async () => {
        // Reading a page upwards runs this command once, for the entries to skip. Nothing else runs it.
        const now = Number(/cmdstat_zrangebylex:calls=(\d+)/.exec(await redis.client.info("commandstats"))?.[1] ?? 0);
        const still = now === before;
        before = now;
        return still;
      },
      { interval: 300, timeout: 60_000 },
    )
    .toBe(true);
  return before;
}

describe("export", () => {
  it("[EXP1] streams the whole history to a member, oldest first, as JSON Lines", async () => {
    const ann = await TestClient.register(one, "ann");
    await redis.client.zadd("room:0", 1_000, '{"roomId":"0","message":"a &lt b","from":"77","date":1000}', 1_001, "no message");
    const sent = await ann.send('two\nlines, "quoted" and 👋', "0", "mine");
    const replying = 'mutation ($t: String!, $to: ID) { send(roomId: "0", text: $t, replyTo: $to) { id sentAt } }';
    const { send: reply } = await ann.ask(replying, { t: "no", to: sent.id });
    const changing =
      'mutation ($id: ID!, $t: String!) { editMessage(id: $id, text: $t) { editedAt } react(messageId: $id, emoji: "👍") { id } }';
    const { editMessage: edited } = await ann.ask(changing, { id: reply.id, t: `yes, @${ann.username}` });
    const response = await ask(ann.on(two));
    expect(response.headers.get("content-type")).toBe("application/jsonl; charset=utf-8");
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="room-0.jsonl"');
    expect(response.headers.get("cache-control")).toBe("no-store");
    const plain = { editedAt: null, replyToId: null, mentions: [], reactions: [] };
    expect(linesIn(await response.text())).toEqual([
      {
        id: expect.stringMatching(/^0\/1000-/),
        from: { id: "77", username: "user-77", name: "Unknown user" },
        text: "a < b",
        sentAt: "1970-01-01T00:16:40.000Z",
        ...plain,
        clientMessageId: null,
      },
      {
        id: sent.id,
        from: { id: ann.id, username: ann.username, name: ann.username },
        text: sent.text,
        sentAt: sent.sentAt,
        ...plain,
        clientMessageId: "mine",
      },
      {
        id: reply.id,
        from: { id: ann.id, username: ann.username, name: ann.username },
        text: `yes, @${ann.username}`,
        sentAt: reply.sentAt,
        editedAt: edited.editedAt,
        replyToId: sent.id,
        mentions: [{ id: ann.id }],
        reactions: [{ emoji: "👍", count: 1, users: [{ id: ann.id }] }],
        clientMessageId: null,
      },
    ]);
    const { openPrivateRoom: empty } = await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", {
      id: (await TestClient.register(one)).id,
    });
    expect(await exported(ann, empty.id)).toEqual([]);
  });

  it("[EXP1] includes every message that exists throughout exactly once, while others come and go", async () => {
    const { ann, ben, room } = await bigRoom();
    const export_ = ask(ann.on(two), room);
    for (let n = 0; n < 50; n++) {
      await ben.send(`meanwhile ${n}`, room);
      await redis.client.zremrangebyrank(`room:${room}`, 0, 9);
    }
    const response = await export_;
    const lines = linesIn(await response.text());
    const texts = lines.map(({ text }) => text).filter((text) => !text.startsWith("meanwhile"));
    expect(new Set(lines.map(({ id }) => id)).size).toBe(lines.length);
    expect(texts.slice(-(BIG - 500))).toEqual(Array.from({ length: BIG - 500 }, (_, n) => `message ${n + 500}`));
  });

  it("[EXP1] accepts the session cookie of a browser, and works on a Redis Cluster", async () => {
    const { urls } = await ownCluster();
    const server = await ownServer(urls.join(","), { demoData: true });
    const ann = await TestClient.register(server);
    const response = await ask(ann, "0", { cookie: `palaver-session=${ann.token}` });
    expect(linesIn(await response.text()).map(({ text }) => text)).toContain("Hello!");
  });

  it("[EXP2] refuses everyone else, with the API's error format and a matching status", async () => {
    const { ann, room } = await bigRoom();
    const eve = await TestClient.register(one, "eve");
    for (const [client, roomId, headers, status, code] of [
      [ann, room, {}, 401, "UNAUTHENTICATED"],
      [ann, room, { authorization: "Bearer 1.forged" }, 401, "UNAUTHENTICATED"],
      [eve, room, undefined, 403, "NOT_A_MEMBER"],
      [eve, `1:${eve.id}`, undefined, 404, "NOT_FOUND"],
      [eve, "none", undefined, 404, "NOT_FOUND"],
      [eve, "0%0d%0aX:%20y", undefined, 400, "BAD_USER_INPUT"],
      [eve, "..%2f..%2fmetrics", undefined, 400, "BAD_USER_INPUT"],
      [eve, "%ff", undefined, 400, "BAD_REQUEST"],
      [eve, "0", { authorization: `Bearer ${eve.token}`, origin: "https://evil.example" }, 403, "FORBIDDEN"],
    ] as const) {
      const response = await ask(client, roomId, headers);
      expect([response.status, (await response.json()).errors[0].extensions.code], roomId.slice(0, 50)).toEqual([status, code]);
    }
    expect([400, 404]).toContain((await ask(eve, "x".repeat(5_000))).status); // depends on whether the server serves the page at `/`
    const head = await fetch(`${one.url}/rooms/0/export`, { method: "HEAD", headers: { authorization: `Bearer ${eve.token}` } });
    expect(head.status).toBe(404);
  });

  it("[EXP2] allows two at once per user and server, and twenty per hour", async () => {
    const { url } = await ownServer(redis.url, { rateLimits: true });
    const { ann, ben, room } = await bigRoom();
    const [first] = [await begin(ann.on({ url }), room), await begin(ann.on({ url }), room)];
    const third = await ask(ann.on({ url }), room);
    expect([third.status, third.headers.get("retry-after")]).toEqual([429, "30"]);
    expect((await third.json()).errors[0].extensions).toEqual({ code: "RATE_LIMITED", retryable: true, retryAfter: 30 });
    expect((await ask(ben.on({ url }), "0")).status).toBe(200);
    first.destroy();
    await expect.poll(async () => (await ask(ann.on({ url }))).status).toBe(200);
    const statuses = [];
    for (let n = 0; n < 20; n++) {
      const response = await ask(ann.on({ url }));
      await response.arrayBuffer();
      statuses.push(response.status);
    }
    expect(statuses).toContain(429);
    expect(statuses.filter((status) => status === 200).length).toBeLessThan(18);
  });

  it("[EXP3] stops reading history while the client does not read, and continues later", async () => {
    const { ann, room } = await bigRoom();
    const before = await whenStill();
    const response = await begin(ann, room);
    const during = await whenStill();
    expect(during - before).toBeLessThan(BIG / 400 / 2);
    const { text, whole } = await readOn(response);
    expect(whole).toBe(true);
    expect(linesIn(text).map(({ text }) => text)).toEqual(Array.from({ length: BIG }, (_, n) => `message ${n}`));
  });

  it("[EXP3] ends when the client disconnects, and frees its slot", async () => {
    const { ann, room } = await bigRoom();
    for (let n = 0; n < 6; n++) {
      const response = await begin(ann, room);
      response.destroy();
      await expect.poll(async () => (await ask(ann)).status).toBe(200);
    }
    const controllers = Array.from({ length: 6 }, () => new AbortController());
    for (const { signal } of controllers)
      fetch(`${ann.serverUrl}/rooms/${room}/export`, { headers: { authorization: `Bearer ${ann.token}` }, signal }).catch(() => {});
    for (const controller of controllers) controller.abort(); // before the response
    await expect.poll(async () => (await ask(ann)).status).toBe(200);
    const both = [await begin(ann, room), await begin(ann, room)];
    expect(both.map(({ statusCode }) => statusCode)).toEqual([200, 200]);
  });

  it("[EXP3] is cut off when the session or the membership ends", async () => {
    const { ann, ben, room } = await bigRoom();
    const [anns, bens] = [await begin(ann, room), await begin(ben, room)];
    await whenStill();
    await ann.on(two).ask("mutation { logout }");
    expect((await readOn(anns)).whole).toBe(false);
    await redis.client.srem(`user:${ben.id}:rooms`, room);
    const { text, whole } = await readOn(bens);
    expect(whole).toBe(false);
    expect(text.split("\n").length).toBeLessThan(BIG);
  });

  it("[EXP3] is cut off when Redis goes away, and the server keeps running", async () => {
    const other = await ownRedis();
    const proxy = await proxyTo(other.url);
    const server = await ownServer(proxy.url);
    const ann = await TestClient.register(server);
    await fillRoom(other.client, "0", BIG, ann.id);
    const response = await begin(ann, "0");
    proxy.goAway();
    expect((await readOn(response)).whole).toBe(false);
    proxy.comeBack();
    await expect.poll(async () => (await ask(ann)).status).toBe(200);
  });
});
