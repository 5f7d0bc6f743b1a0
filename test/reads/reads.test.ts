import { describe, expect, it } from "vitest";
import { acquaint } from "../helpers/acquaint.js";
import { type Stream, TestClient } from "../helpers/client.js";
import { DemoApp } from "../helpers/demo-apps.js";
import { randomFrom } from "../helpers/random.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);
const alice = await TestClient.register(one, "alice");
const bob = await TestClient.register(two, "bob");

const MARK = "mutation ($id: ID!) { markRead(messageId: $id) { id unreadCount unreadMentions readUpTo } }";
const mark = async (client: TestClient, { id }: { id: string }) => (await client.ask(MARK, { id })).markRead;
const unread = async (client: TestClient, id: string) =>
  (await client.ask("query ($id: ID!) { room(id: $id) { unreadCount unreadMentions readUpTo } }", { id })).room;

/** Opens a private room, by default between Alice and Bob. */
async function privateRoom(from = alice, to = bob): Promise<string> {
  return (await from.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: to.id })).openPrivateRoom.id;
}

/** Creates a named room that no other test uses; everyone is a member. */
async function ownRoom(): Promise<string> {
  const room = `room-${crypto.randomUUID().slice(0, 8)}`;
  await redis.client.set(`room:${room}:name`, "A room");
  return room;
}

const EVENTS =
  "subscription ($r: ID, $a: [String!]) { roomEvents(roomId: $r, after: $a) { __typename roomId position ... on ReadMoved { upTo user { id } room { unreadCount } } } }";
const follow = async (client: TestClient, roomId: string) => client.subscribe(EVENTS, { r: roomId, a: [await client.position(roomId)] });

describe("read markers", () => {
  it("[READ1] count others' later messages as unread, and move to each message that the user sends", async () => {
    const [ann, ben] = await Promise.all([TestClient.register(one, "ann"), TestClient.register(two, "ben")]);
    const own = await privateRoom(ann, ben);
    expect(await unread(ann, own)).toEqual({ unreadCount: 0, unreadMentions: 0, readUpTo: null });
    const first = await ben.send("one", own);
    await ben.send("two", own);
    expect(await unread(ben, own)).toMatchObject({ unreadCount: 0 });
    expect(await mark(ann, first)).toEqual({ id: own, unreadCount: 1, unreadMentions: 0, readUpTo: first.id });
    const mine = await ann.send("mine", own);
    expect(await unread(ann, own)).toEqual({ unreadCount: 0, unreadMentions: 0, readUpTo: mine.id });
    expect(await mark(ann.on(two), first)).toMatchObject({ unreadCount: 0, readUpTo: mine.id });
    const { room } = await ben.ask("query ($id: ID!) { room(id: $id) { unreadCount members { nodes { user { id } readUpTo } } } }", {
      id: own,
    });
    expect(room.unreadCount).toBe(1);
    expect(room.members.nodes).toContainEqual({ user: { id: ann.id }, readUpTo: mine.id });
  });

  it("[READ1] never move back, whichever device and server requests it", async () => {
    const room = await ownRoom();
    const [first, second, third] = [await bob.send("1", room), await bob.send("2", room), await bob.send("3", room)];
    expect((await mark(alice, second)).unreadCount).toBe(1);
    expect(await mark(alice.on(two), first)).toMatchObject({ unreadCount: 1, readUpTo: second.id });
    await Promise.all([mark(alice, third), mark(alice.on(two), first), mark(alice, second)]);
    expect(await unread(alice, room)).toMatchObject({ unreadCount: 0, readUpTo: third.id });
  });

  it("[READ1] count no messages as unread that are older than the user's membership in a group", async () => {
    await acquaint(alice, bob);
    const { createRoom: group } = await alice.ask('mutation { createRoom(name: "Us") { id } }');
    await alice.send(`before @${bob.username}`, group.id);
    await alice.ask("mutation ($r: ID!, $u: ID!) { addMember(roomId: $r, userId: $u) { id } }", { r: group.id, u: bob.id });
    expect(await unread(bob, group.id)).toEqual({ unreadCount: 0, unreadMentions: 0, readUpTo: null });
    await alice.send(`after @${bob.username}`, group.id);
    expect(await unread(bob, group.id)).toMatchObject({ unreadCount: 1, unreadMentions: 1 });
  });

  it("[READ1] count messages from demo apps as unread, except the reader's own", async () => {
    const room = await ownRoom();
    const node = new DemoApp("Node", redis.client);
    await alice.send("known", room);
    await node.say({ id: alice.id, username: "" }, "mine, from there", { roomId: room });
    await node.say({ id: Number(bob.id), username: "" }, "theirs", { roomId: room, date: Math.floor(Date.now() / 1_000) + 1 });
    await expect.poll(async () => (await alice.history(room)).length).toBe(3);
    expect((await unread(bob, room)).unreadCount).toBe(2);
    expect((await unread(alice, room)).unreadCount).toBe(1);
    const { nodes } = (await bob.ask("query ($r: ID!) { messages(roomId: $r) { nodes { id text } } }", { r: room })).messages;
    expect((await mark(bob, nodes.at(-1))).unreadCount).toBe(0);
    expect((await mark(alice, nodes.at(-1))).readUpTo).toBe(nodes.at(-1).id);
  });

  it("[READ1] [M5] refuse invalid ids, other users' rooms, and messages that do not exist", async () => {
    const eve = await TestClient.register(one, "eve");
    const room = await privateRoom();
    const secret = await alice.send("secret", room);
    const code = async (client: TestClient, id: string) => (await client.refused(MARK, { id })).extensions.code;
    expect(await code(eve, secret.id)).toBe("NOT_A_MEMBER");
    for (const id of ["", "0", "0/", "0/x", "__proto__", "0/1795325003123456; evil", `${"9".repeat(70)}/1`])
      expect(await code(eve, id)).toBe("BAD_USER_INPUT");
    expect(await code(eve, "0/1795325003123456")).toBe("NOT_FOUND");
    expect(await code(eve, "0/1795325003-0123456789abcdef")).toBe("NOT_FOUND");
    expect(await redis.client.hget(`reads:{room:${room}}`, eve.id)).toBeNull();
  });

  it("[READ2] notify both users of a private room through the log, also on resume", async () => {
    const room = await privateRoom();
    const message = await alice.send("read me", room);
    const after = await alice.position(room);
    const streams = [await follow(alice, room), await follow(bob, room)];
    await mark(bob, message);
    for (const stream of streams)
      expect(await stream.next()).toMatchObject({ __typename: "ReadMoved", upTo: message.id, user: { id: bob.id } });
    const resumed = alice.on(two).subscribe(EVENTS, { r: room, a: [after] });
    expect(await resumed.next()).toMatchObject({ __typename: "ReadMoved", upTo: message.id });
    await mark(bob, message); // no change, so no event
    await alice.send("next", room);
    expect((await (streams[0] as Stream).next()).__typename).toBe("MessageAdded");
  });

  it("[READ2] notify only the user's own devices, on any server, in a room that is open to all", async () => {
    const room = await ownRoom();
    const message = await bob.send("read me", room);
    const [mine, others] = [await follow(alice.on(two), room), await follow(bob, room)];
    await expect.poll(() => redis.client.call("PUBSUB", "SHARDNUMSUB", `room:${room}`)).toEqual([`room:${room}`, 1]);
    await expect.poll(() => redis.client.call("PUBSUB", "SHARDNUMSUB", `user:${alice.id}`)).not.toEqual([`user:${alice.id}`, 0]);
    await bob.send("a marker", room); // once this arrives, both subscriptions run
    expect((await mine.next()).__typename).toBe("MessageAdded");
    expect((await others.next()).__typename).toBe("MessageAdded");
    await mark(alice, message);
    expect(await mine.next()).toMatchObject({
      __typename: "ReadMoved",
      roomId: room,
      upTo: message.id,
      user: { id: alice.id },
      room: { unreadCount: 1 }, // the marker
    });
    await bob.send("next", room);
    expect((await others.next()).__typename).toBe("MessageAdded");
  });

  it("[READ2] [D1] reach the user's own devices with positions that never go back", async () => {
    const room = await ownRoom();
    const mine = await follow(alice.on(two), room);
    let last = await bob.send("begin", room);
    await mine.next();
    const seqs: number[] = [];
    const reading = (async () => {
      for (let added = 0; added < 60; ) {
        const { __typename, position } = await mine.next();
        if (__typename === "MessageAdded") added++;
        seqs.push(Number(Buffer.from(position, "base64url").toString().split(".")[1]));
      }
    })();
    for (let n = 0; n < 20; n++) {
      const sending = [1, 2, 3].map((turn) => bob.send(`${n}.${turn}`, room));
      const [sent] = await Promise.all([...sending, mark(alice, last), mark(alice.on(two), last)]);
      last = sent as typeof last;
    }
    await reading;
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  });

  it("[READ1] give the correct count after random sends and reads by several users on two servers", async () => {
    const random = randomFrom(7);
    const room = await ownRoom();
    const people = await Promise.all(Array.from({ length: 3 }, (_, n) => TestClient.register(n % 2 ? one : two)));
    const sent: { id: string; from: string }[] = [];
    const read = new Map<string, number>();
    for (let step = 0; step < 150; step++) {
      const person = random.pick(people).on(random.pick([one, two]));
      if (random.chance(0.3) || sent.length === 0) {
        sent.push({ id: (await person.send(`${step}`, room)).id, from: person.id });
        read.set(person.id, sent.length - 1);
      } else {
        const index = random.integer(0, sent.length - 1);
        await mark(person, sent[index] as { id: string });
        read.set(person.id, Math.max(read.get(person.id) ?? -1, index));
      }
    }
    for (const person of people) {
      const expected = sent.slice((read.get(person.id) ?? -1) + 1).filter(({ from }) => from !== person.id).length;
      expect((await unread(person, room)).unreadCount).toBe(expected);
    }
  });
});

describe("mentions", () => {
  const MENTIONS =
    "query ($n: Int, $c: String) { mentions(first: $n, after: $c) { nodes { id text roomId } pageInfo { hasNextPage endCursor } } }";

  it("[MENT1] by @username appear in Message.mentions and the member's mentions, with their own count", async () => {
    const [ann, ben, eve] = (await Promise.all(["ann", "ben", "eve"].map((name) => TestClient.register(one, name)))) as [
      TestClient,
      TestClient,
      TestClient,
    ];
    const room = await privateRoom(ann, ben);
    await ann.send("nobody", room);
    const query = "mutation ($r: ID!, $t: String!) { send(roomId: $r, text: $t) { id mentions { id } } }";
    const text = `Hi @${ben.username}, (@${ben.username}) and @${eve.username}; mail a@${ben.username}. And @nobody-at-all`;
    const { send: mention } = await ann.ask(query, { r: room, t: text });
    expect(mention.mentions).toEqual([{ id: ben.id }]); // eve is not in the room
    await ann.send("after", room);
    expect(await unread(ben, room)).toMatchObject({ unreadCount: 3, unreadMentions: 1 });
    expect((await ben.ask(MENTIONS)).mentions.nodes).toEqual([{ id: mention.id, text, roomId: room }]);
    expect((await eve.ask(MENTIONS)).mentions.nodes).toEqual([]);
    await mark(ben, mention);
    expect(await unread(ben, room)).toMatchObject({ unreadCount: 1, unreadMentions: 0 });
    const { nodes } = (await ben.ask("query ($r: ID!) { messages(roomId: $r) { nodes { text mentions { username } } } }", { r: room }))
      .messages;
    expect(nodes.map(({ mentions }: { mentions: object[] }) => mentions)).toEqual([[], [{ username: ben.username }], []]);
  });

  it("[MENT1] work at the end of a sentence and in other scripts, for at most twenty names a message", async () => {
    const room = await ownRoom();
    const { register } = await new TestClient(one.url).ask(
      'mutation { register(username: "Zoë.名前", password: "a good password") { token user { id } } }',
    );
    const zoe = new TestClient(one.url, register.token, register.user.id);
    await alice.send("Ask @Zoë.名前.", room);
    await alice.send("@Zoë.名前!", room);
    await alice.send(`${Array.from({ length: 25 }, (_, n) => `@stranger${n}`).join(" ")} @Zoë.名前`, room); // beyond the twentieth
    expect((await unread(zoe, room)).unreadMentions).toBe(2);
  });

  it("[MENT2] are paged over all of the user's rooms, newest first, without rooms they have left", async () => {
    const [ann, ben] = (await Promise.all(["ann", "ben"].map((name) => TestClient.register(one, name)))) as [TestClient, TestClient];
    const rooms = ["0", await privateRoom(ann, ben)];
    const sent: string[] = [];
    for (let n = 0; n < 23; n++) sent.unshift((await ann.send(`@${ben.username} ${n}`, rooms[n % 2])).id);
    const seen: string[] = [];
    for (let cursor: string | null = null; ; ) {
      const { nodes, pageInfo } = (await ben.ask(MENTIONS, { n: 5, c: cursor })).mentions as {
        nodes: { id: string }[];
        pageInfo: { hasNextPage: boolean; endCursor: string | null };
      };
      seen.push(...nodes.map(({ id }) => id));
      if (!pageInfo.hasNextPage) break;
      cursor = pageInfo.endCursor;
    }
    expect(seen).toEqual(sent);
    await redis.client.srem(`user:${ben.id}:rooms`, rooms[1] as string);
    expect((await ben.ask(MENTIONS)).mentions.nodes).toHaveLength(12);
    for (const c of ["x", "", Buffer.from('["1","0"]').toString("base64url")])
      expect((await ben.refused(MENTIONS, { n: 5, c })).extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: "after" });
    expect((await ben.refused(MENTIONS, { n: 101 })).extensions.code).toBe("BAD_USER_INPUT");
  });
});
