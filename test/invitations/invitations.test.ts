import { describe, expect, it } from "vitest";
import { acquaint, introduce } from "../helpers/acquaint.js";
import { type Stream, TestClient } from "../helpers/client.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);

const CREATE = `mutation ($n: String!, $m: [ID!]!, $i: Boolean, $c: ID) {
  createRoom(name: $n, memberIds: $m, membersMayInvite: $i, clientRoomId: $c) { id position }
}`;
const ADD = "mutation ($r: ID!, $u: ID!) { addMember(roomId: $r, userId: $u) { id } }";
const REMOVE = "mutation ($r: ID!, $u: ID!) { removeMember(roomId: $r, userId: $u) { id } }";
const LEAVE = "mutation ($r: ID!) { leaveRoom(roomId: $r) }";
const ACCEPT = "mutation ($r: ID!) { acceptInvitation(roomId: $r) { id members { totalCount } } }";
const DECLINE = "mutation ($r: ID!) { declineInvitation(roomId: $r) }";
const BLOCK = "mutation ($u: ID!) { block(userId: $u) { id } }";
const INVITATION = "roomId roomName memberCount user { id } invitedBy { id } invitedAt expiresAt";
const INVITATIONS = `query ($f: Int, $a: String) {
  invitations(first: $f, after: $a) { nodes { ${INVITATION} } pageInfo { hasNextPage endCursor } }
}`;
const CHANGES = "subscription { invitationChanged { roomId invitation { invitedBy { id } } } }";

interface Page {
  nodes: { roomId: string }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

const person = (name: string, server = one) => TestClient.register(server, name);

async function group(owner: TestClient, members: TestClient[], { invite = false, name = "A group" } = {}): Promise<string> {
  return (await owner.ask(CREATE, { n: name, m: members.map(({ id }) => id), i: invite })).createRoom.id;
}

const codeOf = async (client: TestClient, query: string, variables: object) =>
  (await client.refused(query, { ...variables })).extensions.code;

const invitedTo = async (client: TestClient): Promise<string[]> =>
  (await client.ask(INVITATIONS, { f: 100 })).invitations.nodes.map(({ roomId }: { roomId: string }) => roomId);

const listOf = async (client: TestClient): Promise<string[]> =>
  (await client.ask("{ rooms { nodes { id } } }")).rooms.nodes.map(({ id }: { id: string }) => id);

const isIn = async (client: TestClient, room: string): Promise<boolean> => (await listOf(client)).includes(room);

/** Returns the users with an open invitation to a group that a member can see. */
async function invitees(client: TestClient, r: string): Promise<string[]> {
  const { room } = await client.ask("query ($r: ID!) { room(id: $r) { invitations { user { id } } } }", { r });
  return room.invitations.map(({ user }: { user: { id: string } }) => user.id);
}

async function begun(client: TestClient, query: string): Promise<Stream> {
  const stream = client.subscribe(query);
  await client.subscribe("{ me { id } }").next(); // the subscription runs once this returns
  return stream;
}

const eventsOf = async (room: string) =>
  (await redis.client.xrange(`log:{room:${room}}`, "-", "+")).map(([, [, json]]) => JSON.parse(json as string));

/** Asserts that no key holds anything about an invitation of the user. */
async function expectNoTrace(invitee: TestClient, inviter: TestClient, room: string): Promise<void> {
  expect(await redis.client.hexists(`invited:{room:${room}}`, invitee.id)).toBe(0);
  expect(await redis.client.zscore(`invitations:{user:${invitee.id}}`, room)).toBeNull();
  expect(await redis.client.zscore(`inviting:{user:${inviter.id}}`, `${invitee.id} ${room}`)).toBeNull();
}

describe("adding a user to a group", () => {
  it("[R10] invites a stranger, who is not a member before accepting", async () => {
    const [ann, ben, eve] = [await person("ann"), await person("ben", two), await person("eve")];
    await acquaint(ann, ben);
    const all = ben.follow({ after: [await ben.position()] });
    const strange = eve.on(two).subscribe("subscription { roomEvents { __typename } }");
    const shown = await begun(eve, "subscription { roomShown { id } }");
    for (const room of [await group(ann, [ben, eve], { name: "Both" }), await group(ann, [ben])]) {
      await ann.ask(ADD, { r: room, u: eve.id });
      await ann.send(`hello @${eve.username}`, room);
      expect(await all.texts(1)).toEqual([`hello @${eve.username}`]);
      expect(await redis.client.hkeys(`members:{room:${room}}`)).toEqual([ann.id, ben.id]);
      expect(await redis.client.smembers(`user:${eve.id}:rooms`)).toEqual(["0"]); // the demo apps show this list
      expect((await eventsOf(room)).filter(({ userId }) => userId === eve.id)).toEqual([]);
      for (const query of [
        "query ($r: ID!) { room(id: $r) { id } }",
        "query ($r: ID!) { messages(roomId: $r) { position } }",
        'mutation ($r: ID!) { send(roomId: $r, text: "hi") { id } }',
        "mutation ($r: ID!) { setTyping(roomId: $r) }",
        'mutation ($r: ID!) { renameRoom(roomId: $r, name: "Mine") { id } }',
      ])
        expect(await codeOf(eve, query, { r: room })).toBe("NOT_A_MEMBER");
      expect(await eve.follow({ roomId: room }).refusal()).toBe("NOT_A_MEMBER");
      expect((await eve.ask("{ mentions { nodes { id } } }")).mentions.nodes).toEqual([]);
    }
    expect(await listOf(eve)).toEqual(["0"]);
    await ann.send("for all");
    expect(await strange.next()).toEqual({ __typename: "MessageAdded" }); // the first event it delivers
    const [newest = "", first = ""] = await invitedTo(eve);
    await eve.ask(ACCEPT, { r: first });
    expect(await shown.next()).toEqual({ id: first });
    expect(await eve.history(first)).toEqual([`hello @${eve.username}`]);
    expect(await listOf(eve)).toContain(first);
    expect(await listOf(eve)).not.toContain(newest);
    expect((await eventsOf(first)).at(-1)).toMatchObject({ kind: "member.joined", userId: eve.id, by: ann.id });
    await expectNoTrace(eve, ann, first);
  });

  it("[R10] adds those who share a group or both wrote in private; General does not count", async () => {
    const [ann, ben, cid] = [await person("ann"), await person("ben"), await person("cid")];
    const { openPrivateRoom: room } = await ann.ask("mutation ($u: ID!) { openPrivateRoom(userId: $u) { id } }", { u: ben.id });
    await ann.send("hello", room.id);
    for (const someone of [ann, ben, cid]) await someone.send("hello all");
    expect(await isIn(ben, await group(ann, [ben]))).toBe(false);
    expect(await isIn(ann, await group(ben, [ann]))).toBe(false);
    await ben.send("hello", room.id);
    expect(await isIn(ben, await group(ann, [ben]))).toBe(true);
    expect(await isIn(ann, await group(ben, [ann]))).toBe(true);

    const { createRoom } = await ann.ask(CREATE, { n: "Shared", m: [ben.id, cid.id] });
    expect(await isIn(ben, await group(cid, [ben]))).toBe(false); // an invitation is not a membership
    await cid.ask(ACCEPT, { r: createRoom.id });
    expect(await isIn(ben, await group(cid, [ben]))).toBe(true);
    await redis.client.del(`user:${cid.id}:rooms`);
    await redis.client.sadd(`user:${cid.id}:rooms`, "0", createRoom.id);
    await cid.ask(LEAVE, { r: createRoom.id });
    const dan = await person("dan");
    await redis.client.sadd(`user:${dan.id}:rooms`, createRoom.id); // as if a crash interrupted leaving
    expect(await isIn(ben, await group(dan, [ben]))).toBe(false);
  });

  it("[R10] turns an invitation into a membership when an acquaintance adds the user", async () => {
    const [ann, ben, eve] = [await person("ann"), await person("ben"), await person("eve", two)];
    await acquaint(ann, ben);
    await introduce(ben, [eve]);
    const room = await group(ann, [ben, eve], { invite: true });
    expect(await invitedTo(eve)).toEqual([room]);
    await ben.ask(ADD, { r: room, u: eve.id });
    expect(await listOf(eve)).toContain(room);
    await expectNoTrace(eve, ann, room);
    expect(await eve.ask(DECLINE, { r: room })).toEqual({ declineInvitation: true });
    expect(await listOf(eve)).toContain(room);
  });

  it("[R10] lets guests add acquaintances, but not invite strangers; others can invite guests", async () => {
    const [ann, ben] = [await person("ann"), await person("ben")];
    const { joinAsGuest } = await ann.ask('mutation { joinAsGuest(name: "Gus") { token user { id } } }');
    const gus = new TestClient(one.url, joinAsGuest.token, joinAsGuest.user.id);
    const room = await group(ann, [gus], { invite: true });
    expect(await invitedTo(gus)).toEqual([room]);
    await gus.ask(ACCEPT, { r: room });
    expect(await codeOf(gus, ADD, { r: room, u: ben.id })).toBe("FORBIDDEN");
    await introduce(gus, [ben]);
    await gus.ask(ADD, { r: room, u: ben.id });
    expect(await listOf(ben)).toContain(room);
  });
});

describe("an invitation", () => {
  it("[INV1] shows group, inviter and member count; the owner and the inviter see the invitee", async () => {
    const [ann, ben, cid, eve] = [await person("ann"), await person("ben"), await person("cid"), await person("eve", two)];
    await acquaint(ann, ben, cid);
    const room = await group(ann, [ben, cid], { invite: true, name: "Plans" });
    const before = Date.now();
    await ben.ask(ADD, { r: room, u: eve.id });
    await ben.ask(ADD, { r: room, u: eve.id }); // idempotent
    await cid.ask(ADD, { r: room, u: eve.id }); // the first invitation stays
    const { nodes } = (await eve.ask(INVITATIONS)).invitations;
    expect(nodes).toMatchObject([{ roomId: room, roomName: "Plans", memberCount: 3, user: { id: eve.id }, invitedBy: { id: ben.id } }]);
    const [{ invitedAt, expiresAt }] = nodes;
    expect(Math.abs(new Date(invitedAt).getTime() - before)).toBeLessThan(60_000);
    expect(new Date(expiresAt).getTime() - new Date(invitedAt).getTime()).toBe(30 * 86_400_000);
    expect(await invitees(ann, room)).toEqual([eve.id]);
    expect(await invitees(ben, room)).toEqual([eve.id]);
    expect(await invitees(cid, room)).toEqual([]);
    expect((await ann.ask("{ rooms { nodes { id invitations { roomName } } } }")).rooms.nodes).toContainEqual({ id: "0", invitations: [] });
  });

  it("[INV2] can be accepted or declined repeatedly; ended or missing ones cannot be accepted", async () => {
    const [ann, eve, fay] = [await person("ann"), await person("eve", two), await person("fay")];
    const room = await group(ann, [eve, fay]);
    for (const server of [one, two]) expect((await eve.on(server).ask(ACCEPT, { r: room })).acceptInvitation.members.totalCount).toBe(2);
    for (const server of [one, two]) expect(await fay.on(server).ask(DECLINE, { r: room })).toEqual({ declineInvitation: true });
    const refusals = await Promise.all([room, "912345678901234567"].map((r) => fay.refused(ACCEPT, { r })));
    for (const { extensions, message } of refusals)
      expect([extensions.code, message.replace(/\d+/, "ID")]).toEqual(["NOT_FOUND", "There is no open invitation to room ID."]);
    expect(await listOf(fay)).toEqual(["0"]);
    await expectNoTrace(fay, ann, room);
    await eve.ask(LEAVE, { r: room });
    expect(await codeOf(eve, ACCEPT, { r: room })).toBe("NOT_FOUND");
    for (const r of ["0", `${ann.id}:${eve.id}`, "named"]) {
      expect(await codeOf(eve, ACCEPT, { r })).toBe("FORBIDDEN");
      expect(await codeOf(eve, DECLINE, { r })).toBe("FORBIDDEN");
    }
    expect(await codeOf(eve, ACCEPT, { r: "no id" })).toBe("BAD_USER_INPUT");
  });

  it("[INV2] can be withdrawn by owner and inviter, and ends with the group and after 30 days", async () => {
    const [ann, ben, cid, eve] = [await person("ann"), await person("ben"), await person("cid"), await person("eve")];
    await acquaint(ann, ben, cid);
    const room = await group(ann, [ben, cid], { invite: true });
    for (const remover of [ben, ann]) {
      await ben.ask(ADD, { r: room, u: eve.id });
      expect(await codeOf(cid, REMOVE, { r: room, u: eve.id })).toBe("FORBIDDEN");
      expect(await invitedTo(eve)).toEqual([room]);
      await remover.ask(REMOVE, { r: room, u: eve.id });
      await ann.ask(REMOVE, { r: room, u: eve.id });
      expect(await codeOf(eve, ACCEPT, { r: room })).toBe("NOT_FOUND");
      await expectNoTrace(eve, ben, room);
    }
    await ben.ask(ADD, { r: room, u: eve.id });
    for (const member of [ann, ben, cid]) await member.ask(LEAVE, { r: room });
    expect(await codeOf(eve, ACCEPT, { r: room })).toBe("NOT_FOUND");
    await expectNoTrace(eve, ben, room);

    const old = await group(ann, [eve]);
    const month = 30 * 86_400 * 1_000_000;
    const [by, at] = ((await redis.client.hget(`invited:{room:${old}}`, eve.id)) as string).split(" ");
    await redis.client.hset(`invited:{room:${old}}`, eve.id, `${by} ${Number(at) - month}`);
    expect(await invitedTo(eve)).toEqual([]);
    expect(await invitees(ann, old)).toEqual([]);
    expect(await codeOf(eve, ACCEPT, { r: old })).toBe("NOT_FOUND");
    await ann.ask(ADD, { r: old, u: eve.id });
    expect(await invitedTo(eve)).toEqual([old]);
  });

  it("[INV3] notifies all devices of the invitee, and no others, when it begins and when it ends", async () => {
    const [ann, eve, fay] = [await person("ann"), await person("eve"), await person("fay")];
    const streams = [await begun(eve, CHANGES), await begun(eve.on(two), CHANGES)];
    const others = await begun(fay, CHANGES);
    const room = await group(ann, [eve]);
    const next = async () => {
      const [told, same] = [await streams[0]?.next(), await streams[1]?.next()];
      expect(same).toEqual(told);
      return told;
    };
    expect(await next()).toEqual({ roomId: room, invitation: { invitedBy: { id: ann.id } } });
    await eve.ask(DECLINE, { r: room });
    expect(await next()).toEqual({ roomId: room, invitation: null });
    await ann.ask(ADD, { r: room, u: eve.id });
    expect(await next()).toMatchObject({ roomId: room, invitation: {} });
    await ann.on(two).ask(REMOVE, { r: room, u: eve.id });
    expect(await next()).toEqual({ roomId: room, invitation: null });
    await ann.ask(ADD, { r: room, u: eve.id });
    expect(await next()).toMatchObject({ roomId: room, invitation: {} });
    await eve.ask(ACCEPT, { r: room });
    expect(await next()).toEqual({ roomId: room, invitation: null });
    const ben = await person("ben");
    const last = await group(ben, [fay, eve]);
    expect(await next()).toMatchObject({ roomId: last, invitation: {} });
    expect(await others.next()).toMatchObject({ roomId: last });
    await ben.ask(LEAVE, { r: last });
    expect(await next()).toEqual({ roomId: last, invitation: null });
  });

  it("[INV3] is listed in pages, newest first", async () => {
    const eve = await person("eve");
    const rooms: string[] = [];
    for (const inviter of [await person("ann"), await person("ben")])
      for (let n = 0; n < 3; n++) rooms.unshift(await group(inviter, [eve]));
    expect(await invitedTo(eve)).toEqual(rooms);
    const walked: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const page: Page = (await eve.ask(INVITATIONS, { f: 2, a: after })).invitations;
      walked.push(...page.nodes.map(({ roomId }) => roomId));
      ({ endCursor: after, hasNextPage: more } = page.pageInfo);
    }
    expect(walked).toEqual(rooms);
    expect(await codeOf(eve, INVITATIONS, { a: "nonsense" })).toBe("BAD_USER_INPUT");
    expect(await codeOf(eve, INVITATIONS, { f: 101 })).toBe("BAD_USER_INPUT");
  });
});

describe("limits of invitations", () => {
  it("[R10] let users create and join groups after a stranger tried to add them to 494", async () => {
    const mallory = await person("mallory");
    const others = await Promise.all(Array.from({ length: 20 }, (_, n) => person(`other${n}`, n % 2 ? one : two)));
    const before = (await redis.client.keys("room:9*:name")).length;
    const codes: string[] = [];
    for (let n = 0; n < 494; n += 26) {
      const made = await Promise.all(
        Array.from({ length: 26 }, () => mallory.request(CREATE, { n: "Join us", m: others.map(({ id }) => id) })),
      );
      codes.push(...made.map(({ errors }) => errors?.[0]?.extensions.code ?? "made"));
    }
    expect(codes.filter((code) => code === "made")).toHaveLength(2); // of 20 invitations each
    expect(new Set(codes)).toEqual(new Set(["made", "FORBIDDEN"]));
    expect(await redis.client.keys("room:9*:name")).toHaveLength(before + 2);
    const [ann, ben, ...rest] = others as [TestClient, TestClient, ...TestClient[]];
    for (const someone of others) {
      expect(await listOf(someone)).toEqual(["0"]);
      expect(await invitedTo(someone)).toHaveLength(2);
    }
    const room = await group(ann, [ben, ...rest]); // an invitation from another user still arrives
    for (const someone of [ben, ...rest]) await someone.ask(ACCEPT, { r: room });
    for (const someone of others) expect(await isIn(someone, await group(someone, []))).toBe(true);
    expect(await redis.client.zcard(`inviting:{user:${mallory.id}}`)).toBe(40);
  });

  it("[INV4] allow 50 open per inviter, 10 to one user; answers and expired crash leftovers make room", async () => {
    const [ann, eve] = [await person("ann"), await person("eve")];
    const rooms = await Promise.all(Array.from({ length: 10 }, () => group(ann, [eve])));
    expect(await ann.refused(CREATE, { n: "x", m: [eve.id] })).toMatchObject({
      message: `User ${eve.id} has 10 open invitations from you. Withdraw one, or wait for an answer.`,
      extensions: { code: "FORBIDDEN" },
    });
    await eve.ask(DECLINE, { r: rooms[0] });
    await group(ann, [eve]);

    const crowd = await Promise.all(Array.from({ length: 40 }, (_, n) => person(`crowd${n}`, n % 2 ? one : two)));
    await group(ann, crowd);
    const fay = await person("fay");
    expect(await ann.refused(CREATE, { n: "x", m: [fay.id] })).toMatchObject({
      message: "You can have at most 50 open invitations. Withdraw some, or wait for answers.",
      extensions: { code: "FORBIDDEN" },
    });
    expect(await invitedTo(fay)).toEqual([]);
    expect(await redis.client.exists(`invitations:{user:${fay.id}}`)).toBe(0);

    await redis.client.hdel(`invited:{room:${rooms[1]}}`, eve.id); // as if a crash interrupted it
    await redis.client.zincrby(`inviting:{user:${ann.id}}`, -120_000_000, `${eve.id} ${rooms[1]}`);
    expect(await invitedTo(fay)).toEqual([]);
    await group(ann, [fay]);
    expect(await invitedTo(fay)).toHaveLength(1);
  });

  it("[INV4] allow 500 open per invitee, and none evicts another", async () => {
    const [ann, eve] = [await person("ann"), await person("eve")];
    const room = await group(ann, [eve]);
    const now = Date.now() * 1_000;
    const many = Array.from({ length: 499 }, (_, n) => [now + n, `9${String(n).padStart(17, "0")}`]).flat();
    await redis.client.zadd(`invitations:{user:${eve.id}}`, ...many);
    expect((await ann.refused(CREATE, { n: "x", m: [eve.id] })).message).toBe(
      `User ${eve.id} has 500 open invitations, the maximum. Try again later.`,
    );
    expect(await redis.client.zcard(`inviting:{user:${ann.id}}`)).toBe(1);
    expect(await invitedTo(eve)).toEqual([room]);
    await eve.ask(ACCEPT, { r: room });
    expect(await listOf(eve)).toContain(room);
  });

  it("[INV4] allow 1,000 members and invitees per group; a user in 500 groups can be invited", async () => {
    const [ann, eve] = [await person("ann"), await person("eve")];
    const room = await group(ann, []);
    const ids = Array.from({ length: 500 }, (_, n) => `9${String(n).padStart(17, "0")}`);
    await redis.client.sadd(`user:${eve.id}:rooms`, ...ids);
    const crowd = Object.fromEntries(Array.from({ length: 998 }, (_, n) => [String(100_000 + n), `MEMBER ${n + 1}`]));
    await redis.client.hset(`members:{room:${room}}`, crowd);
    await ann.ask(ADD, { r: room, u: eve.id });
    const fay = await person("fay");
    expect(await codeOf(ann, ADD, { r: room, u: fay.id })).toBe("FORBIDDEN");
    expect(await invitedTo(fay)).toEqual([]);
    expect(await codeOf(eve, ACCEPT, { r: room })).toBe("FORBIDDEN");
    expect(await invitedTo(eve)).toEqual([room]);
    await redis.client.srem(`user:${eve.id}:rooms`, ids[0] as string);
    await eve.ask(ACCEPT, { r: room });
    expect(await redis.client.hlen(`members:{room:${room}}`)).toBe(1_000);
  });

  it("[LIMIT1] allow 100 invitations of strangers per user and hour, over all servers", async () => {
    const limited = await ownServer(redis.url, { rateLimits: true, sendBurst: 1_000 });
    const [ann, eve] = [await person("ann"), await person("eve", two)];
    const room = await group(ann, []);
    for (let n = 0; n < 100; n++) {
      await ann.on(limited).ask(ADD, { r: room, u: eve.id });
      await eve.ask(DECLINE, { r: room });
    }
    const { extensions } = await ann.on(limited).refused(ADD, { r: room, u: eve.id });
    expect(extensions).toMatchObject({ code: "RATE_LIMITED", retryable: true, retryAfter: expect.any(Number) });
    await expectNoTrace(eve, ann, room);
  });
});

describe("races of invitations over two servers", () => {
  const ROUNDS = 12;

  it("[INV5] end an invitation exactly once when it is accepted twice, declined and withdrawn at once", async () => {
    const [ann, eve] = [await person("ann"), await person("eve")];
    for (let round = 0; round < ROUNDS; round++) {
      const room = await group(ann, [eve]);
      await Promise.all(
        [
          () => eve.on(one).request(ACCEPT, { r: room }),
          () => eve.on(two).request(ACCEPT, { r: room }),
          ...(round % 3 === 0 ? [] : [() => eve.on(two).request(DECLINE, { r: room })]),
          ...(round % 2 === 0 ? [] : [() => ann.on(two).request(REMOVE, { r: room, u: eve.id })]),
        ].map((deed) => deed()),
      );
      const isMember = await redis.client.hexists(`members:{room:${room}}`, eve.id);
      await eve.ask("{ rooms { nodes { id } } }"); // removes wrong entries from the list
      await expect.poll(() => redis.client.sismember(`user:${eve.id}:rooms`, room)).toBe(isMember);
      await expectNoTrace(eve, ann, room);
      const deeds = (await eventsOf(room)).filter(({ userId }) => userId === eve.id).map(({ kind }) => kind);
      for (const [index, kind] of deeds.entries()) expect(kind).toBe(index % 2 ? "member.left" : "member.joined");
      expect(deeds.length % 2).toBe(isMember);
      if (round % 6 === 0) expect(isMember).toBe(1); // nothing competed with accepting
    }
  });

  it("[INV5] leave no invitation from a user who is blocked while inviting", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const [ann, eve] = [await person("ann"), await person("eve", two)];
      const room = await group(ann, []);
      const inviting = [ann.on(one).request(ADD, { r: room, u: eve.id }), ann.on(two).request(CREATE, { n: "x", m: [eve.id] })];
      await Promise.all([...inviting, eve.on(round % 2 ? one : two).ask(BLOCK, { u: ann.id })]);
      expect(await invitedTo(eve)).toEqual([]);
      expect(await redis.client.exists(`inviting:{user:${ann.id}}`, `invitations:{user:${eve.id}}`, `invited:{room:${room}}`)).toBe(0);
      expect(await codeOf(ann, ADD, { r: room, u: eve.id })).toBe("FORBIDDEN");
    }
  });

  it("[INV5] leave a member only if the block came after the add", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const [ann, eve] = [await person("ann"), await person("eve", two)];
      await acquaint(ann, eve);
      const room = await group(ann, []);
      const blocking = eve.on(round % 2 ? one : two).ask(BLOCK, { u: ann.id });
      const added = await ann.request(ADD, { r: room, u: eve.id });
      await blocking;
      const deeds = (await eventsOf(room)).filter(({ userId }) => userId === eve.id).map(({ kind }) => kind);
      const isMember = await redis.client.hexists(`members:{room:${room}}`, eve.id);
      expect(deeds).toEqual(isMember ? ["member.joined"] : deeds.length > 0 ? ["member.joined", "member.left"] : []);
      if (added.errors) expect(deeds).toEqual([]);
      expect(await isIn(eve, room)).toBe(isMember === 1);
    }
  });

  it("[INV5] leave either a member or no group when the group ends while the user accepts", async () => {
    const [ann, eve] = [await person("ann"), await person("eve")];
    for (let round = 0; round < ROUNDS; round++) {
      const room = await group(ann, [eve]);
      const [accepted] = await Promise.all([eve.on(two).request(ACCEPT, { r: room }), ann.ask(LEAVE, { r: room })]);
      const members = await redis.client.hgetall(`members:{room:${room}}`);
      expect(Object.keys(members)).toEqual(accepted.errors ? [] : [eve.id]);
      if (!accepted.errors) expect(members[eve.id]).toMatch(/^OWNER /);
      await expectNoTrace(eve, ann, room);
    }
  });

  it("[R4] invite strangers once when createRoom is repeated with its clientRoomId", async () => {
    const [ann, eve] = [await person("ann"), await person("eve")];
    const variables = { n: "Once", m: [eve.id], c: "once" };
    const made = await Promise.all([one, two, one, two].map((server) => ann.on(server).ask(CREATE, variables)));
    const [room = "", ...others] = new Set(made.map(({ createRoom }) => createRoom.id as string));
    expect(others).toEqual([]);
    expect(await invitedTo(eve)).toEqual([room]);
    await eve.ask(DECLINE, { r: room });
    await ann.ask(CREATE, variables);
    expect(await invitedTo(eve)).toEqual([]);
  });
});
