import { describe, expect, it } from "vitest";
import { acquaint } from "../helpers/acquaint.js";
import { type Stream, TestClient } from "../helpers/client.js";
import { type AppName, DemoApp, type Person } from "../helpers/demo-apps.js";
import { eventually } from "../helpers/eventually.js";
import { randomFrom } from "../helpers/random.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);
const node = new DemoApp("Node", redis.client);
const pablo = await node.register("Pablo");
const alice = await TestClient.register(one, "alice");
const bob = await TestClient.register(two, "bob");

const asPerson = ({ id, username }: TestClient): Person => ({ id, username });
const login = async (server: { url: string }, username: string) => {
  const query = 'mutation ($u: String!) { login(username: $u, password: "password123") { token user { id } } }';
  const { login } = await new TestClient(server.url).ask(query, { u: username });
  return new TestClient(server.url, login.token, login.user.id, username);
};

const EVENTS = `subscription ($r: ID, $a: [String!]) {
  roomEvents(roomId: $r, after: $a) { roomId position ... on MessageAdded { message { id text sentAt from { username } } } }
}`;
const HISTORY = "query ($r: ID!) { messages(roomId: $r, last: 100) { position nodes { id text } } }";
const texts = async (client: TestClient, r: string): Promise<string[]> =>
  (await client.ask(HISTORY, { r })).messages.nodes.map(({ text }: { text: string }) => text);

/** Creates a named room for one test. */
async function ownRoom(): Promise<string> {
  const room = `room-${crypto.randomUUID().slice(0, 8)}`;
  await redis.client.set(`room:${room}:name`, "A room");
  return room;
}

/** Stores a message as a demo app does, without announcing it. */
async function sayUnheard(roomId: string, text: string, date = Math.floor(Date.now() / 1_000)) {
  const { member, score } = node.store({ roomId, from: pablo.id, text, date });
  await redis.client.zadd(`room:${roomId}`, score, member);
}

/** Asserts that the stream has nothing pending: the next message is the one sent here. */
async function nothingElse(stream: Stream, roomId: string): Promise<void> {
  await alice.send("marker", roomId);
  expect(await stream.texts(1)).toEqual(["marker"]);
}

describe.each<AppName>(["Node", "Flask", "Java", ".NET"])("a message from the %s app", (name) => {
  const app = new DemoApp(name, redis.client);

  it("[I1] reaches subscribers on every server once, in order, with a position to resume from", async () => {
    const room = await ownRoom();
    const person = await app.register(`${name}-1`);
    await alice.send("ours first", room); // so that both servers know the room
    const streams = [
      alice.follow({ roomId: room, after: [await alice.position(room)] }),
      bob.follow({ roomId: room, after: [await bob.position(room)] }),
    ];
    const events = alice.subscribe(EVENTS, { r: room, a: [await alice.position(room)] });

    await app.say(person, "hello <b> & ü", { roomId: room });
    await app.say(person, "once more", { roomId: room }); // in the same second, so bytes decide the order if both are found at once
    await eventually(async () => expect(await redis.client.xlen(`log:{room:${room}}`)).toBe(3));
    await alice.send("ours", room);

    const [first] = streams as [Stream];
    const { text, from, position } = await first.next();
    expect([text, from.id]).toEqual(["hello <b> & ü", String(person.id)]);
    expect(await first.texts(2)).toEqual(["once more", "ours"]);
    expect(await (streams[1] as Stream).texts(3)).toEqual(["hello <b> & ü", "once more", "ours"]);
    expect(await bob.follow({ roomId: room, after: [position] }).texts(2)).toEqual(["once more", "ours"]);

    const { nodes } = (await alice.ask(HISTORY, { r: room })).messages;
    const { message } = await events.next();
    expect(message.id).toBe(nodes.find(({ text }: { text: string }) => text === message.text).id);
    expect(message.from.username).toBe(person.username);
  });

  it("[I1] sets its author online, and fires `userOnline` once over all servers", async () => {
    const person = await app.register(`${name}-2`);
    const id = String(person.id);
    const stream = bob.subscribe("subscription ($ids: [ID!]) { userOnline(userIds: $ids) { id online } }", { ids: [id] });
    await expect.poll(() => redis.client.call("PUBSUB", "SHARDNUMSUB", "online_users")).toEqual(["online_users", 1]);
    await app.connect(person);
    expect(await stream.next()).toEqual({ id, online: true });
    expect(await alice.ask("query ($id: ID!) { user(id: $id) { online } }", { id })).toEqual({ user: { online: true } });
    await app.say(person, "still here");
    await app.disconnect(person);
    expect(await stream.next()).toEqual({ id, online: false });
    await app.say(person, "back");
    expect(await stream.next()).toEqual({ id, online: true });
    stream.stop();
  });
});

describe("a demo app's message", () => {
  it("[I1] is delivered once, though two servers receive it twice, and it is read in between", async () => {
    const room = await ownRoom();
    const stream = alice.follow({ roomId: room, after: [await alice.position(room)] });
    const said = { from: pablo.id, text: "once", roomId: room, date: 1_795_325_003 };
    await node.say(pablo, said.text, said);
    await node.publish("message", node.messageData(said));
    expect(await texts(bob, room)).toEqual(["once"]);
    await node.publish("message", node.messageData(said));
    expect(await stream.texts(1)).toEqual(["once"]);
    await nothingElse(stream, room);
  });

  const BURST = ["zero", "one", "two", "three", "four", "five", "six"];

  it.each<[string, (room: string) => Promise<unknown>]>([
    ["the room is idle", async () => {}],
    ["a member reads", async (room) => void bob.history(room)],
    ["a member sends", async (room) => void bob.send("meanwhile", room)],
    ["a member reconnects", async (room) => void bob.position(room)],
  ])("[I1] keeps the order of a burst that is stored before it is announced, while %s", async (_what, between) => {
    for (const isNew of [true, false]) {
      const room = await ownRoom();
      if (!isNew) await alice.send("ours", room);
      const after = await alice.position(room);
      const stream = alice.follow({ roomId: room, after: [after] });
      await node.burst(pablo, BURST, { roomId: room }, () => between(room));
      const told: string[] = [];
      while (BURST.some((text) => !told.includes(text))) told.push(...(await stream.texts(1)));
      expect(told.filter((text) => text !== "meanwhile")).toEqual(BURST);
      expect((await texts(bob, room)).filter((text) => BURST.includes(text))).toEqual(BURST);
      expect(
        (await node.shown(room)).filter((member) => member.includes(`"from":${pablo.id}`)).map((one) => JSON.parse(one).message),
      ).toEqual(BURST);
    }
  });

  it("[I1] is delivered and readable when an app stores a burst and dies before announcing it", async () => {
    const room = await ownRoom();
    await alice.send("ours", room);
    const stream = alice.follow({ roomId: room, after: [await alice.position(room)] });
    for (const text of BURST) await sayUnheard(room, text);
    expect((await texts(bob, room)).slice(1).sort()).toEqual([...BURST].sort());
    expect((await stream.texts(BURST.length)).sort()).toEqual([...BURST].sort());
  });

  it.each<AppName>(["Node", "Flask", "Java", ".NET"])(
    "[I1] is placed below a question that it answers within the same second: %s",
    async (name) => {
      const app = new DemoApp(name, redis.client);
      const room = await ownRoom();
      const stream = alice.follow({ roomId: room, after: [await alice.position(room)] });
      const said: string[] = [];
      for (let n = 0; n < 6; n++) {
        said.push(`question ${n}`, `answer ${n}`);
        await alice.send(`question ${n}`, room);
        await app.say(pablo, `answer ${n}`, { roomId: room, date: Math.floor(Date.now() / 1_000) - (n % 3) });
        expect(await stream.texts(2)).toEqual(said.slice(-2));
      }
      expect(await texts(bob, room)).toEqual(said);
      const shown = (await app.shown(room)).map((member) => JSON.parse(member));
      expect(shown.map(({ message, Message }) => message ?? Message)).toEqual(said);
    },
  );

  it("[I1] keeps its place and reactions when an app stores the same message again", async () => {
    const room = await ownRoom();
    const stream = alice.follow({ roomId: room, after: [await alice.position(room)] });
    await alice.send("question", room);
    const date = Math.floor(Date.now() / 1_000);
    await node.say(pablo, "answer", { roomId: room, date });
    expect(await stream.texts(2)).toEqual(["question", "answer"]);
    const find = "query ($r: ID!) { messages(roomId: $r) { nodes { id text reactions { emoji count } } } }";
    const [, { id }] = (await alice.ask(find, { r: room })).messages.nodes;
    await alice.ask('mutation ($id: ID!) { react(messageId: $id, emoji: "👍") { id } }', { id });
    await node.say(pablo, "answer", { roomId: room, date });
    await node.say(pablo, "and more", { roomId: room, date });
    expect(await stream.texts(1)).toEqual(["and more"]);
    const { nodes } = (await alice.ask(find, { r: room })).messages;
    expect(nodes.map(({ text }: { text: string }) => text)).toEqual(["question", "answer", "and more"]);
    expect(nodes[1]).toEqual({ id, text: "answer", reactions: [{ emoji: "👍", count: 1 }] });
  });

  it("[I1] is read at the right second when dated in milliseconds, even if it was there before", async () => {
    for (const there of [false, true]) {
      const room = await ownRoom();
      const date = Math.floor(Date.now() / 1_000) - 1_000;
      await sayUnheard(room, "before", date - 1);
      if (there) {
        await sayUnheard(room, "milliseconds", date * 1_000);
        for (let n = 0; n < 150; n++) await sayUnheard(room, `old ${n}`, date - 1_000 + n);
      }
      const stream = alice.follow({ roomId: room, after: [await alice.position(room)] });
      if (!there) await node.say(pablo, "milliseconds", { roomId: room, date: date * 1_000 });
      await node.say(pablo, "after", { roomId: room, date: date + 1 });
      if (!there) expect(await stream.texts(1)).toEqual(["milliseconds"]);
      expect(await stream.texts(1)).toEqual(["after"]);
      expect((await texts(alice, room)).slice(-3)).toEqual(["before", "milliseconds", "after"]);
      const query =
        "query ($r: ID!) { messages(roomId: $r, last: 3) { nodes { id text sentAt } } room(id: $r) { lastMessage { text } unreadCount } }";
      const { messages, room: newest } = await alice.ask(query, { r: room });
      expect(newest.lastMessage.text).toBe("after");
      const [, { id, sentAt }] = messages.nodes;
      expect(Date.parse(sentAt)).toBe(date * 1_000);
      await alice.ask("mutation ($id: ID!) { markRead(messageId: $id) { id } }", { id });
      expect((await alice.ask(query, { r: room })).room.unreadCount).toBe(1);
    }
  });

  it.each([
    ["milliseconds", Date.now()],
    ["long ago, in seconds", 1_000_000_000],
    ["in the future", Math.floor(Date.now() / 1_000) + 500_000],
    ["a fraction", Date.now() / 1_000],
  ])("[I1] is delivered live when its date is %s", async (_what, date) => {
    const room = await ownRoom();
    // A room of an existing database, with more messages than one call examines.
    for (let n = 0; n < 1_100; n++)
      await redis.client.zadd(
        `room:${room}`,
        1_700_000_000 + n,
        `{"from":"1","date":${1_700_000_000 + n},"message":"old","roomId":"${room}"}`,
      );
    await eventually(async () => {
      await alice.position(room); // each call examines another portion
      expect(await redis.client.hexists(`meta:{room:${room}}`, "since")).toBe(0);
    });
    const stream = alice.follow({ roomId: room, after: [await alice.position(room)] });
    await node.say(pablo, "odd", { roomId: room, date });
    expect(await stream.texts(1)).toEqual(["odd"]);
    await nothingElse(stream, room);
  });

  it.each(["read", "subscribed to", "written to"])("[I1] is found without an announcement once its room is %s", async (how) => {
    const room = await ownRoom();
    const after = await alice.position(room);
    const stream = alice.follow({ roomId: room, after: [after] });
    await alice.send("before", room);
    expect(await stream.texts(1)).toEqual(["before"]);
    await sayUnheard(room, "unheard");
    if (how === "read") await texts(bob, room);
    if (how === "subscribed to")
      expect(
        await bob
          .on(two)
          .follow({ roomId: room, after: [after] })
          .texts(2),
      ).toEqual(["before", "unheard"]);
    if (how === "written to") await bob.send("after", room);
    expect(await stream.texts(1)).toEqual(["unheard"]);
    if (how === "written to") expect(await stream.texts(1)).toEqual(["after"]);
    await nothingElse(stream, room);
  });

  it("[I1] is found by a returning subscriber when it was stored while no server ran", async () => {
    const room = await ownRoom();
    const three = await ownServer(redis.url);
    const after = await alice.on(three).position(room);
    await three.stop();
    for (const text of ["one", "two", "three"]) await sayUnheard(room, text, 1_795_325_003 + text.length);
    expect((await alice.follow({ roomId: room, after: [after] }).texts(3)).sort()).toEqual(["one", "three", "two"]);
  });

  it("[D2] causes HISTORY_RESET, not a silent gap, when not every new message can be found", async () => {
    const room = await ownRoom();
    await alice.send("a log", room);
    const after = await alice.position(room);
    const live = bob.follow({ roomId: room, after: [after] });
    await bob.send("live", room);
    expect(await live.texts(1)).toEqual(["live"]);
    await sayUnheard(room, "of long ago", 1_000_000_000); // not announced, and older than everything that is examined…
    await redis.client.hset(`meta:{room:${room}}`, "since", 1_700_000_000);
    await texts(alice, room);
    await redis.client.hset(`meta:{room:${room}}`, "deadline", 1); // …and the grace period for it has passed
    expect(await alice.follow({ roomId: room, after: [after] }).refusal()).toBe("HISTORY_RESET");
    expect(await texts(alice, room)).toEqual(["of long ago", "a log", "live"]);
    await alice.send("on", room);
    expect(await live.refusal()).toBe("HISTORY_RESET");
  });

  it.each([1, 2, 3])(
    "[I1] [D2] is delivered once, or causes HISTORY_RESET, regardless of date and announcement (seed %i)",
    async (seed) => {
      const random = randomFrom(seed);
      const room = await ownRoom();
      const now = Math.floor(Date.now() / 1_000);
      for (let n = random.integer(0, 1_500); n > 0; n--) await sayUnheard(room, `taken over ${n}`, now - 10_000 + n);
      await alice.send("a log", room);
      const after = await alice.position(room);
      const said: string[] = [];
      for (let step = 0; step < 250; step++) {
        const text = `said ${step}`;
        said.push(text);
        const date = random.pick([
          now,
          now,
          now + step,
          now - random.integer(1, 20_000),
          now + 3_600,
          now + 500_000,
          now * 1_000,
          now + 0.5,
        ]);
        if (random.chance(0.7)) await node.say(pablo, text, { roomId: room, date });
        else await sayUnheard(room, text, date);
        if (random.chance(0.2)) await random.pick([alice, bob]).send(`sent ${step}`, room);
        if (random.chance(0.1)) await node.publish("message", node.messageData({ from: pablo.id, text, roomId: room, date }));
      }
      await alice.send("the end", room);
      const stream = bob.follow({ roomId: room, after: [after] });
      const told: string[] = [];
      let code: string | undefined;
      const reading = (async () => {
        while (code === undefined) {
          const { data, errors } = await stream.result();
          if (errors) code = errors[0]?.extensions.code;
          else told.push(data.messageAdded.text);
        }
      })();
      // If the server cannot tell which messages are new, the subscriber restarts, and gets them all by loading the room.
      await eventually(async () => {
        await alice.position(room);
        expect(code === "HISTORY_RESET" || said.every((text) => told.includes(text))).toBe(true);
      });
      expect(code ?? "HISTORY_RESET").toBe("HISTORY_RESET");
      expect(new Set(told).size).toBe(told.length);
      expect(told.filter((text) => text.startsWith("taken over"))).toEqual([]);
      stream.stop();
      await reading.catch(() => {}); // it is stopped
    },
  );

  it("[I1] is delivered when its author's clock is slow in a busy room, or another's was fast", async () => {
    const room = await ownRoom();
    const begin = Math.floor(Date.now() / 1_000) - 300;
    await alice.send("a log", room);
    await node.say(pablo, "ahead", { roomId: room, date: begin + 4_000 });
    for (let n = 0; n < 2_200; n++) {
      await sayUnheard(room, `busy ${n}`, begin + Math.floor(n / 10));
      if (n % 50 === 0) await alice.position(room);
    }
    const stream = alice.follow({ roomId: room, after: [await alice.position(room)] });
    await node.say(pablo, "late", { roomId: room, date: begin + 5 });
    expect(await stream.texts(1)).toEqual(["late"]);
    await sayUnheard(room, "unheard", begin + 300);
    expect(await bob.history(room)).toContain("unheard");
    expect(await stream.texts(1)).toEqual(["unheard"]);
    await nothingElse(stream, room);
  });

  it("[I1] is delivered even if others remove messages from the room, or the whole room", async () => {
    const room = await ownRoom();
    for (const text of ["one", "two", "three"]) await alice.send(text, room);
    const stream = alice.follow({ roomId: room, after: [await alice.position(room)] });
    await redis.client.zremrangebyrank(`room:${room}`, 0, 0);
    await node.say(pablo, "instead of one", { roomId: room });
    expect(await stream.texts(1)).toEqual(["instead of one"]);
    await redis.client.del(`room:${room}`);
    await node.say(pablo, "alone", { roomId: room });
    expect(await stream.texts(1)).toEqual(["alone"]);
    await nothingElse(stream, room);
  });

  it("[D2] is not skipped silently when the metadata of its room is lost", async () => {
    const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(two, "ben")];
    const { openPrivateRoom: room } = await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ben.id });
    const after = await ben.position(room.id);
    for (const text of ["one", "two"]) await ann.send(text, room.id);
    await redis.client.del(`log:{room:${room.id}}`, `meta:{room:${room.id}}`, `foreign:{room:${room.id}}`);
    expect(await ben.follow({ roomId: room.id, after: [after] }).refusal()).toBe("HISTORY_RESET");
  });

  it("[M4] [I1] is paged and delivered like any other when its date is infinite", async () => {
    const room = await ownRoom();
    const stream = alice.follow({ roomId: room, after: [await alice.position(room)] });
    for (const [n, date] of ["inf", "-inf", "inf", "+inf"].entries()) {
      const said = JSON.stringify({ roomId: room, message: `dated ${date} ${n}`, from: pablo.id, date });
      await redis.client.zadd(`room:${room}`, date, said);
      await node.publish("message", said);
    }
    await alice.send("of today", room);
    const told = await stream.texts(5);
    expect(told.at(-1)).toBe("of today");
    for (const from of ["oldest", "newest"] as const) expect((await alice.history(room, { size: 1, from })).sort()).toEqual(told.sort());
  });

  it("[I1] cannot pass as Palaver's own by copying its fields", async () => {
    const room = await ownRoom();
    const stream = alice.follow({ roomId: room, after: [await alice.position(room)] });
    const mine = await alice.send("mine", room, "an-id");
    const [stored = "", score = ""] = await redis.client.zrange(`room:${room}`, "0", "-1", "WITHSCORES");
    // The Node app stores its client's object unchanged. This one copies everything except the text from a Palaver message.
    const forged = JSON.stringify({ ...JSON.parse(stored), message: "forged" });
    await redis.client.zadd(`room:${room}`, score, forged);
    await node.publish("message", forged);
    expect(await stream.texts(2)).toEqual(["mine", "forged"]);
    const { nodes } = (await alice.ask("query ($r: ID!) { messages(roomId: $r) { nodes { id text clientMessageId } } }", { r: room }))
      .messages;
    expect(new Set(nodes.map(({ id }: { id: string }) => id)).size).toBe(2);
    expect(nodes.find(({ text }: { text: string }) => text === "forged").clientMessageId).toBeNull();
    expect(nodes.find(({ text }: { text: string }) => text === "mine").id).toBe(mine.id);
  });
});

describe("a mention in a demo app", () => {
  const COUNT = `query ($r: ID!) {
    room(id: $r) { unreadMentions unreadCount }
    mentions(first: 5) { nodes { id text from { username } mentions { username } } }
  }`;

  it.each(["announced", "not announced"])("[I1] counts like any other, even after an edit or a deletion, when it was %s", async (how) => {
    const room = await ownRoom();
    const ann = await TestClient.register(one, "ann");
    await redis.client.sadd(`user:${ann.id}:rooms`, room); // puts it in ann's list
    const text = `hello @${ann.username}, and @nobody-at-all`;
    await ann.send("a log", room);
    const stream = bob.subscribe("subscription ($r: ID!) { messageAdded(roomId: $r) { id text mentions { id } } }", { r: room });
    await expect.poll(() => redis.client.call("PUBSUB", "SHARDNUMSUB", `room:${room}`)).toEqual([`room:${room}`, 1]);
    const author = await node.register(`author-${crypto.randomUUID().slice(0, 8)}`);
    if (how === "announced") await node.say(author, text, { roomId: room });
    else {
      const { member, score } = node.store({ roomId: room, from: author.id, text, date: Math.floor(Date.now() / 1_000) });
      await redis.client.zadd(`room:${room}`, score, member);
      await texts(alice, room);
    }
    expect((await stream.next()).mentions).toEqual([{ id: ann.id }]);
    stream.stop();
    await eventually(async () => expect((await ann.ask(COUNT, { r: room })).room).toEqual({ unreadMentions: 1, unreadCount: 1 }));
    const { nodes } = (await ann.ask(COUNT, { r: room })).mentions;
    expect(nodes).toMatchObject([{ text, from: { username: author.username }, mentions: [{ username: ann.username }] }]);

    const author2 = await login(one, author.username);
    await author2.ask('mutation ($id: ID!) { editMessage(id: $id, text: "hello nobody") { id } }', { id: nodes[0].id });
    expect(await ann.ask(COUNT, { r: room })).toEqual({ room: { unreadMentions: 0, unreadCount: 1 }, mentions: { nodes: [] } });
    await node.say(author, `again @${ann.username}`, { roomId: room });
    await eventually(async () => expect((await ann.ask(COUNT, { r: room })).room.unreadMentions).toBe(1));
    const [again] = (await ann.ask(COUNT, { r: room })).mentions.nodes;
    await author2.ask("mutation ($id: ID!) { deleteMessage(id: $id) }", { id: again.id });
    expect((await ann.ask(COUNT, { r: room })).room.unreadMentions).toBe(0);
    expect(await redis.client.zcard(`mentioned:{room:${room}}`)).toBe(0);
  });

  it("[I1] is not lost when a server dies between adopting the message and looking up names", async () => {
    const room = await ownRoom();
    const ann = await TestClient.register(one, "ann");
    await ann.send("a log", room);
    await sayUnheard(room, `hello @${ann.username}`);
    await texts(alice, room); // adopts the message, without looking up names
    expect(await redis.client.zlexcount(`own:{room:${room}}`, "[@:", "(@;")).toBe(1);
    expect((await ann.ask(COUNT, { r: room })).room.unreadMentions).toBe(1);
    expect(await redis.client.zlexcount(`own:{room:${room}}`, "[@:", "(@;")).toBe(0);
  });
});

describe("a private room that a demo app opened", () => {
  it.each<AppName>(["Node", "Flask"])("[ROOM5] is shown only to its two members, with its first message: %s", async (name) => {
    const app = new DemoApp(name, redis.client);
    const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(two, "ben")];
    const shown = [ann, ben, alice].map((client) => client.subscribe("subscription { roomShown { id name } }"));
    const followed = ben.follow(); // all rooms, now and later
    await expect.poll(() => redis.client.call("PUBSUB", "SHARDNUMSUB", "room:0")).not.toEqual(["room:0", 0]);
    await eventually(async () =>
      expect(await redis.client.call("PUBSUB", "SHARDNUMSUB", ...[ann, ben, alice].map(({ id }) => `user:${id}`))).toEqual(
        [ann, ben, alice].flatMap(({ id }) => [`user:${id}`, 1]),
      ),
    );
    await alice.send("marker");
    expect(await followed.texts(1)).toEqual(["marker"]);
    const room = await app.openRoom(asPerson(ann), asPerson(ben));
    await app.say(asPerson(ann), "psst", { roomId: room });
    await app.say(asPerson(ann), "once more", { roomId: room });
    expect(await (shown[0] as Stream).next()).toEqual({ id: room, name: ben.username });
    expect(await (shown[1] as Stream).next()).toEqual({ id: room, name: ann.username });
    expect(await followed.texts(2)).toEqual(["psst", "once more"]);

    // Next, alice is shown a room of hers, and ann is not shown the earlier one again.
    const { openPrivateRoom: other } = await alice.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ann.id });
    await alice.send("hello ann", other.id);
    expect((await (shown[2] as Stream).next()).id).toBe(other.id);
    expect((await (shown[0] as Stream).next()).id).toBe(other.id);
  });

  it("[ROOM5] is shown to both members when the Flask app adds it to no user's rooms", async () => {
    const flask = new DemoApp("Flask", redis.client);
    const [ann, fred] = [await TestClient.register(one, "ann"), await flask.register(`fred-${crypto.randomUUID().slice(0, 8)}`)];
    const shown = ann.subscribe("subscription { roomShown { id name } }");
    const followed = ann.on(two).follow(); // all rooms, now and later
    await eventually(async () => expect(await redis.client.call("PUBSUB", "SHARDNUMSUB", `user:${ann.id}`)).toEqual([`user:${ann.id}`, 2]));
    const room = `${ann.id}:${fred.id}`;
    const said = { roomId: room, from: fred.id, text: "psst", date: Math.floor(Date.now() / 1_000) };

    // A message that is only published, or from a third user, or to an unknown user, does not open a room.
    await flask.publish("message", flask.messageData(said));
    await flask.say(pablo, "from outside", { roomId: `${ann.id}:${Number(fred.id) + 1_000_000}` });
    await flask.say(pablo, "from outside", { roomId: room });
    await alice.send("marker", "0");
    expect((await followed.next()).text).toBe("marker");
    expect(await redis.client.smembers(`user:${ann.id}:rooms`)).toEqual(["0"]);

    await flask.say(fred, "psst", { roomId: room });
    expect(await shown.next()).toEqual({ id: room, name: fred.username });
    expect(await followed.texts(1)).toEqual(["psst"]);
    expect(await texts(ann, room)).toEqual(["psst"]);
    expect(await redis.client.sismember(`user:${fred.id}:rooms`, room)).toBe(1);
    expect((await ann.ask("{ rooms { nodes { id } } }")).rooms.nodes.map(({ id }: { id: string }) => id)).toContain(room);
  });

  it.each(["announced together with a second", "not announced, but its second is"])(
    "[ROOM5] is shown when its first message is %s",
    async (how) => {
      const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(two, "ben")];
      const shown = ben.subscribe("subscription { roomShown { id } }");
      const followed = ben.follow();
      await ben.send("a marker");
      await eventually(async () => expect(await redis.client.call("PUBSUB", "SHARDNUMSUB", "room:0")).not.toEqual(["room:0", 0]));
      const room = await node.openRoom(asPerson(ann), asPerson(ben));
      if (how.startsWith("announced")) await node.publish("show.room", JSON.stringify({ id: room, names: [["ann"], ["ben"]] }));
      const said = ["x", "y"].map((text) => ({ from: ann.id, text, roomId: room, date: Math.floor(Date.now() / 1_000) }));
      for (const { member, score } of said.map((one) => node.store(one))) await redis.client.zadd(`room:${room}`, score, member);
      for (const one of how.startsWith("announced") ? said : said.slice(1)) await node.publish("message", node.messageData(one));
      expect(await shown.next()).toEqual({ id: room });
      const texts = await followed.texts(2);
      const both = texts[0] === "a marker" ? [...texts.slice(1), ...(await followed.texts(1))] : texts;
      // Of two messages in one second, only announced ones have an order.
      expect(how.startsWith("announced") ? both : both.sort()).toEqual(["x", "y"]);
    },
  );

  it("[M5] stays closed to others, whatever an app publishes about it", async () => {
    const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(two, "ben")];
    const room = await node.openRoom(asPerson(ann), asPerson(ben));
    const eve = await TestClient.register(one, "eve");
    const stream = eve.follow(); // all rooms of eve
    const shown = eve.subscribe("subscription { roomShown { id } }");
    const followed = alice.follow({ roomId: "0", after: [await alice.position()] });
    await expect.poll(() => redis.client.call("PUBSUB", "SHARDNUMSUB", `user:${eve.id}`)).toEqual([`user:${eve.id}`, 1]);
    await node.say(asPerson(ann), "secret", { roomId: room });
    // These are published as messages in General or in a room of eve, but were never stored there.
    await node.publish("message", JSON.stringify({ roomId: "0", message: "secret", from: ann.id, date: 1_795_325_003 }));
    await node.publish("show.room", JSON.stringify({ id: room, names: [["eve"]] }));
    await redis.client.publish(
      "MESSAGES",
      JSON.stringify({ type: "message", data: { roomId: `${ann.id}:${eve.id}`, message: "secret", from: ann.id, date: 5 } }),
    );
    await expect.poll(() => texts(ann, room)).toEqual(["secret"]);
    await alice.send("to all");
    expect(await stream.texts(1)).toEqual(["to all"]);
    expect(await followed.texts(1)).toEqual(["to all"]);
    const { openPrivateRoom: own } = await eve.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ann.id });
    await eve.send("hello", own.id);
    expect((await shown.next()).id).toBe(own.id);
  });
});

describe("presence beside a demo app", () => {
  it("[I1] keeps a user online when their demo app tab closes, and announces it to the demo apps", async () => {
    const dora = await TestClient.register(one, "dora");
    const stream = bob.subscribe("subscription ($ids: [ID!]) { userOnline(userIds: $ids) { id online } }", { ids: [dora.id] });
    await expect.poll(() => redis.client.call("PUBSUB", "SHARDNUMSUB", "online_users")).toEqual(["online_users", 1]);
    await dora.subscribe("{ me { id } }").next();
    expect(await stream.next()).toEqual({ id: dora.id, online: true });

    const heard: string[] = [];
    const subscriber = redis.client.duplicate();
    subscriber.on("message", (_channel, text) => heard.push(text));
    await subscriber.subscribe("MESSAGES");
    await node.connect(asPerson(dora));
    await node.disconnect(asPerson(dora));
    const ours = () => heard.filter((text) => text.startsWith('{"serverId":"palaver-'));
    await eventually(() => expect(ours()).toEqual([expect.stringContaining('"user.connected"')]));
    expect(await redis.client.sismember("online_users", dora.id)).toBe(1);
    subscriber.disconnect();

    await dora.disconnect();
    expect(await stream.next()).toEqual({ id: dora.id, online: false });
    expect(await redis.client.sismember("online_users", dora.id)).toBe(0);
    stream.stop();
  });

  it("[I1] publishes presence changes that no server heard, once a server listens again", async () => {
    const [came, went] = [await node.register("came"), await node.register("went")];
    await node.connect(went);
    await expect.poll(() => redis.client.sismember("announced:{online_users}", String(went.id))).toBe(1);
    const ids = [String(came.id), String(went.id)];
    const stream = bob.subscribe("subscription ($ids: [ID!]) { userOnline(userIds: $ids) { id online } }", { ids });
    await expect.poll(() => redis.client.call("PUBSUB", "SHARDNUMSUB", "online_users")).toEqual(["online_users", 1]);
    await redis.client.sadd("online_users", came.id); // without an announcement, as after a lost connection
    await redis.client.srem("online_users", went.id);
    await ownServer(redis.url);
    const told = [await stream.next(), await stream.next()].sort((a, b) => a.id - b.id);
    expect(told).toEqual([
      { id: ids[0], online: true },
      { id: ids[1], online: false },
    ]);
    stream.stop();
  });
});

describe("accounts", () => {
  it("[I1] of a demo app can log in to Palaver, and Palaver's to the demo app", async () => {
    await node.register("Zoë", "password123");
    expect((await login(one, "Zoë")).id).toMatch(/^\d+$/);
    expect(await node.logsIn(alice.username, "a good password")).toBe(true);
    expect(await node.logsIn(alice.username, "another password")).toBe(false);
  });
});

describe("INTEROP=off", () => {
  it("[I1] neither reads nor writes the demo apps' channel, but still finds their messages", async () => {
    const other = await ownRedis();
    const off = await ownServer(other.url, { interop: "off" });
    const carol = await TestClient.register(off, "carol");
    const app = new DemoApp("Node", other.client);
    const person = await app.register("Joe");
    const after = await carol.position();
    await app.say(person, "hello");
    expect(await other.client.call("PUBSUB", "NUMSUB", "MESSAGES")).toEqual(["MESSAGES", 0]);
    expect(await carol.follow({ after: [after] }).texts(1)).toEqual(["hello"]);
    await carol.send("not told");
    expect(await other.client.info("commandstats")).toContain("cmdstat_publish:calls=1,"); // only the demo app's
  });
});

describe("a group", () => {
  it("[I1] adopts demo app messages from its members only", async () => {
    await acquaint(alice, bob);
    const { createRoom: room } = await alice.ask('mutation ($ids: [ID!]!) { createRoom(name: "A group", memberIds: $ids) { id } }', {
      ids: [bob.id],
    });
    const eve = await node.register("eve-at-node");
    const stream = alice.follow({ roomId: room.id, after: [await alice.position(room.id)] });
    await node.say(eve, "let me in", { roomId: room.id });
    await node.say(asPerson(bob), "hello", { roomId: room.id });
    await redis.client.zadd(`room:${room.id}`, 1_000, "no JSON");
    await sayUnheard(room.id, "unheard");
    await alice.send("marker", room.id);
    expect(await stream.texts(2)).toEqual(["hello", "marker"]);
    expect(await texts(bob, room.id)).toEqual(["hello", "marker"]);
    const { room: counted } = await alice.ask("query ($r: ID!) { room(id: $r) { unreadCount lastMessage { text } } }", { r: room.id });
    expect(counted).toEqual({ unreadCount: 0, lastMessage: { text: "marker" } }); // her own send marked the room as read
    expect(await redis.client.zcard(`room:${room.id}`)).toBe(2);
  });
});
