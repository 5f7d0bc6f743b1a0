import { describe, expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { ownCluster } from "../helpers/cluster.js";
import { BUSY } from "../helpers/eventually.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);

const SET = "mutation ($roomId: ID!, $typing: Boolean) { setTyping(roomId: $roomId, typing: $typing) }";

const say = (client: TestClient, typing = true, roomId = "0") => client.ask(SET, { roomId, typing });

const UNKNOWN = "999999999";

/** Subscribes to typing, and waits until the subscription runs. */
async function watch(client: TestClient, roomId = "0") {
  const stream = client.subscribe("subscription ($roomId: ID!) { typing(roomId: $roomId) { roomId typing user { id } } }", { roomId });
  // Publishes that an unknown user types until the stream delivers it, which shows that the subscription runs.
  const next = stream.next.bind(stream);
  const publish = (typing: boolean) => redis.client.spublish(`room:${roomId}`, JSON.stringify({ kind: "typing", userId: UNKNOWN, typing }));
  let begun = false;
  const beginning = next().then(() => {
    begun = true;
  });
  while (!begun) {
    await publish(true);
    await client.ask("{ me { id } }");
  }
  await beginning;
  await publish(false);
  expect(await next()).toMatchObject({ typing: false, user: { id: UNKNOWN } });
  return Object.assign(stream, {
    async next() {
      for (;;) {
        const event = await next();
        if (event.user.id !== UNKNOWN) return event;
      }
    },
  });
}

/** Opens a private room between two new users. */
async function pair() {
  const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(one, "ben")];
  const { openPrivateRoom } = await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ben.id });
  return { ann, ben, room: openPrivateRoom.id as string };
}

const event = (user: TestClient, typing: boolean, roomId = "0") => ({ roomId, typing, user: { id: user.id } });

/** Collects what servers publish about typing in a room from now on. */
async function published(roomId: string): Promise<string[]> {
  const heard: string[] = [];
  const listener = redis.client.duplicate();
  listener.on("smessage", (_channel: string, payload: string) => payload.includes('"typing"') && heard.push(payload));
  await listener.ssubscribe(`room:${roomId}`);
  return heard;
}

describe("typing", () => {
  it("[TYPE1] notifies others, on both servers, of its start and its end: by call, send, or timeout", async () => {
    const { ann, ben, room } = await pair();
    const hears = await watch(ben.on(two), room);
    expect(await say(ann, true, room)).toEqual({ setTyping: true });
    expect(await hears.next()).toEqual(event(ann, true, room));
    expect(await say(ann, false, room)).toEqual({ setTyping: false });
    expect(await hears.next()).toEqual(event(ann, false, room));

    await ann.send("sent without typing", room); // a send lets Ann type again at once: see below
    await say(ann, true, room);
    expect(await hears.next()).toEqual(event(ann, true, room));
    await ann.send("sent", room);
    expect(await hears.next()).toEqual(event(ann, false, room));

    await say(ann, true, room);
    const since = performance.now();
    expect(await hears.next()).toEqual(event(ann, true, room));
    expect(await hears.next()).toEqual(event(ann, false, room)); // by timeout
    expect(performance.now() - since).toBeGreaterThan(5_900);
    await say(ann, true, room);
    expect(await hears.next()).toEqual(event(ann, true, room)); // nothing else came in between
  });

  it("[TYPE1] reaches later subscribers first with the users who are typing already", async () => {
    const { ann, ben, room } = await pair();
    const first = await watch(ben.on(two), room);
    await say(ann, true, room);
    await first.next();
    const later = ben.on(two).subscribe("subscription ($r: ID!) { typing(roomId: $r) { roomId typing user { id } } }", { r: room });
    expect(await later.next()).toEqual(event(ann, true, room));
  });

  it("[TYPE1] ends with the session, even if that ends on another server", async () => {
    const { ann, ben, room } = await pair();
    const hears = await watch(ben, room);
    await say(ann, true, room);
    expect(await hears.next()).toEqual(event(ann, true, room));
    const since = performance.now();
    await ann.on(two).ask("mutation { logout }");
    expect(await hears.next()).toEqual(event(ann, false, room));
    expect(performance.now() - since).toBeLessThan(1_000 * BUSY);
  });

  it("[TYPE1] ends with the membership, and so does the former member's subscription", async () => {
    const [ann, ben, cleo] = [await TestClient.register(one), await TestClient.register(one), await TestClient.register(one)];
    const [hears, ends] = [await watch(ben), await watch(cleo)];
    await say(ann);
    expect([await hears.next(), await ends.next()]).toEqual([event(ann, true), event(ann, true)]);
    await say(cleo);
    expect(await hears.next()).toEqual(event(cleo, true));
    await redis.client.spublish("room:0", JSON.stringify({ kind: "member.left", userId: cleo.id }));
    expect(await hears.next()).toEqual(event(cleo, false));
    expect(await ends.refusal()).toBe("NOT_A_MEMBER");
    await say(ann, false);
    expect(await hears.next()).toEqual(event(ann, false));
  });

  it("[TYPE2] does not reach the user's own devices, and is refused to and hidden from non-members", async () => {
    const { ann, ben, room } = await pair();
    const [own, other] = [await watch(ann.on(two), room), await watch(ben, room)];
    await say(ann, true, room);
    await other.next();
    await say(ben, true, room);
    expect(await own.next()).toEqual(event(ben, true, room));

    const eve = await TestClient.register(one, "eve");
    expect((await eve.refused(SET, { roomId: room })).extensions.code).toBe("NOT_A_MEMBER");
    expect((await eve.refused(SET, { roomId: "none" })).extensions.code).toBe("NOT_FOUND");
    expect((await eve.refused(SET, { roomId: "*" })).extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: "roomId" });
    expect((await new TestClient(one.url).refused(SET, { roomId: "0" })).extensions.code).toBe("UNAUTHENTICATED");
    expect(await eve.subscribe("subscription ($r: ID!) { typing(roomId: $r) { typing } }", { r: room }).refusal()).toBe("NOT_A_MEMBER");
  });

  it("[TYPE3] is published rarely, however often it is set on HTTP and a socket; the last value arrives", async () => {
    const { ann, ben, room } = await pair();
    const hears = await watch(ben, room);
    const heard = await published(room);
    const since = performance.now();
    for (let n = 0; n < 20; n++) {
      await say(ann, true, room);
      await ann.subscribe(SET, { roomId: room, typing: false }).next();
    }
    await say(ann, true, room);
    const said = () => heard.map((payload) => JSON.parse(payload).typing as boolean);
    await expect.poll(() => said().slice(0, 2)).toEqual([true, false]);
    await expect.poll(() => said().length > 2 && said().at(-1)).toBe(true);
    // Two at once, that she types and that she stopped; then each of them every 3 seconds.
    expect(heard.length).toBeLessThanOrEqual(2 + 2 * Math.floor((performance.now() - since) / 3_000));
    for (const typing of said()) expect(await hears.next()).toEqual(event(ann, typing, room));
    expect((await redis.client.keys("*")).filter((key) => key.includes("typing"))).toEqual([]);
  });

  it("[TYPE3] is limited to ten rooms per user, and to twenty typing users per subscriber", async () => {
    const ann = await TestClient.register(one, "ann");
    for (let n = 0; n <= 10; n++) await redis.client.set(`room:named-${n}:name`, `Room ${n}`);
    for (let n = 0; n < 10; n++) await say(ann, true, `named-${n}`);
    expect((await ann.refused(SET, { roomId: "named-10" })).extensions).toMatchObject({ code: "RATE_LIMITED", retryAfter: 6 });
    await ann.send("sent", "named-0"); // ends typing there
    await say(ann, true, "named-10");

    await redis.client.set("room:crowded:name", "Crowded"); // Ann does not type here, so no server is subscribed yet
    const hears = await watch(ann, "crowded");
    const tell = (id: number, typing: boolean) =>
      redis.client.spublish("room:crowded", JSON.stringify({ kind: "typing", userId: String(id), typing }));
    for (let id = 1_000; id < 1_030; id++) await tell(id, true);
    const told = [];
    for (let n = 0; n < 20; n++) told.push((await hears.next()).user.id);
    expect(told).toEqual(Array.from({ length: 20 }, (_, n) => String(1_000 + n)));
    await tell(1_025, false);
    await tell(1_000, false);
    await tell(1_029, true);
    expect(await hears.next()).toMatchObject({ typing: false, user: { id: "1000" } });
    expect(await hears.next()).toMatchObject({ typing: true, user: { id: "1029" } });
  });

  it("[TYPE3] is executed once per event for all subscribers", async () => {
    const { url } = await ownServer(redis.url);
    const executions = async () => Number(/executions\S* (\d+)/.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);
    await redis.client.set("room:crowd:name", "Crowd");
    const users = await Promise.all(Array.from({ length: 5 }, () => TestClient.register({ url })));
    const streams = await Promise.all(users.map((user) => watch(user, "crowd")));
    const before = await executions();
    const [author, ...others] = users as [TestClient, ...TestClient[]];
    await say(author, true, "crowd");
    for (const stream of streams.slice(1)) expect(await stream.next()).toEqual(event(author, true, "crowd"));
    expect((await executions()) - before).toBe(1);
    expect(others).toHaveLength(4);
  });

  it("[TYPE4] survives invalid payloads, and does not reach subscribers to messages", async () => {
    const { ann, ben, room } = await pair();
    const hears = await watch(ben, room);
    const messages = ben.follow({ roomId: room, after: [await ann.position(room)] });
    for (const payload of [
      "",
      "null",
      "typing",
      "[]",
      "{}",
      '{"kind":"typing"}',
      '{"kind":"typing","userId":7,"typing":true}',
      '{"kind":"typing","userId":"0","typing":true}',
      '{"kind":"typing","userId":"__proto__","typing":true}',
      `{"kind":"typing","userId":"${ann.id}","typing":"yes"}`,
      '{"kind":"message.added","message":null}',
      '{"kind":"message.added","message":{"from":{}}}',
      '{"kind":"member.left","userId":null}',
      `{"kind":"typing","userId":"${"9".repeat(10_000)}","typing":true}`,
    ])
      await redis.client.spublish(`room:${room}`, payload);
    await say(ann, true, room);
    expect(await hears.next()).toEqual(event(ann, true, room));
    await ann.send("a message", room);
    expect(await messages.texts(1)).toEqual(["a message"]);
  });

  it("[TYPE1] works on a Redis Cluster, also after its connections are lost", async () => {
    const { urls, killSubscribers, listeners } = await ownCluster();
    const server = await ownServer(urls.join(","));
    const other = await ownServer(urls.join(","));
    const [ann, ben] = [await TestClient.register(server), await TestClient.register(other)];
    const hears = ben.subscribe("subscription { typing(roomId: 0) { roomId typing user { id } } }");
    await expect.poll(() => listeners("room:0")).toBe(1);
    await say(ann);
    expect(await hears.next()).toEqual(event(ann, true));
    await killSubscribers();
    expect(await hears.next()).toEqual(event(ann, false)); // by timeout, whatever was lost
    await expect.poll(() => listeners("room:0")).toBe(1);
    await say(ann);
    expect(await hears.next()).toEqual(event(ann, true));
  });
});
