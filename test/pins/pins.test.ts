import { describe, expect, it } from "vitest";
import { acquaint } from "../helpers/acquaint.js";
import { TestClient } from "../helpers/client.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);
const [ann, ben, cid] = [
  await TestClient.register(one, "ann"),
  await TestClient.register(two, "ben"),
  await TestClient.register(one, "cid"),
] as const;
await acquaint(ann, ben);

const PIN = "mutation ($id: ID!) { pinMessage(messageId: $id) { id text } }";
const UNPIN = "mutation ($id: ID!) { unpinMessage(messageId: $id) { id } }";
const PINS = "query ($r: ID!) { room(id: $r) { pins { message { text } by { id } at } } }";
const EVENTS = `subscription ($r: ID!, $a: [String!]) {
  roomEvents(roomId: $r, after: $a) { __typename position ... on MessagePinned { messageId by { id } } ... on MessageUnpinned { messageId by { id } } }
}`;

interface Pin {
  message: { text: string };
  by: { id: string };
  at: string;
}

const pinsOf = async (client: TestClient, r: string): Promise<Pin[]> => (await client.ask(PINS, { r })).room.pins;
const textsOf = async (client: TestClient, r: string) => (await pinsOf(client, r)).map(({ message }) => message.text);
const code = async (client: TestClient, query: string, id: string) => (await client.refused(query, { id })).extensions.code;

async function group(owner: TestClient, ...others: TestClient[]): Promise<string> {
  const create = 'mutation ($m: [ID!]!) { createRoom(name: "Us", memberIds: $m) { id } }';
  return (await owner.ask(create, { m: others.map(({ id }) => id) })).createRoom.id;
}

async function privateRoom(): Promise<string> {
  return (await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ben.id })).openPrivateRoom.id;
}

describe("pinned messages", () => {
  it("[PIN1] are shown to all members, the latest pin first, with who pinned them", async () => {
    const r = await group(ann, ben);
    const [first, second] = [await ann.send("first", r), await ben.send("second", r)];
    expect((await ann.ask(PIN, { id: second.id })).pinMessage).toEqual({ id: second.id, text: "second" });
    await ben.ask(PIN, { id: first.id });
    const pins = await pinsOf(ann.on(two), r);
    expect(pins.map(({ message, by }) => [message.text, by.id])).toEqual([
      ["first", ben.id],
      ["second", ann.id],
    ]);
    expect(Date.parse(pins[0]?.at ?? "")).toBeGreaterThanOrEqual(Date.parse(pins[1]?.at ?? ""));
    await ben.ask(UNPIN, { id: second.id });
    expect(await textsOf(ben, r)).toEqual(["first"]);
  });

  it("[PIN1] change with one event each, on every server and for clients that come back", async () => {
    const r = await group(ann, ben);
    const { id, position } = await ann.send("pin me", r);
    const live = ben.subscribe(EVENTS, { r, a: [position] });
    await ann.ask(PIN, { id });
    for (const again of [ann, ben]) await again.ask(PIN, { id });
    await ben.ask(UNPIN, { id });
    await ben.ask(UNPIN, { id });
    await ann.send("marker", r); // shows that nothing else came in between
    const expected = [
      expect.objectContaining({ __typename: "MessagePinned", messageId: id, by: { id: ann.id } }),
      expect.objectContaining({ __typename: "MessageUnpinned", messageId: id, by: { id: ben.id } }),
      expect.objectContaining({ __typename: "MessageAdded" }),
    ];
    expect([await live.next(), await live.next(), await live.next()]).toEqual(expected);
    const back = ben.on(one).subscribe(EVENTS, { r, a: [position] });
    expect([await back.next(), await back.next(), await back.next()]).toEqual(expected);
  });

  it("[PIN2] can be changed by the members of a group and of a private room, and by no other user", async () => {
    for (const r of [await group(ann, ben), await privateRoom()]) {
      const { id } = await ann.send("ours", r);
      expect(await code(cid, PIN, id)).toBe("NOT_A_MEMBER");
      await ben.ask(PIN, { id });
      expect(await code(cid, UNPIN, id)).toBe("NOT_A_MEMBER");
      expect((await cid.refused(PINS, { r })).extensions.code).toBe("NOT_A_MEMBER");
      expect(await textsOf(ann, r)).toEqual(["ours"]);
    }
    const { id } = await ann.send("to everyone");
    expect(await code(ann, PIN, id)).toBe("FORBIDDEN");
    expect(await textsOf(ann, "0")).toEqual([]);
  });

  it("[PIN2] cannot be changed in a private room in which one user blocks the other", async () => {
    const [dan, eve] = [await TestClient.register(one, "dan"), await TestClient.register(two, "eve")] as const;
    const { openPrivateRoom: room } = await dan.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: eve.id });
    const { id } = await dan.send("hello", room.id);
    await eve.ask("mutation ($id: ID!) { block(userId: $id) { id } }", { id: dan.id });
    expect(await code(dan, PIN, id)).toBe("FORBIDDEN");
    expect(await code(eve, PIN, id)).toBe("FORBIDDEN");
  });

  it("[PIN2] are refused for what is not a message of the room", async () => {
    const r = await group(ann, ben);
    const { id } = await ann.send("gone", r);
    await ann.ask("mutation ($id: ID!) { deleteMessage(id: $id) }", { id });
    expect(await code(ann, PIN, id)).toBe("NOT_FOUND");
    expect(await code(ann, PIN, `${r}/1`)).toBe("NOT_FOUND");
    expect(await code(ann, PIN, "nonsense")).toBe("BAD_USER_INPUT");
    expect((await ann.ask(UNPIN, { id })).unpinMessage).toBeNull();
  });

  it("[PIN3] are at most 100 in a room; deleted messages leave the list and make room", async () => {
    const r = await group(ann, ben);
    const ids: string[] = [];
    for (let n = 0; n < 101; n++) ids.push((await ann.send(`${n}`, r)).id);
    await Promise.all(ids.slice(0, 100).map((id, n) => (n % 2 ? ann : ben).ask(PIN, { id })));
    expect(await code(ben, PIN, ids[100] as string)).toBe("FORBIDDEN");
    await ann.ask("mutation ($id: ID!) { deleteMessage(id: $id) }", { id: ids[50] });
    expect(await textsOf(ben, r)).toHaveLength(99);
    await ben.ask(PIN, { id: ids[100] });
    expect((await textsOf(ben, r))[0]).toBe("100");
    expect(await redis.client.hlen(`pins:{room:${r}}`)).toBe(100);
  });

  it("[PIN3] show edited messages as they are now, and messages of demo apps", async () => {
    const r = await privateRoom();
    const { id } = await ann.send("before", r);
    await ben.ask(PIN, { id });
    await ann.ask('mutation ($id: ID!) { editMessage(id: $id, text: "after") { id } }', { id });
    const score = Math.floor(Date.now() / 1_000) - 100;
    await redis.client.zadd(`room:${r}`, score, JSON.stringify({ from: ann.id, date: score, message: "from a demo app", roomId: r }));
    const { messages } = await ann.ask("query ($r: ID!) { messages(roomId: $r, last: 50) { nodes { id text } } }", { r });
    await ann.ask(PIN, { id: messages.nodes.find(({ text }: { text: string }) => text === "from a demo app").id });
    expect((await textsOf(ben, r)).slice(0, 2)).toEqual(["from a demo app", "after"]);
  });

  it("[PIN3] end with their group", async () => {
    const r = await group(ann, ben);
    await ann.ask(PIN, { id: (await ann.send("the end", r)).id });
    expect(await redis.client.ttl(`pins:{room:${r}}`)).toBe(-1);
    for (const client of [ben, ann]) await client.ask("mutation ($r: ID!) { leaveRoom(roomId: $r) }", { r });
    expect(await redis.client.ttl(`pins:{room:${r}}`)).toBeGreaterThan(0);
  });
});
