import { once } from "node:events";
import { expect, it, vi } from "vitest";
import { Channels } from "../../src/log/channels.js";
import { connectRedis } from "../../src/redis/connect.js";
import { acquaint } from "../helpers/acquaint.js";
import { cleanUp } from "../helpers/cleanup.js";
import { TestClient } from "../helpers/client.js";
import { ownCluster } from "../helpers/cluster.js";
import { DemoApp } from "../helpers/demo-apps.js";
import { silent } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";
import { sendUnheard } from "../helpers/unheard.js";

const { urls, listeners, nodeOf } = await ownCluster();

it("[RUN9] shares accounts, rooms, history, presence and live messages on a Redis Cluster", async () => {
  const one = await ownServer(urls.join(","));
  const two = await ownServer(urls.join(","), { demoData: true });
  const users = await Promise.all(Array.from({ length: 6 }, (_, n) => TestClient.register(n % 2 ? one : two, `user${n}`)));
  const [alice, bob] = users as [TestClient, TestClient];
  await bob.subscribe("{ me { id } }").next(); // bob is online from now on
  const watching = alice.subscribe("subscription ($ids: [ID!]) { userOnline(userIds: $ids) { id online } }", { ids: [bob.id] });
  const shown = bob.subscribe("subscription { roomShown { id } }");

  await expect.poll(() => listeners("online_users")).toBe(1);
  await bob.subscribe("{ me { id } }").next(); // the subscription runs once this returns
  expect(await listeners(`user:${bob.id}`)).toBe(1); // shared by his socket and the subscription

  const rooms = await Promise.all(
    users
      .slice(1)
      .map(
        async ({ id }) => (await alice.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id position } }", { id })).openPrivateRoom,
      ),
  );
  const after = [await alice.position(), ...rooms.map(({ position }) => position)];
  const followed = alice.on(one).follow({ after });
  for (const [n, user] of users.entries()) {
    await user.send(`general ${n}`);
    if (n > 0) await user.send(`private ${n}`, rooms[n - 1].id);
  }
  const texts = await followed.texts(11);
  expect(texts.filter((text) => text.startsWith("general"))).toEqual(users.map((_, n) => `general ${n}`));
  expect(texts.filter((text) => text.startsWith("private"))).toHaveLength(5);

  const listed = await alice.ask("{ rooms { nodes { id lastMessage { from { id } } } } users { totalCount } }");
  expect(listed.rooms.nodes).toHaveLength(6);
  expect(listed.users.totalCount).toBe(10); // including four demo users
  expect(await shown.next()).toEqual({ id: rooms[0].id });
  await bob.disconnect();
  expect(await watching.next()).toEqual({ id: bob.id, online: false });
});

it("[RUN9] adds, notifies and removes group members on every server of a Redis Cluster", async () => {
  const one = await ownServer(urls.join(","));
  const two = await ownServer(urls.join(","));
  const [ann, ben, cid] = await Promise.all([one, two, two].map((server) => TestClient.register(server)));
  if (!ann || !ben || !cid) throw new Error("expected three users");
  await acquaint(ann, ben, cid);
  const create = 'mutation ($m: [ID!]!) { createRoom(name: "Us", memberIds: $m) { id position } }';
  const rooms = await Promise.all(Array.from({ length: 6 }, () => ann.ask(create, { m: [ben.id] })));
  for (const { createRoom: room } of rooms) {
    const ids = { r: room.id, u: cid.id };
    const followed = [ben, ben.on(one)].map((client) => client.follow({ roomId: room.id, after: [room.position] }));
    await ann.ask("mutation ($r: ID!, $u: ID!) { addMember(roomId: $r, userId: $u) { id } }", ids);
    await ann.ask('mutation ($r: ID!) { renameRoom(roomId: $r, name: "We") { id } }', { r: room.id });
    await cid.send("hello", room.id);
    for (const stream of followed) expect(await stream.texts(1)).toEqual(["hello"]);
    await ann.ask("mutation ($r: ID!, $u: ID!) { removeMember(roomId: $r, userId: $u) { id } }", { r: room.id, u: ben.id });
    for (const stream of followed) expect(await stream.refusal()).toBe("NOT_A_MEMBER");
    await ann.ask("mutation ($r: ID!) { leaveRoom(roomId: $r) }", { r: room.id });
  }
  const { nodes: listed } = (await cid.ask("{ rooms { nodes { name members(first: 5) { nodes { role user { id } } } } } }")).rooms;
  expect(listed.filter(({ name }: { name: string }) => name === "We")).toHaveLength(6);
  expect(listed[0].members.nodes).toEqual([{ role: "OWNER", user: { id: cid.id } }]);
});

it("[D1] catches up at once after a lost shard connection, without waiting for another event", async () => {
  const one = await ownServer(urls.join(","));
  const alice = await TestClient.register(one, "alice");
  const followed = alice.follow({ roomId: "0", after: [await alice.position()] });
  await alice.send("heard");
  expect(await followed.texts(1)).toEqual(["heard"]);

  expect(await sendUnheard(nodeOf("room:0"), alice.id, "unheard")).toBeGreaterThanOrEqual(1);
  expect(await followed.texts(1)).toEqual(["unheard"]);
});

it("[FEED1] keeps a channel that was left and joined again while its shard connection was lost", async () => {
  const { subscriber, close } = await connectRedis(urls, {}, silent);
  cleanUp(close);
  const leaving = vi.spyOn(subscriber, "sunsubscribe"); // the client resends this by itself
  const channels = new Channels(subscriber, silent);
  const leave = await channels.subscribe("room:left", () => {});

  const back = once(subscriber, "subscribersReady");
  await nodeOf("room:left").call("CLIENT", "KILL", "TYPE", "pubsub");
  leave();
  await back;
  await channels.subscribe("room:left", () => {});
  await Promise.allSettled(leaving.mock.results.map(({ value }) => value));
  expect(await listeners("room:left")).toBe(1);
});

it("[I1] delivers a demo app's message on a cluster too", async () => {
  const one = await ownServer(urls.join(","));
  const two = await ownServer(urls.join(","));
  const alice = await TestClient.register(one, "alice");
  const followed = alice.follow({ roomId: "0", after: [await alice.position()] });
  await alice.on(two).send("heard");
  expect(await followed.texts(1)).toEqual(["heard"]);
  const { member, score } = new DemoApp("Node", nodeOf("room:0")).store({
    roomId: "0",
    from: alice.id,
    text: "from a demo app",
    date: 1_795_325_003,
  });
  await nodeOf("room:0").zadd("room:0", score, member);
  await nodeOf("total_users").publish("MESSAGES", `{"serverId":"192.0.2.2:7121","type":"message","data":${member}}`);
  expect(await followed.texts(1)).toEqual(["from a demo app"]);
});
