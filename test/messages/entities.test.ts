import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { describe, expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { watchCommands } from "../helpers/commands.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);
const ann = await TestClient.register(one, "ann");
const ben = await TestClient.register(two, "ben");

const FOLLOW = `subscription ($r: ID, $a: [String!]) {
  messageAdded(roomId: $r, after: $a) { id text editedAt position reactions { emoji count } mentions { id } }
}`;
const EVENTS = `subscription ($r: ID, $a: [String!]) { roomEvents(roomId: $r, after: $a) {
  __typename position
  ... on MessageAdded { message { ...M } }
  ... on MessageEdited { message { ...M } }
  ... on ReactionChanged { message { ...M } }
  ... on MessageDeleted { messageId }
} } fragment M on Message { id text editedAt position reactions { emoji count } mentions { id } }`;
const REACT = 'mutation ($id: ID!) { react(messageId: $id, emoji: "👍") { id position reactions { emoji count } } }';
const EDIT = "mutation ($id: ID!, $t: String!) { editMessage(id: $id, text: $t) { id position text } }";
const thumb = [{ emoji: "👍", count: 1 }];

async function newRoom(): Promise<string> {
  const room = `room-${crypto.randomUUID().slice(0, 8)}`;
  await redis.client.set(`room:${room}:name`, "A room");
  return room;
}

/** Writes a message as the Node app does. */
async function foreign(room: string, text: string, date: number): Promise<void> {
  await redis.client.zadd(`room:${room}`, date, JSON.stringify({ from: ben.id, date, message: text, roomId: room }));
}

const page = async (client: TestClient, r: string) =>
  (
    await client.ask(
      "query ($r: ID!) { messages(roomId: $r, last: 100) { position nodes { id text editedAt position reactions { emoji count } mentions { id } } } }",
      { r },
    )
  ).messages;

describe("a message", () => {
  it("[R8] has the position of the event that added it wherever it is read, and can resume a stream", async () => {
    const room: string = (await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ben.id })).openPrivateRoom.id;
    const live = ben.subscribe(FOLLOW, { r: room, a: [await ben.position(room)] });
    const events = ben.subscribe(EVENTS, { r: room, a: [await ben.position(room)] });
    const sent = [];
    for (let n = 0; n < 5; n++) sent.push(await ann.send(`${n} @${ben.username}`, room));
    const third = sent[2];
    await ben.ask(REACT, { id: third.id });
    await ann.ask(EDIT, { id: third.id, t: `changed @${ben.username}` });
    for (const { id, position } of sent) expect(await live.next()).toMatchObject({ id, position });
    for (const { id, position } of sent) expect(await events.next()).toMatchObject({ position, message: { id, position } });
    for (const __typename of ["ReactionChanged", "MessageEdited"]) {
      const event = await events.next();
      expect(event).toMatchObject({ __typename, message: { id: third.id, position: third.position } });
      expect(event.position).not.toBe(third.position);
    }

    const positions = sent.map(({ position }) => position);
    for (const reader of [ann, ben])
      expect((await page(reader, room)).nodes.map(({ position }: { position: string }) => position)).toEqual(positions);
    const {
      message,
      node,
      mentions,
      room: read,
    } = await ben.ask(
      `query ($id: ID!, $r: ID!) {
        message(id: $id) { position }
        node(id: $id) { ... on Message { position } }
        mentions(first: 5) { nodes { id position reactions { emoji count } } }
        room(id: $r) { lastMessage { position } }
      }`,
      { id: third.id, r: room },
    );
    expect([message.position, node.position, read.lastMessage.position]).toEqual([third.position, third.position, positions[4]]);
    expect(mentions.nodes[2]).toEqual({ id: third.id, position: third.position, reactions: thumb });
    expect((await ann.ask(REACT, { id: third.id })).react.position).toBe(third.position);
    expect(await ben.follow({ roomId: room, after: [third.position] }).texts(2)).toEqual([`3 @${ben.username}`, `4 @${ben.username}`]);
  });

  it("[R8] of a demo app has one position, whatever its date, and none once the log is trimmed", async () => {
    const room = await newRoom();
    const live = ann.subscribe(FOLLOW, { r: room, a: [await ann.position(room)] });
    const now = Math.floor(Date.now() / 1_000);
    const told = new Map<string, string>();
    for (const [text, date] of [
      ["of now", now],
      ["of last year", now - 31_536_000],
      ["in milliseconds", (now - 7_200) * 1_000],
    ] as const) {
      await foreign(room, text, date);
      await page(ben, room); // any read adopts the message
      const { id, position } = await live.next();
      told.set(id, position);
    }
    const { id, position } = await ann.send("ours", room);
    told.set(id, position);
    const { nodes } = await page(ben, room);
    expect(new Map(nodes.map((message: { id: string; position: string }) => [message.id, message.position]))).toEqual(told);

    await redis.client.xtrim(`log:{room:${room}}`, "MAXLEN", 1);
    const left = (await page(ben, room)).nodes.filter((message: { position: string | null }) => message.position !== null);
    expect(left.map((message: { id: string }) => message.id)).toEqual([id]);
    const deleted = [...told.keys()][1];
    await ben.ask("mutation ($id: ID!) { deleteMessage(id: $id) }", { id: deleted });
    expect((await redis.client.hkeys(`meta:{room:${room}}`)).filter((field) => field === `told:${deleted}`)).toEqual([]);
  });

  it.each(["memory", "the log"])("[R8] that is replayed from %s has its current state, or its last one if it was deleted", async (from) => {
    const room = await newRoom();
    const after = [await ann.position(room)];
    const keeper = from === "memory" ? ann.subscribe(FOLLOW, { r: room, a: after }) : undefined;
    const [first, gone] = [await ann.send("first", room), await ann.send("gone", room)];
    await keeper?.next();
    await ben.ask(REACT, { id: first.id });
    await ann.ask(EDIT, { id: first.id, t: `edited @${ben.username}` });
    await ann.ask("mutation ($id: ID!) { deleteMessage(id: $id) }", { id: gone.id });
    const [now] = (await page(ben, room)).nodes;
    expect(now).toMatchObject({ reactions: thumb, mentions: [{ id: ben.id }], position: first.position });

    const reader = from === "memory" ? ann : ben;
    const additions = reader.subscribe(FOLLOW, { r: room, a: after });
    expect(await additions.next()).toEqual(now);
    expect(await additions.next()).toMatchObject({ id: gone.id, text: "gone", reactions: [] });
    const events = reader.subscribe(EVENTS, { r: room, a: after });
    expect(await events.next()).toMatchObject({ __typename: "MessageAdded", message: now });
    expect(await events.next()).toMatchObject({ __typename: "MessageAdded", message: { id: gone.id } });
    for (const __typename of ["ReactionChanged", "MessageEdited"]) expect(await events.next()).toMatchObject({ __typename, message: now });
    expect(await events.next()).toMatchObject({ __typename: "MessageDeleted", messageId: gone.id });
    // The stream is live from here. The message changes once more before another subscriber resumes.
    await ann.ask(REACT, { id: first.id });
    expect(await events.next()).toMatchObject({ message: { reactions: [{ emoji: "👍", count: 2 }] } });
    expect(await reader.subscribe(FOLLOW, { r: room, a: after }).next()).toMatchObject({ reactions: [{ emoji: "👍", count: 2 }] });
  });

  it("[R8] is returned in its current state when its send is repeated", async () => {
    const room = await newRoom();
    const send = `mutation ($r: ID!) { send(roomId: $r, text: "once", clientMessageId: "c") { id text position reactions { emoji count } } }`;
    const { send: first } = await ann.ask(send, { r: room });
    await ben.ask(REACT, { id: first.id });
    await ann.ask(EDIT, { id: first.id, t: "twice" });
    expect((await ann.on(two).ask(send, { r: room })).send).toEqual({ ...first, text: "twice", reactions: thumb });
    await ann.ask("mutation ($id: ID!) { deleteMessage(id: $id) }", { id: first.id });
    expect((await ann.ask(send, { r: room })).send).toEqual(first);
  });

  it("[R8] costs no Redis read when it is delivered live, whatever fields are selected", async () => {
    const room = await newRoom();
    const live = ben.subscribe(FOLLOW, { r: room, a: [await ben.position(room)] });
    await ann.send("it has begun", room);
    await live.next();
    const commands = await watchCommands(redis.client);
    await ann.send("live", room);
    expect(await live.next()).toMatchObject({ text: "live", reactions: [] });
    await commands.all();
    const looks = commands.seen.filter(({ name, args }) => name === "hget" && args[0] === `reactions:{room:${room}}`);
    expect(looks).toEqual([]);
  });
});

describe("Apollo Client's cache", () => {
  it("[R8] keeps reactions, text and position when a message is replayed", async () => {
    const room = await newRoom();
    const start = await ann.position(room);
    const { id } = await ann.send("first", room);
    await ben.ask(REACT, { id });
    await ann.ask(EDIT, { id, t: "edited" });
    const client = new ApolloClient({
      cache: new InMemoryCache(),
      link: ApolloLink.split(
        ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
        new GraphQLWsLink(ben.socket()),
        new HttpLink({ uri: `${ben.serverUrl}/graphql`, headers: { authorization: `Bearer ${ben.token}` } }),
      ),
    });
    const query = gql`query ($room: ID!) { messages(roomId: $room, last: 10) { nodes { id text editedAt position reactions { emoji count } } } }`;
    const read = () => client.readQuery({ query, variables: { room } });
    await client.query({ query, variables: { room } });
    const before = read();
    expect(before).toMatchObject({ messages: { nodes: [{ id, text: "edited", reactions: thumb }] } });

    const replay = gql`subscription ($room: ID, $after: [String!]) { messageAdded(roomId: $room, after: $after) { id text editedAt position reactions { emoji count } } }`;
    const brought = await new Promise((resolve, reject) => {
      client.subscribe({ query: replay, variables: { room, after: [start] } }).subscribe({ next: resolve, error: reject });
    });
    expect(brought).toMatchObject({ data: { messageAdded: { id } } });
    expect(read()).toEqual(before);
    client.stop();
  });
});
