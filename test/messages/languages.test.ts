import { describe, expect, it } from "vitest";
import { answers, assistantId, ownWorker, said } from "../helpers/assistant.js";
import { type Stream, TestClient } from "../helpers/client.js";
import { DemoApp } from "../helpers/demo-apps.js";
import { eventually } from "../helpers/eventually.js";
import { MENTION_EXAMPLES, MENTIONABLE } from "../helpers/mention-examples.js";
import { ownRedis } from "../helpers/redis.js";
import { ScriptedModel } from "../helpers/scripted-model.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);
const alice = await TestClient.register(one, "alice");
const nobody = new TestClient(one.url);

async function register(username: string, name?: string): Promise<TestClient> {
  const query = `mutation ($username: String!, $name: String) {
    register(username: $username, password: "a good password", name: $name) { token user { id name } }
  }`;
  const { token, user } = (await nobody.ask(query, { username, name })).register;
  expect(user.name).toBe(name ?? username);
  return new TestClient(one.url, token, user.id, username);
}

/** Creates a named room in the lists of these users. */
async function ownRoom(...users: TestClient[]): Promise<string> {
  const room = `room-${crypto.randomUUID().slice(0, 8)}`;
  await redis.client.set(`room:${room}:name`, "A room");
  for (const { id } of users) await redis.client.sadd(`user:${id}:rooms`, room);
  return room;
}

const found = async (search: string, client = alice): Promise<string[]> =>
  (await client.ask("query ($s: String) { users(search: $s) { nodes { username } } }", { s: search })).users.nodes.map(
    ({ username }: { username: string }) => username,
  );

const SEND =
  "mutation ($r: ID!, $t: String!) { send(roomId: $r, text: $t) { id text mentionRanges { start length user { id username } } } }";
const COUNTS = "query ($r: ID!) { room(id: $r) { unreadCount unreadMentions } mentions(first: 5) { nodes { id } } }";
async function counts(client: TestClient, r: string): Promise<{ unread: number; mentions: number; listed: string[] }> {
  const { room, mentions } = await client.ask(COUNTS, { r });
  return { unread: room.unreadCount, mentions: room.unreadMentions, listed: mentions.nodes.map(({ id }: { id: string }) => id) };
}

/** Per language: a username, a display name, searches that find them, and a text with a mention inside words of the script. */
const LANGUAGES: [language: string, username: string, name: string, searches: string[], text: string][] = [
  ["Chinese", "李小龙", "李小龙 Bruce", ["李", "小龙", "龙", "bruce"], "你好@李小龙你好，请看"],
  ["Japanese", "さくら", "山田太郎", ["さく", "太郎", "山田"], "こんにちは@さくらさん、お元気ですか"],
  ["Korean", "민수", "김민수", ["민수", "김민"], "안녕하세요 @민수님, 반갑습니다"],
  ["Thai", "สมชาย", "สมชาย ใจดี", ["สมชาย", "ชาย", "ใจดี"], "สวัสดี@สมชายครับ"],
  ["Arabic", "محمد", "مُحَمَّد الأحمد", ["محمد", "الاحمد"], "مرحبا @محمد، كيف حالك؟"],
  ["Hebrew", "נועה", "נוֹעָה לוי", ["נועה", "לוי"], "שלום @נועה, מה שלומך?"],
  ["Hindi", "मीरा", "मीरा कुमारी", ["मीर", "कुमा"], "नमस्ते @मीरा, कैसी हो?"],
  ["Persian", "رضا", "علی‌رضا کریمی", ["رضا", "عليرضا", "علی‌رضا", "كريمي"], "سلام @رضا، می‌خواهم"],
  ["Turkish", "ışıl", "İpek Işıl Şahin", ["IŞIL", "ipek", "sahin", "isil"], "Merhaba @IŞIL'a"],
  ["Vietnamese", "ngọc", "Nguyễn Thị Đức", ["nguyen", "duc", "ngoc", "NGỌC"], "Chào @Ngọc nhé"],
  ["Greek", "ελένη", "Ελένη Παπαδάς", ["ελενη", "ΠΑΠΑΔΑΣ", "παπαδας"], "Γεια @ΕΛΈΝΗ!"],
  ["Russian", "дима", "Дмитрий Ёлкин", ["ДМИТ", "елкин"], "Привет @Дима, как дела"],
  ["Sinhala", "සිරි", "ශ්‍රී ලංකා", ["ශ්‍රී", "ලංකා"], "ආයුබෝවන් @සිරි"],
  ["German", "jürgen", "Jürgen Straße-Müller", ["jurgen", "strasse", "muller", "STRASSE"], "Grüße, @Jürgen!"],
  ["emoji", "coder", "👩🏽‍💻 Ada 👨‍👩‍👧", ["ada", "👩🏽‍💻"], "👩🏽‍💻@coder👍🏿 👨‍👩‍👧"],
];

describe("languages", () => {
  it.each(LANGUAGES)(
    "[TEXT2] [DIR1] %s: returns texts unchanged, resolves mentions, and finds users",
    async (_language, username, name, searches, text) => {
      const person = await register(username, name);
      const room = await ownRoom(person);
      const stream = person.on(two).follow({ roomId: room, after: [await person.position(room)] });
      const { send } = await alice.ask(SEND, { r: room, t: text });
      expect(send.text).toBe(text);
      expect((await stream.next()).text).toBe(text);
      expect(await alice.on(two).history(room)).toEqual([text]);

      const ranges = send.mentionRanges as { start: number; length: number; user: { id: string } }[];
      expect(ranges.map(({ user }) => user.id)).toEqual([person.id]);
      for (const { start, length } of ranges)
        expect(text.slice(start, start + length).toLocaleLowerCase("tr")).toBe(`@${username}`.toLocaleLowerCase("tr"));
      expect(await counts(person, room)).toEqual({ unread: 1, mentions: 1, listed: [send.id] });

      for (const search of [...searches, username, name, `@${username}`, name.normalize("NFD"), name.toUpperCase()])
        expect(await found(search, alice.on(two)), search).toContain(username);
    },
  );

  it.each(LANGUAGES)(
    "[TEXT2] %s: allows 4,000 characters per text and 64 per name, whatever their size in bytes",
    async (_language, _username, name, _searches, text) => {
      const characters = [...text.replaceAll("@", "")];
      const long = Array.from({ length: 4_000 }, (_, n) => characters[n % characters.length]).join("");
      const room = await ownRoom();
      await alice.send(long, room);
      expect(await alice.history(room)).toEqual([long]);
      expect((await alice.refused(SEND, { r: room, t: `${long}.` })).extensions).toMatchObject({
        code: "BAD_USER_INPUT",
        argument: "text",
      });

      const base = [...name][0] as string;
      const guest = (n: string) => nobody.request("mutation ($n: String!) { joinAsGuest(name: $n) { user { name } } }", { n });
      expect((await guest(base.repeat(64))).data.joinAsGuest.user.name).toBe(base.repeat(64));
      expect((await guest(base.repeat(65))).errors?.[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: "name" });
    },
  );
});

describe("texts and names", () => {
  const NOTHING = [
    "",
    " \n",
    "\u200b",
    "\u2060",
    "\u3164",
    "\uffa0",
    "\u2800",
    "\ufe0f",
    "\u00ad",
    "\u0301",
    "\u0000",
    " \u200b\u2800\ufe0f ",
  ];

  it("[TEXT1] are refused if they are invisible, as message, edit, name and room name", async () => {
    const room = await ownRoom();
    const { id } = await alice.send("something", room);
    const register = 'mutation ($n: String) { register(username: "unseen", password: "a good password", name: $n) { token } }';
    for (const n of NOTHING) {
      const refused = async (query: string, variables: Record<string, unknown>) => (await alice.refused(query, variables)).extensions;
      const bad = (argument: string) => ({ code: "BAD_USER_INPUT", retryable: false, argument });
      expect(await refused(SEND, { r: room, t: n }), JSON.stringify(n)).toEqual(bad("text"));
      expect(await refused("mutation ($id: ID!, $t: String!) { editMessage(id: $id, text: $t) { id } }", { id, t: n })).toEqual(
        bad("text"),
      );
      expect(await refused(register, { n })).toEqual(bad("name"));
      expect(await refused("mutation ($n: String!) { joinAsGuest(name: $n) { token } }", { n })).toEqual(bad("name"));
      expect(await refused("mutation ($n: String!) { createRoom(name: $n) { id } }", { n })).toEqual(bad("name"));
    }
    for (const u of ["\u3164\u3164", "\ufe0f\ufe0f", "\u0301\u0301", "Pablo\u034f", "Pablo\u3164"])
      expect(
        (await nobody.refused('mutation ($u: String!) { register(username: $u, password: "a good password") { token } }', { u }))
          .extensions,
      ).toEqual({ code: "BAD_USER_INPUT", retryable: false, argument: "username" });
    expect(await alice.history(room)).toEqual(["something"]);
  });

  it("[TEXT2] are refused with control characters, which are removed from demo apps' messages", async () => {
    const room = await ownRoom();
    for (const t of ["a\u0000b", "\u001b[31mred", "bell\u0007", "a\rb", "\u0085"])
      expect((await alice.refused(SEND, { r: room, t })).extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: "text" });
    for (const t of ["a\tb\nc", "windows\r\nlines"]) expect((await alice.send(t, room)).text).toBe(t);
    const node = new DemoApp("Node", redis.client);
    await node.say({ id: alice.id, username: alice.username }, "a\u0000b\u001b[31m\tc\nd\re", { roomId: room });
    await expect.poll(() => alice.history(room)).toEqual(["a\tb\nc", "windows\r\nlines", "ab[31m\tc\nd\ne"]);
  });

  it.each(["علی‌رضا", "ශ්‍රී", "👩‍💻 Ada", "👨‍👩‍👧 Family", "🧔🏽‍♂️", "葛\u{e0100}城"])(
    "[TEXT3] can contain joiners and variation selectors, as name and room name: %s",
    async (name) => {
      await register(`joined-${crypto.randomUUID().slice(0, 8)}`, name);
      const { createRoom } = await alice.ask("mutation ($n: String!) { createRoom(name: $n) { name } }", { n: name });
      expect(createRoom.name).toBe(name);
    },
  );
});

describe("mentions", () => {
  it("[MENT3] [MENT1] follow the grammar's examples, sent through the API or by a demo app", async () => {
    const world = await ownRedis();
    const server = await ownServer(world.url);
    const reader = await TestClient.register(server, "reader");
    const node = new DemoApp("Node", world.client);
    for (const username of MENTIONABLE)
      await new TestClient(server.url).ask('mutation ($u: String!) { register(username: $u, password: "a good password") { token } }', {
        u: username,
      });
    const PAGE =
      "query ($r: ID!) { messages(roomId: $r, last: 100) { nodes { id text mentions { username } mentionRanges { start length user { username } } } } }";
    type Shown = {
      text: string;
      mentions: { username: string }[];
      mentionRanges: { start: number; length: number; user: { username: string } }[];
    };
    const expected = MENTION_EXAMPLES.map(([, text, ...mentioned]) => [text, mentioned]);
    const rooms = ["here", "there"];
    for (const room of rooms) await world.client.set(`room:${room}:name`, room);
    for (const [, text] of MENTION_EXAMPLES) await reader.send(text, "here");
    for (const [, text] of MENTION_EXAMPLES)
      if (!/[<>&]/.test(text)) await node.say({ id: reader.id, username: "" }, text, { roomId: "there" });
    for (const roomId of rooms) {
      const shown = async () => (await reader.ask(PAGE, { r: roomId })).messages.nodes as Shown[];
      await expect
        .poll(async () =>
          (await shown()).map(({ text, mentionRanges }) => [
            text,
            mentionRanges.map(({ start, length, user }) => {
              const written = text.slice(start + 1, start + length);
              return written === user.username ? written : `${written}=${user.username}`;
            }),
          ]),
        )
        .toEqual(roomId === "here" ? expected : expected.filter(([text]) => !/[<>&]/.test(text as string)));
      for (const { mentions, mentionRanges } of await shown())
        expect(mentions.map(({ username }) => username).sort()).toEqual(
          [...new Set(mentionRanges.map(({ user }) => user.username))].sort(),
        );
    }
  });

  it("[MENT1] prefer the exact spelling among names that differ only in case, else the older account", async () => {
    const room = await ownRoom();
    const byDemo = async (username: string) => {
      const id = String(await redis.client.incr("total_users"));
      await redis.client.set(`username:${username}`, `user:${id}`);
      await redis.client.hset(`user:${id}`, { username, password: "$2b$10$something" });
      return id;
    };
    const [older, newer] = [await byDemo("twin"), await byDemo("TWIN")];
    const mentioned = async (text: string) =>
      (await alice.ask(SEND, { r: room, t: text })).send.mentionRanges.map(({ user }: { user: { id: string } }) => user.id);
    expect(await mentioned("@twin @TWIN")).toEqual([older, newer]);
    await expect.poll(() => mentioned("@Twin")).toEqual([older]); // once the directory has both
    expect(await mentioned("@TWIN")).toEqual([newer]);
  });

  it("[MENT1] count as unread only in unread messages of others", async () => {
    const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(two, "ben")];
    const room = await ownRoom(ben);
    await ben.send(`I am @${ben.username}`, room);
    expect(await counts(ben, room)).toEqual({ unread: 0, mentions: 0, listed: [] });
    const asked = await ann.send(`Who is @${ben.username}?`, room);
    expect(await counts(ben, room)).toEqual({ unread: 1, mentions: 1, listed: [asked.id] });
    await ben.send(`I am @${ben.username}`, room);
    expect(await counts(ben, room)).toEqual({ unread: 0, mentions: 0, listed: [asked.id] });
    // An entry that an older version wrote.
    await redis.client.zadd(`mentioned:{room:${room}}`, 0, `${ben.id}:9999999999999999`);
    expect(await counts(ben, room)).toMatchObject({ unread: 0, mentions: 0 });
  });

  it("[MENT4] follow edits: an added one is listed and counted while unread, a removed one disappears", async () => {
    const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(two, "ben")];
    const room = await ownRoom(ben);
    const edit = "mutation ($id: ID!, $t: String!) { editMessage(id: $id, text: $t) { mentions { id } } }";
    const stream: Stream = ben.subscribe(
      "subscription ($r: ID!, $a: [String!]) { roomEvents(roomId: $r, after: $a) { __typename ... on MessageEdited { message { mentionRanges { start length user { id } } } } } }",
      { r: room, a: [await ben.position(room)] },
    );
    const { id } = await ann.send("hello", room);
    await stream.next();
    expect(await counts(ben, room)).toEqual({ unread: 1, mentions: 0, listed: [] });
    await ann.ask(edit, { id, t: `hello @${ben.username.toUpperCase()}` });
    expect((await stream.next()).message.mentionRanges).toEqual([{ start: 6, length: ben.username.length + 1, user: { id: ben.id } }]);
    expect(await counts(ben, room)).toEqual({ unread: 1, mentions: 1, listed: [id] });
    await ann.ask(edit, { id, t: "hello again" });
    expect(await counts(ben, room)).toEqual({ unread: 1, mentions: 0, listed: [] });

    await ben.ask("mutation ($id: ID!) { markRead(messageId: $id) { id } }", { id });
    await ann.ask(edit, { id, t: `@${ben.username}, see above` });
    expect(await counts(ben, room)).toEqual({ unread: 0, mentions: 0, listed: [id] }); // read, so listed but not counted
  });

  it("[MENT4] ask the assistant once when an edit adds them", async () => {
    const model = new ScriptedModel();
    await ownWorker(redis.url, model);
    const assistant = await assistantId(one);
    const { createRoom: room } = await alice.ask('mutation ($m: [ID!]) { createRoom(name: "Us", memberIds: $m) { id } }', {
      m: [assistant],
    });
    const { id } = await alice.send("What is the time?", room.id);
    const edit = (t: string) => alice.ask("mutation ($id: ID!, $t: String!) { editMessage(id: $id, text: $t) { id } }", { id, t });
    await edit("请问@Assistant现在几点?");
    await edit("请问@Assistant现在几点了?");
    (await model.next()).say("Noon").end();
    await eventually(async () => expect(await answers(alice, room.id, 1)).toEqual(["Noon"]));
    expect(await redis.client.exists(`asked:{room:${room.id}}`)).toBe(0);
    expect((await said(alice, room.id)).at(-1)).toMatchObject({ text: "Noon", to: id });
  });

  it("[MENT5] are resolved with a bounded number of lookups, even in a text full of @", async () => {
    const room = await ownRoom();
    const texts = ["@".repeat(4_000), "@ab ".repeat(1_000), Array.from({ length: 100 }, (_, n) => `@${"名".repeat(31)}${n}`).join(" ")];
    for (const text of texts) {
      const before = await redis.client.info("commandstats");
      await alice.send(text, room);
      const calls = (info: string, command: string) => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
      const after = await redis.client.info("commandstats");
      expect(calls(after, "get") - calls(before, "get")).toBeLessThan(300); // 200 names, and the server's own commands
    }
  });
});

describe("search", () => {
  it("[DIR1] matches any word of a username, words after an apostrophe, and searches that begin with @", async () => {
    await register("mary.jane");
    await register("obrien", "Seán O’Brien");
    await register("picard", "Jean-Luc Picard");
    for (const [search, username] of [
      ["jane", "mary.jane"],
      ["mary.j", "mary.jane"],
      ["@mary", "mary.jane"],
      ["o'brien", "obrien"],
      ["O’Br", "obrien"],
      ["brien", "obrien"],
      ["luc", "picard"],
      ["jean-luc p", "picard"],
    ] as const)
      expect(await found(search), search).toContain(username);
    for (const nothing of ["ane", "rien", "ean"]) expect(await found(nothing), nothing).toEqual([]);
    expect(await found("\u200b")).toEqual(
      (await alice.ask("{ users { nodes { username } } }")).users.nodes.map(({ username }: { username: string }) => username),
    );
  });

  it("[DIR4] indexes an older version's database again, and expires its directory in a week", async () => {
    const old = await ownRedis();
    const usernames = ["Müller", "山田太郎", "mary.jane"];
    for (const [index, username] of usernames.entries()) {
      await old.client.set(`username:${username}`, `user:${index + 1}`);
      await old.client.hset(`user:${index + 1}`, { username, password: "$2b$10$something", createdAt: new Date().toISOString() });
      await old.client.zadd("directory:{total_users}", 0, `${username.toLowerCase()}\0${index + 1}`);
    }
    await old.client.set("total_users", usernames.length);
    await old.client.hset("indexed:{total_users}", { up_to: usernames.length, guests: 1 });

    const server = await ownServer(old.url);
    const reader = await TestClient.register(server, "reader");
    for (const [search, username] of [
      ["muller", "Müller"],
      ["太郎", "山田太郎"],
      ["jane", "mary.jane"],
    ] as const)
      await expect.poll(() => found(search, reader), { message: search }).toEqual([username]);
    await expect.poll(() => old.client.ttl("directory:{total_users}")).toBeGreaterThan(600_000);
    expect(await old.client.zcard("directory:{total_users}")).toBe(3); // servers of that version still use it
    const mentioned = await reader.ask('mutation { send(roomId: "0", text: "@müller und @山田太郎さん") { mentions { username } } }');
    expect(mentioned.send.mentions).toEqual([{ username: "Müller" }, { username: "山田太郎" }]);
  });
});
