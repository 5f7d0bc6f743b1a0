import { describe, expect, it } from "vitest";
import { acquaint } from "../helpers/acquaint.js";
import { TestClient } from "../helpers/client.js";
import { watchCommands } from "../helpers/commands.js";
import { demoApps } from "../helpers/demo-apps.js";
import { randomFrom } from "../helpers/random.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);
const alice = await TestClient.register(one, "alice");
const bob = await TestClient.register(two, "bob");
const eve = await TestClient.register(one, "eve");

const MESSAGE = `fragment Whole on Message {
  id text sentAt editedAt replyToId replyTo { id text } from { id } clientMessageId reactions { emoji count users { id } }
}`;
const EVENTS = `subscription ($r: ID!, $a: [String!]) { roomEvents(roomId: $r, after: $a) {
  __typename position at
  ... on MessageAdded { message { ...Whole } }
  ... on MessageEdited { message { ...Whole position } }
  ... on MessageDeleted { messageId by { id } }
  ... on ReactionChanged { message { ...Whole } }
} } ${MESSAGE}`;

interface Whole {
  id: string;
  text: string;
  sentAt: string;
  editedAt: string | null;
  replyToId: string | null;
  replyTo: { id: string; text: string } | null;
  reactions: { emoji: string; count: number; users: { id: string }[] }[];
}

const EDIT = `mutation ($id: ID!, $text: String!) { editMessage(id: $id, text: $text) { ...Whole position } } ${MESSAGE}`;
const DELETE = "mutation ($id: ID!) { deleteMessage(id: $id) }";
const REACT = `mutation ($id: ID!, $emoji: String!, $on: Boolean) { react(messageId: $id, emoji: $emoji, on: $on) { ...Whole position } } ${MESSAGE}`;
const SEND = `mutation ($r: ID!, $t: String!, $c: ID, $to: ID) { send(roomId: $r, text: $t, clientMessageId: $c, replyTo: $to) { ...Whole position } } ${MESSAGE}`;

const edit = async (who: TestClient, id: string, text: string) => (await who.ask(EDIT, { id, text })).editMessage;
const remove = async (who: TestClient, id: string) => (await who.ask(DELETE, { id })).deleteMessage;
const react = async (who: TestClient, id: string, emoji: string, on?: boolean) => (await who.ask(REACT, { id, emoji, on })).react;
const code = async (who: TestClient, query: string, variables: object) => (await who.refused(query, { ...variables })).extensions.code;

async function page(who: TestClient, r: string): Promise<{ nodes: Whole[]; position: string }> {
  return (await who.ask(`query ($r: ID!) { messages(roomId: $r, last: 100) { position nodes { ...Whole } } } ${MESSAGE}`, { r })).messages;
}

/** Creates a named room for one test. */
async function newRoom(): Promise<string> {
  const room = `room-${crypto.randomUUID().slice(0, 8)}`;
  await redis.client.set(`room:${room}:name`, "A room");
  return room;
}

async function privateRoom(): Promise<string> {
  return (await alice.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: bob.id })).openPrivateRoom.id;
}

/** Writes a message as a demo app does. */
async function foreign(app: string, from: string, text: string, roomId: string, date = Math.floor(Date.now() / 1_000)): Promise<void> {
  const { member, score } = (demoApps[app] as (typeof demoApps)[string])({ roomId, from, text, date });
  await redis.client.zadd(`room:${roomId}`, score, member);
}

const members = (room: string) => redis.client.zrange(`room:${room}`, "0", "-1", "WITHSCORES");

/** Asserts that the log's count matches the room, so that no message seems new or is overlooked. */
async function expectAccounted(room: string): Promise<void> {
  expect(Number(await redis.client.hget(`meta:{room:${room}}`, "known"))).toBe(await redis.client.zcard(`room:${room}`));
  expect(await redis.client.hexists(`meta:{room:${room}}`, "puzzle")).toBe(0);
}

describe("editing", () => {
  it("[EDIT1] replaces the text in place, for subscribers and on every server", async () => {
    const room = await newRoom();
    const first = await alice.send("frist", room, "mine");
    await alice.send("second", room);
    const [, score] = await members(room);
    const events = bob.subscribe(EVENTS, { r: room, a: [await bob.position(room)] });
    const edited = await edit(alice, first.id, 'first "now" \\ %s %d');
    expect(edited).toMatchObject({
      id: first.id,
      text: 'first "now" \\ %s %d',
      sentAt: first.sentAt,
      clientMessageId: "mine",
      reactions: [],
    });
    expect(edited.editedAt > first.sentAt).toBe(true);

    const event = await events.next();
    expect(event).toMatchObject({ __typename: "MessageEdited", at: edited.editedAt, message: edited });
    expect(edited.position).toBe(first.position); // the position of the event that added the message, not of this one
    expect(event.position).toBe(await bob.position(room));
    const { nodes } = await page(bob, room);
    expect(nodes.map(({ text }) => text)).toEqual(['first "now" \\ %s %d', "second"]);
    const { position: _, ...stored } = edited;
    expect(nodes[0]).toEqual(stored);
    // As the demo apps read it: one JSON object with the text, at the same score.
    const [member = "", newScore] = await members(room);
    expect(newScore).toBe(score);
    expect(JSON.parse(member)).toMatchObject({ from: alice.id, message: 'first "now" \\ %s %d', roomId: room, id: first.id });
    expect(member).toMatch(/"editedAt":\d{16} }$/);
    await expectAccounted(room);

    const again = await edit(alice.on(two), first.id, "once more");
    expect(await events.next()).toMatchObject({ __typename: "MessageEdited", message: { text: "once more", editedAt: again.editedAt } });
    expect((await members(room))[0]?.match(/editedAt/g)).toHaveLength(1);
  });

  it("[EDIT1] changes nothing when the text is the same", async () => {
    const room = await newRoom();
    const { id } = await alice.send("as it is", room);
    await foreign("Node, live", alice.id, "a < b", room);
    const { nodes, position } = await page(alice, room);
    expect(await edit(alice, id, "as it is")).toMatchObject({ editedAt: null });
    const foreignId = nodes.find(({ text }) => text === "a < b")?.id as string;
    expect(await edit(alice, foreignId, "a < b")).toMatchObject({ id: foreignId, editedAt: null });
    expect(await page(alice, room)).toEqual({ nodes, position });
  });

  it.each(Object.keys(demoApps))(
    "[EDIT1] works on the author's demo app messages, which keep their id and are not redelivered: %s",
    async (app) => {
      const room = await newRoom();
      const stream = bob.follow({ roomId: room, after: [await bob.position(room)] });
      await foreign(app, alice.id, "tüpo <b> & 'x'", room, 1_700_000_000.25);
      await foreign(app, alice.id, "other", room, 1_700_000_000.25);
      const before = (await page(alice, room)).nodes;
      const target = before.find(({ text }) => text.startsWith("tüpo")) as Whole;
      expect((await stream.texts(2)).sort()).toEqual(["other", target.text].sort());
      const edited = await edit(alice, target.id, "typo");
      expect(edited).toMatchObject({ id: target.id, text: "typo", sentAt: target.sentAt });
      expect((await edit(alice, target.id, "typo <b>")).id).toBe(target.id);
      const { nodes, position } = await page(bob, room);
      expect(nodes.map(({ id, sentAt }) => [id, sentAt])).toEqual(before.map(({ id, sentAt }) => [id, sentAt]));
      const ours = (await members(room)).find((member) => member.includes("typo <b>")) as string;
      expect(JSON.parse(ours)).toMatchObject({ from: alice.id, date: 1_700_000_000, message: "typo <b>", roomId: room, id: target.id });
      await expectAccounted(room);
      expect((await page(bob, room)).position).toBe(position);
      await alice.send("marker", room); // the edits added no message
      expect(await stream.texts(1)).toEqual(["marker"]);

      await react(bob, target.id, "👍");
      await remove(alice, target.id);
      expect((await page(bob, room)).nodes.map(({ id }) => id)).not.toContain(target.id);
      await expectAccounted(room);
    },
  );

  it("[EDIT1] keeps demo apps from reusing a message's id and from duplicating an edited message", async () => {
    const room = await newRoom();
    await foreign("Node, live", alice.id, "mine", room, 1_700_000_000);
    const [{ id } = { id: "" }] = (await page(alice, room)).nodes;
    const forged = JSON.stringify({ from: eve.id, date: 1_700_000_000, message: "forged", roomId: room, id });
    await redis.client.zadd(`room:${room}`, 1_700_000_000, forged);
    expect((await page(alice, room)).nodes.filter((message) => message.id === id)).toHaveLength(1);
    await edit(alice, id, "edited");
    await foreign("Node, live", alice.id, "mine", room, 1_700_000_000); // the same bytes once more
    const { nodes } = await page(alice, room);
    expect(nodes.filter((message) => message.id === id).map(({ text }) => text)).toEqual(["edited"]);
    expect(await edit(alice, id, "edited again")).toMatchObject({ id, text: "edited again" });
    expect((await page(alice, room)).nodes.filter((message) => message.id === id).map(({ text }) => text)).toEqual(["edited again"]);
  });

  it("[EDIT3] from two servers at once ends the same everywhere, by the order of the log", async () => {
    const room = await newRoom();
    const { id } = await alice.send("start", room);
    const streams = [alice, bob].map((client) => client.subscribe(EVENTS, { r: room, a: [] }));
    const after = [(await page(alice, room)).position];
    const replayed = bob.subscribe(EVENTS, { r: room, a: after });
    await Promise.all(Array.from({ length: 20 }, (_, n) => edit(n % 2 ? alice : alice.on(two), id, `version ${n}`)));
    let last: Whole | undefined;
    for (let n = 0; n < 20; n++) last = (await replayed.next()).message;
    const [stored] = (await page(bob, room)).nodes;
    expect(last).toMatchObject({ text: stored?.text, editedAt: stored?.editedAt });
    expect(await redis.client.zcard(`room:${room}`)).toBe(1);
    for (const stream of streams) stream.stop();
  });
});

describe("deleting", () => {
  it("[EDIT2] removes a message for everyone; replays show it being added and deleted", async () => {
    const room = await newRoom();
    const after = [await bob.position(room)];
    const live = alice.subscribe(EVENTS, { r: room, a: after });
    const kept = await alice.send("kept", room);
    const gone = await alice.send("gone", room);
    await react(bob, gone.id, "🎉");
    expect(await remove(alice, gone.id)).toBe(gone.id);
    const expected = [
      { __typename: "MessageAdded", message: { id: kept.id } },
      { __typename: "MessageAdded", message: { id: gone.id } },
      { __typename: "ReactionChanged", message: { id: gone.id, text: "gone", reactions: [{ emoji: "🎉", count: 1 }] } },
      { __typename: "MessageDeleted", messageId: gone.id, by: { id: alice.id } },
    ];
    const later = bob.subscribe(EVENTS, { r: room, a: after });
    const replayed: Whole[] = [];
    for (const event of expected) {
      expect(await live.next()).toMatchObject(event);
      replayed.push(await later.next());
    }
    expect(replayed).toMatchObject(expected);
    expect(replayed[1]).toMatchObject({ message: { reactions: [] } }); // no newer state exists
    expect((await page(bob, room)).nodes.map(({ id }) => id)).toEqual([kept.id]);
    expect(await redis.client.exists(`reactions:{room:${room}}`)).toBe(0);
    await expectAccounted(room);
    expect(await code(bob, DELETE, { id: gone.id })).toBe("NOT_FOUND");
    expect(await code(alice, EDIT, { id: gone.id, text: "back" })).toBe("NOT_FOUND");
    expect(await code(alice, REACT, { id: gone.id, emoji: "🎉" })).toBe("NOT_FOUND");
    const additions = bob.follow({ roomId: room, after });
    await alice.send("marker", room);
    expect(await additions.texts(3)).toEqual(["kept", "gone", "marker"]);
  });

  it("[EDIT2] of the only message leaves an empty room that still works", async () => {
    const room = await privateRoom();
    const { id } = await alice.send("only", room);
    const after = [await bob.position(room)];
    await remove(alice, id);
    expect((await page(bob, room)).nodes).toEqual([]);
    const stream = bob.follow({ roomId: room, after });
    await alice.send("next", room);
    expect(await stream.texts(1)).toEqual(["next"]);
    await expectAccounted(room);
  });
});

describe("a change to a message", () => {
  it("[EDIT2] is allowed to the author; a group's owner may also delete", async () => {
    const room = await newRoom();
    await alice.send("alice's", room);
    await foreign("Flask, live", alice.id, "alice's too", room);
    const ids = (await page(eve, room)).nodes.map((message) => message.id);
    for (const message of ids) {
      expect(await code(eve, EDIT, { id: message, text: "eve's" })).toBe("FORBIDDEN");
      expect(await code(eve, DELETE, { id: message })).toBe("FORBIDDEN");
    }
    const { position, ...before } = await page(alice, room);
    expect(before.nodes.map(({ text }) => text).sort()).toEqual(["alice's", "alice's too"]);
    expect(await alice.position(room)).toBe(position);

    await acquaint(alice, bob);
    const { createRoom: group } = await bob.ask('mutation ($m: [ID!]) { createRoom(name: "Bob and others", memberIds: $m) { id } }', {
      m: [alice.id],
    });
    const { id: inGroup } = await alice.send("alice's", group.id);
    expect((await eve.refused(DELETE, { id: inGroup })).message).toContain(group.id);
    for (const query of [DELETE, EDIT, REACT])
      expect(await code(eve, query, { id: inGroup, text: "x", emoji: "👍" })).toMatch(/NOT_A_MEMBER|VALIDATION/);
    expect(await code(bob, EDIT, { id: inGroup, text: "bob's" })).toBe("FORBIDDEN");
    expect(await remove(bob, inGroup)).toBe(inGroup);
    const { id: ofBob } = await bob.send("bob's", group.id);
    expect(await code(alice, DELETE, { id: ofBob })).toBe("FORBIDDEN");
  });

  it("[EDIT2] does not reveal to non-members whether the message exists", async () => {
    const room = await privateRoom();
    const { id } = await alice.send("secret", room);
    const nowhere = `${room}/1700000000000000`;
    for (const target of [id, nowhere]) {
      for (const [query, variables] of [
        [EDIT, { text: "x" }],
        [DELETE, {}],
        [REACT, { emoji: "👍" }],
      ] as const) {
        const error = await eve.refused(query, { id: target, ...variables });
        expect([error.extensions.code, error.message]).toEqual(["NOT_A_MEMBER", `You are not a member of room ${room}.`]);
      }
      expect(await code(eve, SEND, { r: "0", t: "look", to: target })).toBe("NOT_FOUND");
    }
    expect(await code(eve, `query ($id: ID!) { messages(roomId: "0", around: $id) { position } }`, { id })).toBe("NOT_FOUND");
  });

  it.each(["", "x", "0", "0/", "0/x", "0/1/2", "1:2", "*/1", "0/99999999999999999", "0/1-zz", '0/1","x":"'])(
    "[O1] is refused for an invalid message id: %j",
    async (id) => {
      for (const [query, argument, variables] of [
        [EDIT, "id", { text: "x" }],
        [DELETE, "id", {}],
        [REACT, "messageId", { emoji: "👍" }],
      ] as const) {
        expect((await alice.refused(query, { id, ...variables })).extensions).toMatchObject({ code: "BAD_USER_INPUT", argument });
      }
      expect((await alice.refused(SEND, { r: "0", t: "x", to: id })).extensions).toMatchObject({ argument: "replyTo" });
    },
  );

  it.each(["0/1700000000000000", "0/1", "0/1700000000-0123456789abcdef", "nowhere/1"])(
    "[O1] is NOT_FOUND for a message that does not exist: %s",
    async (id) => {
      for (const [query, variables] of [
        [EDIT, { text: "x" }],
        [DELETE, {}],
        [REACT, { emoji: "👍" }],
      ] as const) {
        expect(await code(alice, query, { id, ...variables })).toBe("NOT_FOUND");
      }
      const { message, extensions } = await alice.refused(SEND, { r: "0", t: "x", to: id });
      expect([extensions.code, message]).toEqual(["NOT_FOUND", `There is no message ${id} in this room to reply to.`]);
    },
  );

  it("[O1] applies the rules for sent texts to a new text", async () => {
    const { id } = await alice.send("to be changed");
    for (const text of ["", "  \n", "x".repeat(4_001)])
      expect((await alice.refused(EDIT, { id, text })).extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: "text" });
  });

  it("[LIMIT1] counts as a send, for edits and reactions", async () => {
    const limited = await ownServer(redis.url, { rateLimits: true, sendsPerSecond: 1, sendBurst: 5 });
    const frank = await TestClient.register(limited, "frank");
    const { id } = await frank.send("spam");
    const codes: (string | undefined)[] = [];
    for (let n = 0; n < 30; n++) {
      const { errors } = await frank.request(
        n % 2 ? EDIT : REACT,
        n % 2 ? { id, text: `spam ${n}` } : { id, emoji: "👍", on: n % 4 === 0 },
      );
      codes.push(errors?.[0]?.extensions.code);
    }
    expect(codes.at(-1)).toBe("RATE_LIMITED");
    expect(codes[0]).toBeUndefined();
  });
});

describe("replies", () => {
  it("[REPLY1] name the message that they answer, even after it is deleted", async () => {
    const room = await newRoom();
    const question = await alice.send("question?", room);
    await foreign("Node, live", bob.id, "theirs", room, 1_700_000_000);
    const theirs = (await page(alice, room)).nodes.find(({ text }) => text === "theirs") as Whole;
    const after = [await alice.position(room)];
    const events = bob.subscribe(EVENTS, { r: room, a: after });
    for (const { id, text } of [question, theirs]) {
      const { send: reply } = await bob.ask(SEND, { r: room, t: `re: ${text}`, to: id });
      expect(reply).toMatchObject({ replyToId: id, replyTo: { id, text } });
      expect(await events.next()).toMatchObject({ message: { replyToId: id, replyTo: { id, text } } });
    }
    await edit(alice, question.id, "question!");
    await remove(bob, theirs.id);
    const { nodes } = await page(alice, room);
    expect(nodes.slice(-2)).toMatchObject([
      { replyToId: question.id, replyTo: { text: "question!" } },
      { replyToId: theirs.id, replyTo: null },
    ]);
    const edited = await edit(bob, nodes.at(-1)?.id as string, "re: changed");
    expect(edited).toMatchObject({ replyToId: theirs.id, replyTo: null });
  });

  it("[REPLY1] can only answer a message of the same room", async () => {
    const [room, other] = [await newRoom(), await newRoom()];
    const elsewhere = await alice.send("elsewhere", other);
    const deleted = await alice.send("deleted", room);
    await remove(alice, deleted.id);
    const before = await alice.position(room);
    for (const to of [elsewhere.id, deleted.id, `${room}/1700000000000000`])
      expect(await code(alice, SEND, { r: room, t: "re", to, c: "once" })).toBe("NOT_FOUND");
    expect(await alice.position(room)).toBe(before);
  });

  it("[M2] return the same message when repeated, even if its target is gone; another target is refused", async () => {
    const room = await newRoom();
    const question = await alice.send("question", room);
    const sending = { r: room, t: "answer", c: "once", to: question.id };
    const { send: first } = await bob.ask(SEND, sending);
    await remove(alice, question.id);
    const { send: again } = await bob.on(one).ask(SEND, sending);
    expect(again).toEqual({ ...first, replyTo: null });
    expect(await code(bob, SEND, { ...sending, to: first.id })).toBe("CLIENT_MESSAGE_ID_REUSED");
    expect(await code(bob, SEND, { ...sending, to: null })).toBe("CLIENT_MESSAGE_ID_REUSED");
    const { editedAt } = await edit(bob, first.id, "a better answer");
    expect((await bob.ask(SEND, sending)).send).toEqual({ ...first, replyTo: null, text: "a better answer", editedAt });
    await remove(bob, first.id);
    expect((await bob.ask(SEND, sending)).send).toEqual({ ...first, replyTo: null });
    expect((await page(bob, room)).nodes).toEqual([]);
  });

  it("[API4] cost one extra round trip per page with reactions, whatever its size", async () => {
    const room = await newRoom();
    let to: string | null = null;
    for (let n = 0; n < 30; n++) {
      const { send }: { send: Whole } = await alice.ask(SEND, { r: room, t: `message ${n}`, to });
      to = send.id;
      if (n % 3 === 0) await react(bob, send.id, "👍");
    }
    const calls = async (last: number) => {
      const commands = await watchCommands(redis.client);
      await alice.ask(`query ($r: ID!, $n: Int) { messages(roomId: $r, last: $n) { nodes { ...Whole } } } ${MESSAGE}`, {
        r: room,
        n: last,
      });
      await commands.all();
      return commands.seen.filter(({ name, args }) => name === "evalsha" && args.includes(`room:${room}`)).length;
    };
    expect(await calls(30)).toBe(await calls(2));
    expect(await calls(30)).toBeLessThanOrEqual(2);
  });
});

describe("reactions", () => {
  it("[REACT1] count once per user and emoji, oldest first", async () => {
    const room = await newRoom();
    const { id } = await alice.send("react!", room);
    const events = eve.subscribe(EVENTS, { r: room, a: [await eve.position(room)] });
    await eve.subscribe("{ me { id } }").next(); // the earlier subscription runs once this returns
    await Promise.all(Array.from({ length: 10 }, (_, n) => react(n % 2 ? bob : bob.on(one), id, "👍")));
    await react(alice, id, "🎉");
    await react(alice, id, "👍");
    const expected = [
      { emoji: "👍", count: 2, users: [{ id: bob.id }, { id: alice.id }] },
      { emoji: "🎉", count: 1, users: [{ id: alice.id }] },
    ];
    expect((await page(eve, room)).nodes[0]?.reactions).toEqual(expected);
    expect((await events.next()).message.reactions).toEqual([{ emoji: "👍", count: 1, users: [{ id: bob.id }] }]);
    expect((await events.next()).message.reactions).toHaveLength(2);
    expect(await events.next()).toMatchObject({ __typename: "ReactionChanged", message: { id, text: "react!", reactions: expected } });

    expect(await react(eve, id, "👍", false)).toMatchObject({ reactions: expected });
    expect((await react(bob, id, "👍", false)).reactions).toEqual([{ ...expected[0], count: 1, users: [{ id: alice.id }] }, expected[1]]);
    expect((await edit(alice, id, "still there")).reactions).toHaveLength(2);
    await react(alice, id, "👍", false);
    expect((await react(alice, id, "🎉", false)).reactions).toEqual([]);
    expect(await redis.client.exists(`reactions:{room:${room}}`)).toBe(0);
    expect(
      (await alice.ask("query ($r: ID!) { room(id: $r) { lastMessage { reactions { emoji } } } }", { r: room })).room.lastMessage.reactions,
    ).toEqual([]);
  });

  it("[REACT2] name up to 100 users, and count all", async () => {
    const room = await newRoom();
    const { id } = await alice.send("popular", room);
    const others = Array.from({ length: 150 }, (_, n) => String(10_000 + n));
    await redis.client.hset(`reactions:{room:${room}}`, {
      [id]: JSON.stringify([["👍", 150, others.slice(0, 100)]]),
      [`${id} 👍`]: ` ${others.join(" ")} `,
    });
    const [reaction] = (await react(alice, id, "👍")).reactions;
    expect([reaction.count, reaction.users.length]).toEqual([151, 100]);
    await remove(alice, id);
    expect(await redis.client.exists(`reactions:{room:${room}}`)).toBe(0);
  });

  it("[REACT2] allow at most 20 different emojis per message", async () => {
    const room = await newRoom();
    const { id } = await alice.send("many", room);
    const emojis = Array.from({ length: 21 }, (_, n) => String.fromCodePoint(0x1f600 + n));
    for (const emoji of emojis.slice(0, 20)) await react(alice, id, emoji);
    expect((await bob.refused(REACT, { id, emoji: emojis[20] })).extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: "emoji" });
    await react(bob, id, emojis[0] as string);
    await react(alice, id, emojis[1] as string, false);
    expect((await react(bob, id, emojis[20] as string)).reactions).toHaveLength(20);
  });

  it.each(["👍", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "1️⃣", "❤️", "👩🏻‍❤️‍💋‍👨🏿", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "☺️", "🫨"])("[REACT1] accept %s", async (emoji) => {
    const { id } = await alice.send("emoji");
    expect((await react(alice, id, emoji)).reactions).toMatchObject([{ emoji }]);
  });

  it("[REACT1] treat an emoji with and without its variation selector as the same", async () => {
    const { id } = await alice.send("emoji");
    await react(alice, id, "❤");
    await react(bob, id, "❤️");
    await react(alice, id, "1⃣");
    await react(alice, id, "👍\uFE0F");
    expect((await react(bob, id, "👍")).reactions.map(({ emoji, count }: { emoji: string; count: number }) => [emoji, count])).toEqual([
      ["❤️", 2],
      ["1️⃣", 1],
      ["👍", 2],
    ]);
  });

  it.each([
    "",
    "a",
    "1",
    "#",
    "👍👍",
    "👍 ",
    " 👍",
    "👍a",
    "🇩",
    "🏽",
    "\u200d",
    "👍\u200d",
    ":+1:",
    '"',
    "\ud83d",
    "<b>",
    `👍${"\u200d👍".repeat(20)}`,
  ])("[O1] refuse %j as an emoji", async (emoji) => {
    const { id } = await alice.send("no emoji");
    expect((await alice.refused(REACT, { id, emoji })).extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: "emoji" });
  });
});

describe("`messages(around:)`", () => {
  const AROUND = `query ($r: ID!, $id: ID!, $first: Int, $last: Int) { messages(roomId: $r, around: $id, first: $first, last: $last) {
    position nodes { id text reactions { count } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } }`;
  const around = async (r: string, id: string, size: { first?: number; last?: number } = {}) =>
    (await alice.ask(AROUND, { r, id, ...size })).messages;
  const texts = ({ nodes }: { nodes: Whole[] }) => nodes.map(({ text }) => text);

  it("[JUMP1] returns a message with equally many before and after it", async () => {
    const room = await newRoom();
    const sent: Whole[] = [];
    for (let n = 0; n < 20; n++) sent.push(await alice.send(String(n), room));
    const id = (n: number) => sent[n]?.id as string;
    await react(bob, id(10), "👍");
    const middle = await around(room, id(10), { last: 5 });
    expect(texts(middle)).toEqual(["8", "9", "10", "11", "12"]);
    expect(middle.nodes[2].reactions).toEqual([{ count: 1 }]);
    expect(middle.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
    expect(middle.position).toBe(await alice.position(room));
    expect(texts(await around(room, id(10), { last: 4 }))).toEqual(["8", "9", "10", "11"]);
    expect(texts(await around(room, id(10), { first: 4 }))).toEqual(["9", "10", "11", "12"]);
    expect(texts(await around(room, id(10), { first: 1 }))).toEqual(["10"]);
    const start = await around(room, id(1), { last: 7 });
    expect([texts(start), start.pageInfo.hasPreviousPage, start.pageInfo.hasNextPage]).toEqual([["0", "1", "2", "3", "4"], false, true]);
    const end = await around(room, id(18), { last: 7 });
    expect([texts(end), end.pageInfo.hasPreviousPage, end.pageInfo.hasNextPage]).toEqual([["15", "16", "17", "18", "19"], true, false]);
    expect(texts(await around(room, id(10)))).toHaveLength(20);
    expect(
      texts(
        (
          await alice.ask(`query ($r: ID!, $id: ID!) { room(id: $r) { messages(around: $id, last: 3) { nodes { text } } } }`, {
            r: room,
            id: id(5),
          })
        ).room.messages,
      ),
    ).toEqual(["4", "5", "6"]);
    // Paging continues from either end.
    const { messages } = await alice.ask("query ($r: ID!, $c: String) { messages(roomId: $r, first: 2, after: $c) { nodes { text } } }", {
      r: room,
      c: middle.pageInfo.endCursor,
    });
    expect(texts(messages)).toEqual(["13", "14"]);

    await remove(alice, id(10));
    expect(await code(alice, AROUND, { r: room, id: id(10) })).toBe("NOT_FOUND");
    for (const [size, argument] of [
      [{ last: 0 }, "last"],
      [{ first: 101 }, "first"],
    ] as const)
      expect((await alice.refused(AROUND, { r: room, id: id(5), ...size })).extensions).toMatchObject({ code: "BAD_USER_INPUT", argument });
    const mixed = "query ($r: ID!, $id: ID!, $c: String) { messages(roomId: $r, around: $id, last: 2, before: $c) { position } }";
    expect((await alice.refused(mixed, { r: room, id: id(5), c: start.pageInfo.endCursor })).extensions.argument).toBe("before");
    expect((await alice.refused(AROUND, { r: room, id: "x" })).extensions.argument).toBe("around");
  });

  it("[JUMP1] works where many messages share a score, in paging order", async () => {
    const room = await newRoom();
    for (let n = 0; n < 200; n++) await foreign("Node, live", bob.id, `same ${n}`, room, 1_700_000_000 + (n % 3));
    for (let n = 0; n < 30; n++) await redis.client.zadd(`room:${room}`, 1_700_000_001, `no message ${n}`);
    await alice.send("ours", room);
    const all = [
      ...(await alice.ask("query ($r: ID!) { messages(roomId: $r, first: 100) { nodes { id text } pageInfo { endCursor } } }", { r: room }))
        .messages.nodes,
    ];
    const rest = (await alice.ask("query ($r: ID!) { messages(roomId: $r, last: 100) { nodes { id text } } }", { r: room })).messages.nodes;
    for (const [index, list] of [
      [0, all],
      [1, all],
      [40, all],
      [66, all],
      [67, all],
      [90, all],
      [50, rest],
      [98, rest],
      [99, rest],
    ] as [number, Whole[]][]) {
      const found = texts(await around(room, list[index]?.id as string, { last: 9 }));
      const at = found.indexOf(list[index]?.text as string);
      expect(found).toEqual(list.slice(index - at, index - at + found.length).map(({ text }) => text));
      if (list === all || index < 95) expect(found.length - at - 1).toBe(4);
      expect(at).toBe(list === all ? Math.min(index, 4) : 4);
    }
  });
});

describe("a subscriber", () => {
  /** Sorts by sentAt, like cursors. */
  const inOrder = (messages: Map<string, Whole>) =>
    [...messages.values()].sort((a, b) => a.sentAt.localeCompare(b.sentAt) || (a.id < b.id ? -1 : 1));

  it.each([1, 2, 3, 4])("[EDIT4] ends with the result of a fresh query after any sequence of changes (seed %i)", async (seed) => {
    const random = randomFrom(seed);
    const room = await newRoom();
    const people = [alice, bob, alice.on(two), bob.on(one)];
    for (let n = 0; n < 5; n++) await random.pick(people).send(`early ${n}`, room);
    await foreign("Node, live", alice.id, "early foreign", room, 1_700_000_000);
    const first = await page(eve, room);
    const live = eve.subscribe(EVENTS, { r: room, a: [first.position] });

    let foreignDate = 1_700_000_100;
    for (let step = 0; step < 40; step++) {
      await Promise.all(
        Array.from({ length: 3 }, async (_, n) => {
          const person = random.pick(people);
          const { id } = random.pick((await page(person, room)).nodes) ?? { id: `${room}/1` };
          const deeds = [
            () => person.send(`sent ${step} ${n}`, room),
            () => person.request(SEND, { r: room, t: `re ${step}`, to: id }),
            () => foreign(random.pick(Object.keys(demoApps)), person.id, `said ${step} ${n}`, room, foreignDate++),
            () => person.request(EDIT, { id, text: `edited ${step} ${n}` }),
            () => person.request(EDIT, { id, text: `edited ${step} ${n} too` }),
            () => person.request(DELETE, { id }),
            () => person.request(REACT, { id, emoji: random.pick(["👍", "🎉", "❤️"]), on: random.chance(0.6) }),
            () => person.request(REACT, { id, emoji: "👀" }),
          ];
          await random.pick(deeds)();
        }),
      );
    }
    const fresh = await page(eve, room);
    await expectAccounted(room);
    const marker = await alice.send("marker", room);
    // `replyTo` is read when an event is delivered, so its message may still exist then, or have an older text.
    const withoutReplyTo = ({ replyTo: _, ...message }: Whole) => message;
    for (const stream of [live, eve.on(two).subscribe(EVENTS, { r: room, a: [first.position] })]) {
      const messages = new Map(first.nodes.map((message) => [message.id, message]));
      for (;;) {
        const event = await stream.next();
        if (event.message?.id === marker.id) break;
        if (event.__typename === "MessageDeleted") messages.delete(event.messageId);
        else messages.set(event.message.id, (({ position: _, ...message }) => message)(event.message));
      }
      expect(inOrder(messages).map(withoutReplyTo)).toEqual(fresh.nodes.map(withoutReplyTo));
    }
    const there = new Set(fresh.nodes.map(({ id }) => id));
    for (const { replyToId, replyTo } of fresh.nodes)
      expect(replyTo?.id ?? null).toBe(replyToId !== null && there.has(replyToId) ? replyToId : null);
  });
});
