import { execute, parse } from "graphql";
import { describe, expect, it } from "vitest";
import { Contexts } from "../../src/api/create-context.js";
import { features } from "../../src/features.js";
import { assemble, loaders } from "../../src/program/platform.js";
import { buildApi } from "../../src/program/schema.js";
import { readConfig } from "../../src/program/settings.js";
import { connectRedis } from "../../src/redis/connect.js";
import { acquaint, introduce } from "../helpers/acquaint.js";
import { cleanUp } from "../helpers/cleanup.js";
import { type Stream, TestClient } from "../helpers/client.js";
import { user } from "../helpers/ids.js";
import { proxyTo } from "../helpers/proxy.js";
import { ownRedis, silent } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);
const [ann, ben, cid, eve] = await Promise.all([
  TestClient.register(one, "ann"),
  TestClient.register(two, "ben"),
  TestClient.register(one, "cid"),
  TestClient.register(two, "eve"),
]);
await acquaint(ann, ben, cid, eve);

const CREATE = `mutation ($n: String!, $m: [ID!]!, $i: Boolean) {
  createRoom(name: $n, memberIds: $m, membersMayInvite: $i) { id kind name names membersMayInvite position }
}`;
const ADD = "mutation ($r: ID!, $u: ID!) { addMember(roomId: $r, userId: $u) { id } }";
const REMOVE = "mutation ($r: ID!, $u: ID!) { removeMember(roomId: $r, userId: $u) { id } }";
const LEAVE = "mutation ($r: ID!) { leaveRoom(roomId: $r) }";
const RENAME = "mutation ($r: ID!, $n: String!) { renameRoom(roomId: $r, name: $n) { id name names } }";
const SEND = 'mutation ($r: ID!) { send(roomId: $r, text: "hi") { id } }';
const MEMBERS = `query ($r: ID!, $f: Int, $a: String) {
  room(id: $r) {
    members(first: $f, after: $a) { totalCount nodes { role joinedAt user { id } } pageInfo { hasNextPage hasPreviousPage endCursor } }
  }
}`;
const EVENTS = `subscription ($r: ID, $a: [String!]) {
  roomEvents(roomId: $r, after: $a) {
    __typename roomId position
    ... on MessageAdded { message { text } }
    ... on MemberJoined { user { id } by { id } }
    ... on MemberLeft { user { id } by { id } newOwner { id } }
    ... on RoomRenamed { name by { id } }
  }
}`;

async function group(owner: TestClient, members: TestClient[], { invite = false, name = "A group" } = {}) {
  const { createRoom } = await owner.ask(CREATE, { n: name, m: members.map(({ id }) => id), i: invite });
  return createRoom as { id: string; position: string };
}

const codeOf = async (client: TestClient, query: string, variables: object) =>
  (await client.refused(query, { ...variables })).extensions.code;

async function membersOf(client: TestClient, r: string): Promise<[string, string][]> {
  const { nodes } = (await client.ask(MEMBERS, { r, f: 100 })).room.members;
  return nodes.map(({ role, user }: { role: string; user: { id: string } }) => [user.id, role]);
}

const listOf = async (client: TestClient): Promise<string[]> =>
  (await client.ask("{ rooms { nodes { id } } }")).rooms.nodes.map(({ id }: { id: string }) => id);

/** The next events, abbreviated. */
async function events(stream: Stream, count: number): Promise<string[]> {
  const told: string[] = [];
  while (told.length < count) {
    const { __typename, message, user, name } = await stream.next();
    told.push(`${__typename} ${message?.text ?? user?.id ?? name}`);
  }
  return told;
}

/** Starts a subscription, and waits until it runs. */
async function begun(client: TestClient, query: string, variables: object = {}): Promise<Stream> {
  const stream = client.subscribe(query, { ...variables });
  await client.subscribe("{ me { id } }").next(); // the subscription runs once this returns
  return stream;
}

/** Subscribes to all rooms, and waits until the subscription runs. */
async function followingAll(client: TestClient, query = EVENTS): Promise<Stream> {
  const stream = client.subscribe(query, { a: [await client.position()] });
  await ann.send("begun");
  await stream.next();
  return stream;
}

describe("a group", () => {
  it("[GROUP1] has a name, an owner, and members in the order of joining", async () => {
    const room = await group(ann, [ben, cid, ben, ann]);
    expect(room).toMatchObject({ kind: "GROUP", name: "A group", names: ["A group"], membersMayInvite: false });
    expect(room.id).toMatch(/^9\d{17}$/);
    expect(await membersOf(ben, room.id)).toEqual([
      [ann.id, "OWNER"],
      [ben.id, "MEMBER"],
      [cid.id, "MEMBER"],
    ]);
    const { members } = (await cid.ask(MEMBERS, { r: room.id, f: 2 })).room;
    expect(members).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    expect(new Date(members.nodes[0].joinedAt).getTime()).toBeGreaterThan(Date.now() - 60_000);
    const next = (await cid.ask(MEMBERS, { r: room.id, f: 2, a: members.pageInfo.endCursor })).room.members;
    expect(next.nodes).toMatchObject([{ user: { id: cid.id } }]);
    expect(next.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });

  it("[GROUP1] lists its members, as General lists everyone, and a private room its two members", async () => {
    const { openPrivateRoom: room } = await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ben.id });
    expect(await membersOf(ben, room.id)).toEqual([ann, ben].map(({ id }) => [id, "MEMBER"]).sort());
    const { members } = (await ann.ask(MEMBERS, { r: "0", f: 2 })).room;
    const { users } = await ann.ask("{ users(first: 2) { totalCount nodes { id } } }");
    expect(members.totalCount).toBe(users.totalCount);
    expect(members.nodes).toMatchObject(users.nodes.map(({ id }: { id: string }) => ({ role: "MEMBER", joinedAt: null, user: { id } })));
    const next = (await ann.ask(MEMBERS, { r: "0", f: 1, a: members.pageInfo.endCursor })).room.members;
    expect(next.nodes[0].user.id).toBe(String(Number(users.nodes[1].id) + 1));
    expect(await codeOf(ann, MEMBERS, { r: "0", a: "nonsense" })).toBe("BAD_USER_INPUT");
  });

  it("[GROUP2] does not reveal anything to non-members, not even whether it exists", async () => {
    const room = await group(ann, [ben]);
    const { id, position } = await ann.send("secret", room.id);
    const nobodys = "912345678901234567";
    for (const r of [room.id, nobodys]) {
      const answers = await Promise.all([
        eve.refused("query ($r: ID!) { room(id: $r) { id } }", { r }),
        eve.refused("query ($r: ID!) { messages(roomId: $r) { position } }", { r }),
        eve.refused(SEND, { r }),
        eve.refused(ADD, { r, u: eve.id }),
        eve.refused(REMOVE, { r, u: ann.id }),
        eve.refused(RENAME, { r, n: "Mine" }),
        eve.refused("mutation ($id: ID!) { markRead(messageId: $id) { id } }", { id: id.replace(room.id, r) }),
      ]);
      for (const { message, extensions } of answers)
        expect([extensions.code, message]).toEqual(["NOT_A_MEMBER", `You are not a member of room ${r}.`]);
      expect(await eve.ask(LEAVE, { r })).toEqual({ leaveRoom: true }); // the same answer for both
      expect(await eve.follow({ roomId: r }).refusal()).toBe("NOT_A_MEMBER");
    }
    expect(await eve.follow({ roomId: room.id, after: [position] }).refusal()).toBe("NOT_A_MEMBER");
    expect(await redis.client.keys(`*${nobodys}*`)).toEqual([]);
    const all = eve.follow({ after: [position, await eve.position()] });
    await ann.send("not for eve", room.id);
    await ann.send("for all");
    expect(await all.texts(1)).toEqual(["for all"]);
  });

  it("[GROUP3] lets its owner rename, add and remove; members can only add, and only if allowed", async () => {
    const room = await group(ann, [ben]);
    expect(await codeOf(ben, RENAME, { r: room.id, n: "Mine" })).toBe("FORBIDDEN");
    expect(await codeOf(ben, ADD, { r: room.id, u: cid.id })).toBe("FORBIDDEN");
    expect(await listOf(cid)).not.toContain(room.id);
    const LET = "mutation ($r: ID!, $on: Boolean) { letMembersInvite(roomId: $r, on: $on) { membersMayInvite } }";
    expect(await codeOf(ben, LET, { r: room.id })).toBe("FORBIDDEN");
    expect((await ann.ask(LET, { r: room.id })).letMembersInvite).toEqual({ membersMayInvite: true });
    await ben.ask(ADD, { r: room.id, u: cid.id });
    await ben.ask(ADD, { r: room.id, u: cid.id }); // idempotent
    expect(await membersOf(cid, room.id)).toHaveLength(3);
    expect(await codeOf(ben, REMOVE, { r: room.id, u: cid.id })).toBe("FORBIDDEN");
    expect(await codeOf(ben, REMOVE, { r: room.id, u: ann.id })).toBe("FORBIDDEN");
    expect(await codeOf(ann, REMOVE, { r: room.id, u: ann.id })).toBe("BAD_USER_INPUT");
    await ann.ask(REMOVE, { r: room.id, u: cid.id });
    await ann.ask(REMOVE, { r: room.id, u: cid.id });
    expect(await membersOf(ann, room.id)).toHaveLength(2);
    await ann.ask(LET, { r: room.id, on: false });
    expect(await codeOf(ben, ADD, { r: room.id, u: cid.id })).toBe("FORBIDDEN");
    expect((await ann.ask(RENAME, { r: room.id, n: "Renamed" })).renameRoom).toMatchObject({ name: "Renamed", names: ["Renamed"] });
    expect(await redis.client.get(`room:${room.id}:name`)).toBe("Renamed"); // the name in the demo apps
  });

  it("[GROUP3] never lets an owner be removed, even by another owner", async () => {
    const room = await group(ann, [ben, cid]);
    await redis.client.hset(`members:{room:${room.id}}`, ben.id, "OWNER 5");
    expect(await codeOf(ann, REMOVE, { r: room.id, u: ben.id })).toBe("FORBIDDEN");
    await ann.ask(LEAVE, { r: room.id });
    expect(await membersOf(cid, room.id)).toEqual([
      [ben.id, "OWNER"],
      [cid.id, "MEMBER"],
    ]);
  });

  it("[GROUP4] passes to the longest member when its owner leaves, and ends with the last member", async () => {
    const room = await group(ann, [ben]);
    await ann.ask(ADD, { r: room.id, u: cid.id });
    const stream = await begun(cid, EVENTS, { r: room.id });
    await ann.ask(LEAVE, { r: room.id });
    expect(await stream.next()).toMatchObject({ user: { id: ann.id }, by: { id: ann.id }, newOwner: { id: ben.id } });
    expect(await membersOf(cid, room.id)).toEqual([
      [ben.id, "OWNER"],
      [cid.id, "MEMBER"],
    ]);
    await ben.ask(LEAVE, { r: room.id });
    await cid.ask(LEAVE, { r: room.id });
    for (const client of [ann, ben, cid]) {
      expect(await codeOf(client, SEND, { r: room.id })).toBe("NOT_A_MEMBER");
      expect(await listOf(client)).not.toContain(room.id);
    }
    for (const key of ["log", "meta"]) expect(await redis.client.ttl(`${key}:{room:${room.id}}`)).toBeGreaterThan(86_000);
    expect(await redis.client.get(`room:${room.id}:name`)).toBe("A group"); // a demo app may still list it
  });

  it("[GROUP5] refuses calls that break a rule, and names the rule", async () => {
    const room = await group(ann, []);
    for (const n of ["", " ", "x".repeat(65), "a\nb", " a", "\u0000"]) {
      expect(await ann.refused(CREATE, { n, m: [] })).toMatchObject({ extensions: { code: "BAD_USER_INPUT", argument: "name" } });
      expect(await codeOf(ann, RENAME, { r: room.id, n })).toBe("BAD_USER_INPUT");
    }
    expect(await codeOf(ann, CREATE, { n: "x", m: ["999999"] })).toBe("NOT_FOUND");
    expect(await codeOf(ann, CREATE, { n: "x", m: ["x"] })).toBe("BAD_USER_INPUT");
    expect(await codeOf(ann, CREATE, { n: "x", m: Array.from({ length: 101 }, (_, n) => String(n + 1)) })).toBe("BAD_USER_INPUT");
    expect(await codeOf(ann, ADD, { r: room.id, u: "999999" })).toBe("NOT_FOUND");
    const { openPrivateRoom: withBen } = await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ben.id });
    for (const r of ["0", withBen.id, "98:99", "named"]) {
      expect(await codeOf(ann, LEAVE, { r })).toBe("FORBIDDEN");
      expect(await codeOf(ann, RENAME, { r, n: "x" })).toBe("FORBIDDEN");
      expect(await codeOf(ann, ADD, { r, u: ben.id })).toBe("FORBIDDEN");
      expect(await codeOf(ann, REMOVE, { r, u: ben.id })).toBe("FORBIDDEN");
    }
    expect(await codeOf(ann, LEAVE, { r: "no id" })).toBe("BAD_USER_INPUT");
    const { joinAsGuest } = await ann.ask('mutation { joinAsGuest(name: "Guest") { token user { id } } }');
    const guest = new TestClient(one.url, joinAsGuest.token, joinAsGuest.user.id);
    expect(await codeOf(guest, CREATE, { n: "x", m: [] })).toBe("FORBIDDEN");
    await introduce(ann, [guest]);
    await ann.ask(ADD, { r: room.id, u: guest.id });
    await guest.send("hello", room.id);
  });

  it("[GROUP5] limits members per group and rooms per user", async () => {
    const dora = await TestClient.register(one, "dora");
    await introduce(ann, [dora]);
    const room = await group(ann, []);
    const crowd = Object.fromEntries(Array.from({ length: 999 }, (_, n) => [String(100_000 + n), `MEMBER ${n + 1}`]));
    await redis.client.hset(`members:{room:${room.id}}`, crowd);
    expect(await codeOf(ann, ADD, { r: room.id, u: dora.id })).toBe("FORBIDDEN");
    expect(await listOf(dora)).not.toContain(room.id);

    const ids = Array.from({ length: 500 }, (_, n) => (n % 2 ? `group-${String(n).padStart(16, "0")}` : `9${String(n).padStart(17, "0")}`));
    await redis.client.sadd(`user:${dora.id}:rooms`, ...ids);
    const small = await group(ann, []);
    expect(await codeOf(ann, ADD, { r: small.id, u: dora.id })).toBe("FORBIDDEN");
    expect(await codeOf(dora, CREATE, { n: "x", m: [ann.id] })).toBe("FORBIDDEN");
    await dora.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ann.id });
    const privateRooms = Array.from({ length: 5_000 }, (_, n) => `${dora.id}:${n + 1_000_000}`);
    await redis.client.sadd(`user:${dora.id}:rooms`, ...privateRooms); // opened by others
    await dora.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: eve.id });
    await redis.client.sadd(`opened:{user:${dora.id}}`, ...privateRooms);
    expect(await codeOf(dora, "mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: cid.id })).toBe("FORBIDDEN");
    await ben.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: dora.id }); // others still can
  });

  it("[LIMIT1] counts room creation and member changes as sends", async () => {
    const limited = await ownServer(redis.url, { rateLimits: true, sendsPerSecond: 1, sendBurst: 3 });
    const fred = await TestClient.register(limited, "fred");
    const codes = await Promise.all(
      Array.from({ length: 12 }, async () => (await fred.request(CREATE, { n: "x", m: [] })).errors?.[0]?.extensions.code ?? "made"),
    );
    expect(codes).toContain("RATE_LIMITED");
    expect(codes.filter((code) => code === "made").length).toBeLessThan(8);
  });
});

describe("a subscription to a group", () => {
  it("[GROUP6] delivers joins, leaves and renames, also when it resumes", async () => {
    const room = await group(ann, [ben]);
    const stream = ben.subscribe(EVENTS, { r: room.id, a: [room.position] });
    await ann.ask(ADD, { r: room.id, u: cid.id });
    await ann.ask(RENAME, { r: room.id, n: "Another" });
    await ann.ask(RENAME, { r: room.id, n: "Another" }); // no event, as nothing changes
    await cid.ask(LEAVE, { r: room.id });
    await ann.send("and on", room.id);
    const told = [`MemberJoined ${cid.id}`, "RoomRenamed Another", `MemberLeft ${cid.id}`, "MessageAdded and on"];
    expect(await events(stream, 4)).toEqual(told);
    expect(await events(ben.on(one).subscribe(EVENTS, { a: [room.position] }), 4)).toEqual(told);
  });

  it("[GROUP7] is announced by roomShown to new members only, on each of their devices", async () => {
    const shown = "subscription { roomShown { id name } }";
    const streams = await Promise.all([ann, ann.on(two), ben, cid].map((client) => begun(client, shown)));
    const room = await group(ann, [ben], { name: "Shown" });
    for (const stream of streams.slice(0, 3)) expect(await stream.next()).toEqual({ id: room.id, name: "Shown" });
    await ann.ask(ADD, { r: room.id, u: cid.id });
    expect(await streams[3]?.next()).toEqual({ id: room.id, name: "Shown" });
    const marker = await group(ann, [ben]);
    expect(await streams[2]?.next()).toMatchObject({ id: marker.id });
  });

  it("[GROUP8] starts at the join when subscribed to all rooms; earlier messages are in the history", async () => {
    const stream = await followingAll(cid);
    const room = await group(ann, [ben]);
    await ann.send("before", room.id);
    await ann.ask(ADD, { r: room.id, u: cid.id });
    await ann.send("after", room.id);
    expect(await events(stream, 2)).toEqual([`MemberJoined ${cid.id}`, "MessageAdded after"]);
    expect(await cid.history(room.id)).toEqual(["before", "after"]);
  });

  it("[GROUP8] starts even if the join happened while the server's connection was down", async () => {
    const stream = await followingAll(cid);
    const room = await group(ann, [ben]);
    await ann.send("before", room.id);
    // Joins without an announcement on the user's channel, as if the connection had lost it.
    await ann.ask(ADD, { r: room.id, u: eve.id });
    const [entry, joined] = await Promise.all([
      redis.client.hget(`members:{room:${room.id}}`, eve.id),
      redis.client.hget(`meta:{room:${room.id}}`, `joined:${eve.id}`),
    ]);
    await redis.client.hset(`members:{room:${room.id}}`, cid.id, entry as string);
    await redis.client.hset(`meta:{room:${room.id}}`, `joined:${cid.id}`, joined as string);
    await redis.client.sadd(`user:${cid.id}:rooms`, room.id);
    await ann.send("not heard", room.id);
    await redis.client.call("CLIENT", "KILL", "TYPE", "pubsub");
    expect(await events(stream, 2)).toEqual([`MemberJoined ${eve.id}`, "MessageAdded not heard"]);
  });

  it.each(["one", "two"])("[D5] ends with the removal of its user as the last event, on server %s", async (server) => {
    const room = await group(ann, [ben, cid]);
    const there = ben.on(server === "one" ? one : two);
    const after = [room.position];
    const alone = there.subscribe(EVENTS, { r: room.id, a: after });
    const messages = there.follow({ roomId: room.id, after });
    const all = there.subscribe(EVENTS, { a: [...after, await ben.position()] });
    const others = cid.subscribe(EVENTS, { r: room.id, a: after });
    await ann.send("still in", room.id);
    expect(await events(alone, 1)).toEqual(["MessageAdded still in"]);
    expect(await events(all, 1)).toEqual(["MessageAdded still in"]);
    expect(await messages.texts(1)).toEqual(["still in"]);

    await ann.ask(REMOVE, { r: room.id, u: ben.id });
    await ann.send("without ben", room.id);
    await ann.send("to all");
    expect(await alone.next()).toMatchObject({ __typename: "MemberLeft", user: { id: ben.id }, by: { id: ann.id } });
    expect(await alone.refusal()).toBe("NOT_A_MEMBER");
    expect(await messages.refusal()).toBe("NOT_A_MEMBER");
    expect(await events(all, 2)).toEqual([`MemberLeft ${ben.id}`, "MessageAdded to all"]);
    expect(await events(others, 3)).toEqual(["MessageAdded still in", `MemberLeft ${ben.id}`, "MessageAdded without ben"]);
    expect(await there.follow({ roomId: room.id, after }).refusal()).toBe("NOT_A_MEMBER");

    await ann.ask(ADD, { r: room.id, u: ben.id });
    await ann.send("with ben again", room.id);
    expect(await events(all, 2)).toEqual([`MemberJoined ${ben.id}`, "MessageAdded with ben again"]);
    expect(await events(others, 2)).toEqual([`MemberJoined ${ben.id}`, "MessageAdded with ben again"]);
  });

  it("[D5] resumes with the events until the user left and from the rejoin, without those between", async () => {
    const room = await group(ann, [ben, cid]);
    const general = await ben.position();
    await ann.send("in", room.id);
    await ann.ask(REMOVE, { r: room.id, u: ben.id });
    await ann.send("between", room.id);
    const gone = ben.subscribe(EVENTS, { a: [room.position, general] });
    await ann.send("to all");
    expect(await events(gone, 1)).toEqual(["MessageAdded to all"]); // the position of a room that they are not in is ignored
    await ann.ask(ADD, { r: room.id, u: ben.id });
    expect(await events(gone, 1)).toEqual([`MemberJoined ${ben.id}`]);
    await ann.send("in again", room.id);
    const told = ["MessageAdded in", `MemberLeft ${ben.id}`, `MemberJoined ${ben.id}`, "MessageAdded in again"];
    expect(await events(ben.subscribe(EVENTS, { r: room.id, a: [room.position] }), 4)).toEqual(told);
    expect(await events(ben.subscribe(EVENTS, { a: [room.position] }), 4)).toEqual(told);
    expect(await ben.follow({ roomId: room.id, after: [room.position] }).texts(2)).toEqual(["in", "in again"]);
  });

  it("[D5] resumes with the rejoin from any position between leaving and rejoining", async () => {
    const room = await group(ann, [ben, cid]);
    const there = ben.subscribe(EVENTS, { a: [room.position, await ben.position()] });
    await ann.send("in", room.id);
    expect(await events(there, 1)).toEqual(["MessageAdded in"]);
    await ann.ask(REMOVE, { r: room.id, u: ben.id });
    const left = await there.next();
    expect(left).toMatchObject({ __typename: "MemberLeft", user: { id: ben.id } });
    const { position: between } = await ann.send("between", room.id);
    await ann.send("also between", room.id);
    await ann.ask(ADD, { r: room.id, u: ben.id });
    await ann.send("in again", room.id);
    const told = [`MemberJoined ${ben.id}`, "MessageAdded in again"];
    for (const after of [left.position, between]) {
      expect(await events(ben.subscribe(EVENTS, { r: room.id, a: [after] }), 2)).toEqual(told);
      expect(await events(ben.on(one).subscribe(EVENTS, { a: [after] }), 2)).toEqual(told);
      expect(await ben.follow({ roomId: room.id, after: [after] }).texts(1)).toEqual(["in again"]);
    }
    await ann.ask(REMOVE, { r: room.id, u: ben.id });
    await ann.send("between again", room.id);
    await ann.ask(ADD, { r: room.id, u: ben.id });
    expect(await events(ben.subscribe(EVENTS, { r: room.id, a: [left.position] }), 4)).toEqual([
      ...told,
      `MemberLeft ${ben.id}`,
      `MemberJoined ${ben.id}`,
    ]);
  });

  it("[D5] contains no send after the event that its sender left", async () => {
    const room = await group(ann, [ben]);
    const sending = Promise.all(
      Array.from({ length: 60 }, async (_, n) => (await ben.on(n % 2 ? one : two).request(SEND, { r: room.id })).errors?.[0]),
    );
    await ann.ask(REMOVE, { r: room.id, u: ben.id });
    const refusals = (await sending).filter((error) => error !== undefined);
    for (const { extensions } of refusals) expect(extensions.code).toBe("NOT_A_MEMBER");
    expect(await ben.refused(SEND, { r: room.id })).toMatchObject({ message: `You are not a member of room ${room.id}.` });
    const log = (await redis.client.xrange(`log:{room:${room.id}}`, "-", "+")).map(([, [, json]]) => JSON.parse(json as string));
    const left = log.findIndex(({ kind }) => kind === "member.left");
    expect(log.slice(left + 1)).toEqual([]);
    expect(log.filter(({ kind }) => kind === "message.added")).toHaveLength(60 - refusals.length);
  });

  it("[D5] ends or does not start when it races with a removal", async () => {
    for (let round = 0; round < 10; round++) {
      const room = await group(ann, [ben]);
      const streams = [ben.on(one), ben, ben.on(two)].map((client) => client.follow({ roomId: room.id }));
      const all = ben.on(one).follow({ after: [await ben.position()] });
      await ann.ask(REMOVE, { r: room.id, u: ben.id });
      await ann.send("not for ben", room.id);
      for (const stream of streams) expect(await stream.refusal()).toBe("NOT_A_MEMBER");
      await ann.send("for all");
      expect(await all.texts(1)).toEqual(["for all"]);
      all.stop();
    }
  });
});

describe("races over two servers", () => {
  it("[GROUP9] add each of a hundred members once, with one event and one list entry", async () => {
    const people = await Promise.all(Array.from({ length: 100 }, (_, n) => TestClient.register(n % 2 ? one : two)));
    await introduce(ann, people);
    const room = await group(ann, [], { invite: true });
    await Promise.all(people.flatMap(({ id }) => [one, two].map((server) => ann.on(server).ask(ADD, { r: room.id, u: id }))));
    const members = await membersOf(ann, room.id);
    expect(members).toHaveLength(100); // a page
    expect((await ann.ask(MEMBERS, { r: room.id })).room.members.totalCount).toBe(101);
    const log = (await redis.client.xrange(`log:{room:${room.id}}`, "-", "+")).map(([, [, json]]) => JSON.parse(json as string));
    expect(new Set(log.map(({ userId }) => userId)).size).toBe(101);
    expect(log).toHaveLength(101);
    for (const person of people) expect(await redis.client.sismember(`user:${person.id}:rooms`, room.id)).toBe(1);
  });

  it("[GROUP9] of adding, removing and leaving keep room lists consistent with the members", async () => {
    for (let round = 0; round < 15; round++) {
      const room = await group(ann, [ben]);
      await Promise.all([
        ann.on(one).request(ADD, { r: room.id, u: ben.id }),
        ann.on(two).request(REMOVE, { r: room.id, u: ben.id }),
        ben.on(one).request(LEAVE, { r: room.id }),
        ben.on(two).ask("{ rooms { nodes { id } } }"), // removes rooms from the list that should not be there
        ann.on(two).request(ADD, { r: room.id, u: ben.id }),
        ann.on(one).request(REMOVE, { r: room.id, u: ben.id }),
        ben.on(one).ask("{ rooms { nodes { id } } }"),
        ann.on(one).request(ADD, { r: room.id, u: ben.id }),
      ]);
      const isIn = await redis.client.hexists(`members:{room:${room.id}}`, ben.id);
      await ben.ask("{ rooms { nodes { id } } }");
      await expect.poll(() => redis.client.sismember(`user:${ben.id}:rooms`, room.id)).toBe(isIn);
      const log = (await redis.client.xrange(`log:{room:${room.id}}`, "-", "+")).map(([, [, json]]) => JSON.parse(json as string));
      const deeds = log.filter(({ userId }) => userId === ben.id).map(({ kind }) => kind);
      deeds.forEach((kind, index) => {
        expect(kind).toBe(index % 2 ? "member.left" : "member.joined");
      });
      expect(deeds.at(-1)).toBe(isIn ? "member.joined" : "member.left");
    }
  });

  it("[GROUP9] of all members leaving keep exactly one owner until the group is empty", async () => {
    const people = [ann, ben, cid, eve];
    const room = await group(ann, [ben, cid, eve]);
    await Promise.all(people.map((person, n) => person.on(n % 2 ? one : two).ask(LEAVE, { r: room.id })));
    expect(await redis.client.exists(`members:{room:${room.id}}`)).toBe(0);
    const log = (await redis.client.xrange(`log:{room:${room.id}}`, "-", "+")).map(([, [, json]]) => JSON.parse(json as string));
    const left = log.filter(({ kind }) => kind === "member.left");
    expect(left).toHaveLength(4);
    expect(left.at(-1)).not.toHaveProperty("newOwner");
    let owner = ann.id;
    for (const { userId, newOwner } of left) if (userId === owner) owner = newOwner;
    expect(owner).toBeUndefined();
  });

  it("[GROUP9] of renames end with the same name for the demo apps and for Palaver", async () => {
    const room = await group(ann, []);
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 6 }, (_, n) => ann.on(n % 2 ? one : two).ask(RENAME, { r: room.id, n: `${round} ${n}` })));
      const { name } = (await ann.ask("query ($r: ID!) { room(id: $r) { name } }", { r: room.id })).room;
      expect(await redis.client.get(`room:${room.id}:name`)).toBe(name);
    }
  });
});

describe("many groups", () => {
  it("[GROUP10] are listed newest first, without left ones, in as few round trips as five groups", async () => {
    const { roundTrips, url, stop } = await proxyTo(redis.url);
    const server = await ownServer(url);
    const gina = (await TestClient.register(one, "gina")).on(server);
    const trips: number[] = [];
    const ids: string[] = [];
    for (const count of [5, 500]) {
      for (let n = ids.length; n < count; n++) ids.push((await group(gina, [])).id);
      await gina.send("newest", ids[3]);
      if (count === 500) await redis.client.hdel(`members:{room:${ids[7]}}`, gina.id); // as if a leave was cut off
      await gina.ask("{ rooms { nodes { id } } }"); // the first read indexes rooms that are not indexed yet
      const before = roundTrips();
      const { nodes: rooms } = (await gina.ask("{ rooms { nodes { id name kind lastMessage { text } } } }")).rooms;
      trips.push(roundTrips() - before);
      expect(rooms[0]).toEqual({ id: ids[3], name: "A group", kind: "GROUP", lastMessage: { text: "newest" } });
      expect(rooms).toHaveLength(count === 500 ? 50 : 6);
    }
    for (const count of trips) expect(count).toBeLessThanOrEqual(10);
    const listed = new Set<string>();
    for (let after: string | null = null, more = true; more; ) {
      const { rooms } = await gina.ask(
        "query ($a: String) { rooms(first: 100, after: $a) { nodes { id } pageInfo { hasNextPage endCursor } } }",
        {
          a: after,
        },
      );
      for (const { id } of rooms.nodes) listed.add(id);
      ({ hasNextPage: more, endCursor: after } = rooms.pageInfo);
    }
    expect(listed).toEqual(new Set(["0", ...ids.filter((id) => id !== ids[7])]));
    await expect.poll(() => redis.client.sismember(`user:${gina.id}:rooms`, ids[7] as string)).toBe(0);
    await gina.disconnect();
    await server.stop();
    await stop();
  });
});

describe("an event that is executed after its viewer has left the group", () => {
  it("[D5] has nothing of what the group contains now", async () => {
    const { id: r } = await group(ann, [ben]);
    const { id } = await ann.send("for both", r);
    const connections = await connectRedis([redis.url], {}, silent);
    const { platform, stores, close } = assemble(readConfig({ redis: redis.url }, {}), connections, "late", silent);
    cleanUp(async () => {
      await close();
      await connections.close();
    });
    await platform.health.start();
    const [rootValue] = await stores.messages.byIds([id]);
    const contexts = new Contexts(stores, loaders);
    const viewer = { id: ben.id, tokenHash: "", sessionId: "", guest: false };
    const schema = await buildApi(features);
    const document = parse("subscription { messageAdded { text room { lastMessage { text } members { totalCount } } } }");
    const executed = async () => {
      const contextValue = contexts.of({ ...viewer, id: user(viewer.id) }, { address: undefined, byCookie: false }, true);
      return (await execute({ schema, document, rootValue, contextValue })) as object;
    };
    expect(await executed()).toEqual({
      data: { messageAdded: { text: "for both", room: { lastMessage: { text: "for both" }, members: { totalCount: 2 } } } },
    });
    await ann.ask(REMOVE, { r, u: ben.id });
    await ann.send("without ben", r);
    expect(await executed()).toEqual({ data: { messageAdded: { text: "for both", room: { lastMessage: null, members: null } } } });
  });
});
