import { describe, expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { proxyTo } from "../helpers/proxy.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);

const openRoom = "mutation ($id: ID!) { openPrivateRoom(userId: $id) { id kind name names } }";
const listRooms = "{ rooms { nodes { id kind name names lastMessage { text } } } }";

async function pair(): Promise<[TestClient, TestClient]> {
  return [await TestClient.register(one, "ann"), await TestClient.register(two, "ben")];
}

describe("rooms", () => {
  it("[ROOM1] include General for everyone, even if a demo app left it without a name", async () => {
    const [ann] = await pair();
    expect((await ann.ask('{ room(id: "0") { id kind name names } }')).room).toEqual({
      id: "0",
      kind: "GENERAL",
      name: "General",
      names: ["General"],
    });
    expect((await ann.ask(listRooms)).rooms.nodes).toMatchObject([{ id: "0" }]);
  });

  it("[ROOM2] have, if private, both user ids in numeric order as id, and the other user's name", async () => {
    const [ann, ben] = await pair();
    const { openPrivateRoom: room } = await ben.ask(openRoom, { id: ann.id });
    const names = [ann.username, ben.username];
    expect(room).toEqual({ id: `${ann.id}:${ben.id}`, kind: "PRIVATE", name: ann.username, names });
    expect((await ann.ask(openRoom, { id: ben.id })).openPrivateRoom).toEqual({ ...room, name: ben.username });
  });

  it("[ROOM2] have the id 9:10 if private between users 9 and 10", async () => {
    const clients = await Promise.all(Array.from({ length: 12 }, () => TestClient.register(one)));
    const nine = clients.find(({ id }) => id === "9");
    const ten = clients.find(({ id }) => id === "10");
    if (!nine || !ten) throw new Error("no users 9 and 10");
    expect((await ten.ask(openRoom, { id: "9" })).openPrivateRoom.id).toBe("9:10");
  });

  it("[ROOM3] enter the opener's list when opened, and the other user's with the first message", async () => {
    const [ann, ben] = await pair();
    const { openPrivateRoom: room } = await ann.ask(openRoom, { id: ben.id });
    const ids = async (client: TestClient) => (await client.ask(listRooms)).rooms.nodes.map(({ id }: { id: string }) => id);
    expect(await ids(ann)).toContain(room.id);
    expect(await ids(ben)).toEqual(["0"]);
    await ann.send("hello, Ben", room.id);
    expect(await ids(ben)).toEqual([room.id, "0"]);
  });

  it("[ROOM4] are listed by their newest message, newest first, empty rooms last", async () => {
    const [ann, ben] = await pair();
    const cid = await TestClient.register(one, "cid");
    const withBen = (await ann.ask(openRoom, { id: ben.id })).openPrivateRoom.id;
    const withCid = (await ann.ask(openRoom, { id: cid.id })).openPrivateRoom.id;
    await ann.send("first", "0");
    await ann.send("second", withCid);
    const ids = (await ann.ask(listRooms)).rooms.nodes.map(({ id }: { id: string }) => id);
    expect(ids).toEqual([withCid, "0", withBen]);
    await ben.send("third", "0");
    expect((await ann.ask(listRooms)).rooms.nodes[0]).toMatchObject({ id: "0", lastMessage: { text: "third" } });
  });

  it("[ROOM5] notify both users, and only them, of a private room's first message once by roomShown", async () => {
    const [ann, ben] = await pair();
    const eve = await TestClient.register(one, "eve");
    const streams = [ann, ben, eve].map((client) => client.subscribe("subscription { roomShown { id name lastMessage { text } } }"));
    for (const client of [ann, ben, eve]) await client.subscribe("{ me { id } }").next(); // the subscription runs once this returns
    const room = (await ann.ask(openRoom, { id: ben.id })).openPrivateRoom.id;
    await ann.send("first", room, "with-an-id");
    await ann.send("second", room);
    const other = (await eve.ask(openRoom, { id: ann.id })).openPrivateRoom.id;
    await eve.send("hi", other);
    const [toAnn, toBen, toEve] = streams;
    expect(await toAnn?.next()).toEqual({ id: room, name: ben.username, lastMessage: expect.anything() });
    expect(await toBen?.next()).toMatchObject({ id: room, name: ann.username });
    expect(await toAnn?.next()).toMatchObject({ id: other, name: eve.username });
    expect(await toEve?.next()).toMatchObject({ id: other, name: ann.username });
  });

  it("[ROOM5] notify once even if the first send is retried, or its server dies before it notifies", async () => {
    const proxy = await proxyTo(redis.url);
    const far = await ownServer(proxy.url);
    const opened = async () => {
      const [ann, ben] = await pair();
      const shown = [ann, ben, ben.on(one)].map((client) => client.subscribe("subscription { roomShown { id } }"));
      for (const client of [ann, ben, ben.on(one)]) await client.subscribe("{ me { id } }").next();
      const { openPrivateRoom: room } = await ann.ask(openRoom, { id: ben.id });
      const cid = await TestClient.register(one, "cid");
      /** Asserts that both users got this room once, and then the next room. */
      const expectOnce = async () => {
        for (const stream of shown) expect(await stream.next()).toEqual({ id: room.id });
        for (const user of [ann, ben]) {
          const { openPrivateRoom: next } = await cid.ask(openRoom, { id: user.id });
          await cid.send("marker", next.id);
        }
        for (const stream of shown) expect((await stream.next()).id).toContain(cid.id);
        for (const user of [ann, ben]) await user.disconnect();
      };
      return { ann, room: room.id as string, expectOnce };
    };
    try {
      const { ann, room, expectOnce } = await opened();
      await Promise.all(Array.from({ length: 6 }, (_, n) => ann.on(n % 2 ? one : two).send("first", room, "once")));
      await ann.send("first", room, "once");
      await expectOnce();

      const query = 'mutation ($r: ID!) { send(roomId: $r, text: "first", clientMessageId: "once") { id } }';
      let died = 0;
      for (let bytes = 0, through = false; !through; bytes += 173) {
        const { ann, room, expectOnce } = await opened();
        proxy.comeBack();
        proxy.goAwayAfter(Number.POSITIVE_INFINITY);
        await expect.poll(async () => (await fetch(`${far.url}/readyz`)).status).toBe(200);
        proxy.goAwayAfter(bytes);
        through = (await ann.on(far).request(query, { r: room })).data != null && !proxy.isGone();
        if (!through && (await redis.client.hget(`meta:{room:${room}}`, "shown")) === "0") died++;
        if (died % 2 === 0) await ann.on(two).ask(query, { r: room });
        else await ann.send("another", room); // the next send completes the notification
        await expectOnce();
      }
      expect(died).toBeGreaterThan(0);
    } finally {
      proxy.comeBack();
      proxy.goAwayAfter(Number.POSITIVE_INFINITY);
      await far.stop();
      await proxy.stop();
    }
  });

  it("[ROOM6] cannot be written to if their opening was interrupted, until they are opened again", async () => {
    const [ann, ben] = await pair();
    const { openPrivateRoom: room } = await ann.ask(openRoom, { id: ben.id });
    await redis.client.srem(`user:${ann.id}:rooms`, room.id); // the last step of opening
    for (const user of [ann, ben]) {
      const { extensions } = await user.refused('mutation ($r: ID!) { send(roomId: $r, text: "hi") { id } }', { r: room.id });
      expect(extensions.code).toBe("NOT_FOUND");
    }
    await ann.ask(openRoom, { id: ben.id });
    await ann.send("hi", room.id);
  });

  it("[ROOM7] are listed without failing even if the database has invalid entries", async () => {
    const [ann] = await pair();
    await redis.client.sadd(`user:${ann.id}:rooms`, "no good id!", "7:3", "1:2:3", "named", `${ann.id}:999999`);
    await redis.client.set("room:named:name", "A named room");
    await redis.client.zadd("room:0", 5, JSON.stringify({ from: `${ann.id}:rooms`, message: "from a key of another type" }));
    await redis.client.zadd(`room:${ann.id}:999999`, 5, JSON.stringify({ from: "999999", message: "from nobody" }));
    const { nodes: rooms } = (await ann.ask("{ rooms { nodes { id name names lastMessage { text from { id name online } } } } }")).rooms;
    expect(rooms).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: "named", name: "A named room" }),
        expect.objectContaining({
          name: "Unknown user",
          lastMessage: { text: "from nobody", from: { id: "999999", name: "Unknown user", online: false } },
        }),
      ]),
    );
    expect(rooms).toHaveLength(3);
    const { messages } = await ann.ask('{ messages(roomId: "0", first: 1) { nodes { text from { name } } } }');
    expect(messages.nodes).toEqual([{ text: "from a key of another type", from: { name: "Unknown user" } }]);
  });
});
