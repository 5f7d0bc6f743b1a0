import { describe, expect, it } from "vitest";
import { acquaint } from "../helpers/acquaint.js";
import { openRoom, ownWorker, said, until, watchReply, withAssistant } from "../helpers/assistant.js";
import { TestClient } from "../helpers/client.js";
import { watchCommands } from "../helpers/commands.js";
import { DemoApp } from "../helpers/demo-apps.js";
import { ownRedis } from "../helpers/redis.js";
import { ScriptedModel } from "../helpers/scripted-model.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);

const OPEN = "mutation ($u: ID!) { openPrivateRoom(userId: $u) { id } }";
const SEND = 'mutation ($r: ID!, $c: ID) { send(roomId: $r, text: "hi", clientMessageId: $c) { id } }';
const BLOCK = "mutation ($u: ID!) { block(userId: $u) { id blocked } }";
const UNBLOCK = "mutation ($u: ID!) { unblock(userId: $u) { id blocked } }";
const BLOCKED =
  "query ($f: Int, $a: String) { blockedUsers(first: $f, after: $a) { nodes { id blocked } pageInfo { hasNextPage endCursor } } }";
const UNREAD = "query ($r: ID!) { room(id: $r) { unreadCount unreadMentions } }";

/** Two users; `eve` has opened a private room with `ann`. */
async function pair(): Promise<{ ann: TestClient; eve: TestClient; room: string }> {
  const [ann, eve] = [await TestClient.register(one, "ann"), await TestClient.register(two, "eve")];
  return { ann, eve, room: (await eve.ask(OPEN, { u: ann.id })).openPrivateRoom.id };
}

const refusal = async (client: TestClient, query: string, variables: object) => {
  const { extensions, message } = await client.refused(query, { ...variables });
  return `${extensions.code}: ${message}`;
};

const idsOf = ({ nodes }: { nodes: { id: string }[] }) => nodes.map(({ id }) => id);

const listOf = async (client: TestClient): Promise<string[]> =>
  (await client.ask("{ rooms { nodes { id } } }")).rooms.nodes.map(({ id }: { id: string }) => id);

const HIDDEN = "FORBIDDEN: You cannot write to this user.";
const OWN = "FORBIDDEN: You have blocked this user.";

describe("blocking", () => {
  it("[BLOCK1] stops all writing in the private room, for both users, until it is undone", async () => {
    const { ann, eve, room } = await pair();
    const theirs = await eve.send("before", room);
    await ann.send("answer", room);
    expect((await ann.ask(BLOCK, { u: eve.id })).block).toEqual({ id: eve.id, blocked: true });
    for (const [client, expected] of [
      [eve, HIDDEN],
      [ann, OWN],
    ] as const) {
      for (const server of [one, two]) expect(await refusal(client.on(server), SEND, { r: room })).toBe(expected);
      expect(await refusal(client, 'mutation ($id: ID!) { react(messageId: $id, emoji: "👍") { id } }', { id: theirs.id })).toBe(expected);
      expect(await refusal(client, "mutation ($r: ID!) { setTyping(roomId: $r) }", { r: room })).toBe(expected);
      expect(await client.history(room)).toEqual(["before", "answer"]);
    }
    expect(await refusal(eve, 'mutation ($id: ID!) { editMessage(id: $id, text: "worse") { id } }', { id: theirs.id })).toBe(HIDDEN);
    expect(await refusal(eve, OPEN, { u: ann.id })).toBe(HIDDEN);
    expect((await ann.ask(OPEN, { u: eve.id })).openPrivateRoom.id).toBe(room); // ann can still open it, to unblock eve there
    expect((await eve.ask("query ($u: ID!) { user(id: $u) { blocked } }", { u: ann.id })).user).toEqual({ blocked: false });
    await eve.ask("mutation ($id: ID!) { deleteMessage(id: $id) }", { id: theirs.id });
    await eve.ask(BLOCK, { u: ann.id });
    await ann.ask(UNBLOCK, { u: eve.id });
    expect(await refusal(ann, SEND, { r: room })).toBe(HIDDEN);
    expect((await eve.ask(UNBLOCK, { u: ann.id })).unblock).toEqual({ id: ann.id, blocked: false });
    await eve.send("again", room);
    await ann.send("hello again", room);
  });

  it("[BLOCK1] lets a send from before the block be retried, with the same result", async () => {
    const { ann, eve, room } = await pair();
    const { send: first } = await eve.ask(SEND, { r: room, c: "mine" });
    await ann.ask(BLOCK, { u: eve.id });
    expect((await eve.on(one).ask(SEND, { r: room, c: "mine" })).send).toEqual(first);
    expect(await refusal(eve, SEND, { r: room, c: "another" })).toBe(HIDDEN);
  });

  it("[BLOCK1] lets no send succeed once the block is answered, from any server", async () => {
    for (let round = 0; round < 5; round++) {
      const { ann, eve, room } = await pair();
      const sending = Promise.all(Array.from({ length: 40 }, (_, n) => eve.on(n % 2 ? one : two).request(SEND, { r: room })));
      await ann.ask(BLOCK, { u: eve.id });
      const stored = await redis.client.zcard(`room:${room}`);
      const refused = (await sending).filter(({ errors }) => errors).length;
      expect(await redis.client.zcard(`room:${room}`)).toBe(stored);
      expect(refused).toBe(40 - stored);
    }
  });

  it("[BLOCK1] drops a blocked assistant's unfinished answer, and refuses its retry", async () => {
    const model = new ScriptedModel();
    await ownWorker(redis.url, model);
    const { client, room, assistant } = await withAssistant(one);
    const replies = watchReply(client, room);
    const { id } = await client.send("Tell me", room);
    const asked = (await model.next()).say("Once");
    await until(replies, { text: "Once" });
    await client.ask(BLOCK, { u: assistant });
    asked.end();
    await until(replies, { state: "CANCELLED" });
    expect(await said(client, room)).toEqual([{ text: "Tell me", by: "person", to: null }]);
    expect(await refusal(client, "mutation ($id: ID!) { retryReply(messageId: $id) }", { id })).toBe(OWN);
    expect(await redis.client.llen(`asked:{room:${room}}`)).toBe(0);
    await client.ask(UNBLOCK, { u: assistant });
    await openRoom(client, assistant);
    await client.send("And now?", room);
    (await model.next()).say("Gladly").end();
    await until(replies, { state: "DONE" });
    expect((await said(client, room)).at(-1)?.text).toBe("Gladly");
  });

  it("[BLOCK1] prevents adding and inviting in both directions, and ends their invitations", async () => {
    const { ann, eve, room } = await pair();
    const create = 'mutation ($m: [ID!]) { createRoom(name: "Us", memberIds: $m) { id } }';
    const add = "mutation ($r: ID!, $u: ID!) { addMember(roomId: $r, userId: $u) { id } }";
    const theirs = (await eve.ask(create, { m: [ann.id] })).createRoom.id;
    const mine = (await ann.ask(create, { m: [eve.id] })).createRoom.id;
    await eve.send("hello", room);
    await ann.send("hello", room); // they are not strangers anymore
    await ann.ask(BLOCK, { u: eve.id });
    for (const client of [ann, eve]) expect((await client.ask("{ invitations { nodes { roomId } } }")).invitations.nodes).toEqual([]);
    expect(await refusal(eve, add, { r: theirs, u: ann.id })).toBe(`FORBIDDEN: You cannot add user ${ann.id}.`);
    expect(await refusal(eve, create, { m: [ann.id] })).toBe(`FORBIDDEN: You cannot add user ${ann.id}.`);
    expect(await refusal(ann, add, { r: mine, u: eve.id })).toBe(`FORBIDDEN: You have blocked user ${eve.id}.`);
    expect(await redis.client.smembers(`user:${ann.id}:rooms`)).not.toContain(theirs);
  });

  it("[BLOCK2] lists `blockedUsers` in pages, newest first; blocking and unblocking are idempotent", async () => {
    const ann = await TestClient.register(one, "ann");
    const others = await Promise.all(Array.from({ length: 5 }, () => TestClient.register(two)));
    for (const { id } of others) for (const server of [one, two]) await ann.on(server).ask(BLOCK, { u: id });
    const ids = others.map(({ id }) => id).reverse();
    expect(idsOf((await ann.ask(BLOCKED)).blockedUsers)).toEqual(ids);
    const page = (await ann.ask(BLOCKED, { f: 2 })).blockedUsers;
    expect(page).toMatchObject({ nodes: [{ blocked: true }, { blocked: true }], pageInfo: { hasNextPage: true } });
    await ann.ask(UNBLOCK, { u: ids[1] });
    await ann.ask(UNBLOCK, { u: ids[1] });
    const next = (await ann.ask(BLOCKED, { f: 10, a: page.pageInfo.endCursor })).blockedUsers;
    expect([idsOf(next), next.pageInfo.hasNextPage]).toEqual([ids.slice(2), false]);
    expect(idsOf((await ann.ask(BLOCKED)).blockedUsers)).toEqual(ids.filter((_, n) => n !== 1));
    for (const { id } of others)
      expect((await new TestClient(one.url, ann.token).ask("query ($u: ID!) { user(id: $u) { blocked } }", { u: id })).user.blocked).toBe(
        id !== ids[1],
      );
    for (const [u, code] of [
      [ann.id, "BAD_USER_INPUT"],
      ["x", "BAD_USER_INPUT"],
      ["999999", "NOT_FOUND"],
    ])
      expect((await ann.refused(BLOCK, { u })).extensions.code).toBe(code);
    const many = Array.from({ length: 996 }, (_, n) => [n, String(100_000 + n)]).flat();
    await redis.client.zadd(`blocked:{user:${ann.id}}`, ...many);
    expect((await ann.refused(BLOCK, { u: ids[1] })).extensions.code).toBe("FORBIDDEN");
    expect((await ann.refused(BLOCKED, { a: "nonsense" })).extensions.code).toBe("BAD_USER_INPUT");
  });

  it("[BLOCK3] does not count a blocked user's mentions, and keeps their messages in shared rooms", async () => {
    const { ann, eve } = await pair();
    await acquaint(ann, eve);
    const { createRoom } = await ann.ask('mutation ($m: [ID!]) { createRoom(name: "Us", memberIds: $m) { id } }', { m: [eve.id] });
    const room = createRoom.id as string;
    await ann.ask(BLOCK, { u: eve.id });
    const text = `hey @${ann.username}`;
    const { id } = await eve.send(text, room);
    const unread = async () => (await ann.ask(UNREAD, { r: room })).room;
    expect(await unread()).toEqual({ unreadCount: 1, unreadMentions: 0 });
    const [message] = (await ann.ask("query ($r: ID!) { messages(roomId: $r) { nodes { text mentions { id } } } }", { r: room })).messages
      .nodes;
    expect(message).toEqual({ text, mentions: [{ id: ann.id }] }); // it still looks like a mention, so its author learns nothing
    await eve.ask("mutation ($id: ID!, $t: String!) { editMessage(id: $id, text: $t) { id } }", { id, t: `${text}!` });
    expect(await unread()).toEqual({ unreadCount: 1, unreadMentions: 0 });
    await new DemoApp("Node", redis.client).say({ id: eve.id, username: eve.username }, `${text} again`, { roomId: room });
    await expect.poll(unread).toEqual({ unreadCount: 2, unreadMentions: 0 });
    expect((await ann.ask("{ mentions { nodes { id } } }")).mentions.nodes).toEqual([]);
    await ann.ask(UNBLOCK, { u: eve.id });
    await eve.send(text, room);
    expect(await unread()).toEqual({ unreadCount: 3, unreadMentions: 1 });
  });

  it("[BLOCK4] hides a stranger's private room from the list; one that the user wrote in stays", async () => {
    const { ann, eve, room } = await pair();
    await eve.send("buy now", room);
    expect(await listOf(ann)).toContain(room);
    await ann.ask(BLOCK, { u: eve.id });
    expect(await listOf(ann)).toEqual(["0"]);
    expect(await listOf(eve)).toContain(room);
    await ann.ask(UNBLOCK, { u: eve.id });
    expect(await listOf(ann)).toContain(room);
    await ann.send("who are you?", room);
    await ann.ask(BLOCK, { u: eve.id });
    expect(await listOf(ann)).toContain(room);
  });

  it("[BLOCK4] works before the other user has ever written", async () => {
    const [ann, eve] = [await TestClient.register(one, "ann"), await TestClient.register(two, "eve")];
    await ann.ask(BLOCK, { u: eve.id });
    expect(await refusal(eve, OPEN, { u: ann.id })).toBe(HIDDEN);
    expect(await redis.client.smembers(`user:${ann.id}:rooms`)).toEqual(["0"]);
  });

  it("[BLOCK4] ignores a demo app user's message in a blocked room", async () => {
    const { ann, eve, room } = await pair();
    await eve.send("before", room);
    await ann.ask(BLOCK, { u: eve.id });
    await new DemoApp("Node", redis.client).say({ id: eve.id, username: eve.username }, "by the back door", { roomId: room });
    await expect.poll(() => ann.history(room)).toEqual(["before"]);
    await expect.poll(() => redis.client.zcard(`room:${room}`)).toBe(1);
  });

  it("[BLOCK1] costs a send no extra Redis command unless it mentions a user", async () => {
    const { ann, eve, room } = await pair();
    const asked = async (work: () => Promise<unknown>) => {
      const commands = await watchCommands(redis.client);
      await work();
      await commands.all();
      return commands.seen
        .filter(({ inScript, name, args }) => !inScript && args.some((arg) => arg.includes(room)) && name !== "subscribe")
        .map(({ name }) => name);
    };
    expect(await asked(() => eve.send("hi", room))).toContain("evalsha");
    expect((await asked(() => eve.send("hi", room))).filter((name) => name.startsWith("h"))).toEqual([]);
    await ann.ask(BLOCK, { u: eve.id });
    expect((await asked(() => eve.request(SEND, { r: room }))).filter((name) => name.startsWith("h"))).toEqual([]);
  });
});
