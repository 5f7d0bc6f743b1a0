import { expect, it } from "vitest";
import { acquaint } from "../helpers/acquaint.js";
import { type Stream, TestClient } from "../helpers/client.js";
import { DemoApp } from "../helpers/demo-apps.js";
import { type Random, randomFrom } from "../helpers/random.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const servers = [await ownServer(redis.url), await ownServer(redis.url)];

interface Shown {
  id: string;
  text: string;
  sentAt: string;
  editedAt: string | null;
  replyToId: string | null;
  from: { id: string };
  mentions: { id: string }[];
  reactions: { emoji: string; count: number; users: { id: string }[] }[];
}

const MESSAGE = "id text sentAt editedAt replyToId from { id } mentions { id } reactions { emoji count users { id } }";
const PAGE = `query ($r: ID!, $c: String) {
  messages(roomId: $r, first: 100, after: $c) { nodes { ${MESSAGE} } pageInfo { hasNextPage endCursor } position }
}`;
const ROOM =
  "query ($r: ID!) { room(id: $r) { name pins { message { id } } members(first: 100) { nodes { user { id } role readUpTo } } } }";
const EVENTS = `subscription ($r: ID, $a: [String!]) {
  roomEvents(roomId: $r, after: $a) {
    __typename position
    ... on MessageAdded { readBySender message { ${MESSAGE} } }
    ... on MessageEdited { message { ${MESSAGE} } }
    ... on ReactionChanged { message { ${MESSAGE} } }
    ... on MessageDeleted { messageId }
    ... on MessagePinned { messageId }
    ... on MessageUnpinned { messageId }
    ... on ReadMoved { upTo user { id } }
    ... on MemberJoined { user { id } }
    ... on MemberLeft { user { id } }
    ... on RoomRenamed { name }
  }
}`;

/** Loads all messages of a room, and its position before the first page was read. */
async function load(client: TestClient, roomId: string): Promise<{ messages: Shown[]; position: string }> {
  const messages: Shown[] = [];
  let position: string | undefined;
  for (let cursor: string | null = null; ; ) {
    const page: { nodes: Shown[]; pageInfo: { hasNextPage: boolean; endCursor: string | null }; position: string } = (
      await client.ask(PAGE, { r: roomId, c: cursor })
    ).messages;
    position ??= page.position;
    messages.push(...page.nodes);
    if (!page.pageInfo.hasNextPage) return { messages, position };
    cursor = page.pageInfo.endCursor;
  }
}

/** The screen of a chat client: the state that it loaded once, with all later events applied. */
class Screen {
  readonly messages = new Map<string, Shown>();
  readonly members = new Set<string>();
  readonly reads = new Map<string, string>();
  /** Ids of the pinned messages, the latest pin last. */
  readonly pins = new Set<string>();
  name = "";
  #client: TestClient;
  #position = "";
  #stream: Stream | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(
    client: TestClient,
    readonly roomId: string,
  ) {
    this.#client = client;
  }

  async open(): Promise<void> {
    const { messages, position } = await load(this.#client, this.roomId);
    for (const message of messages) this.messages.set(message.id, message);
    const { room } = await this.#client.ask(ROOM, { r: this.roomId });
    this.name = room.name;
    for (const { message } of room.pins.toReversed()) this.pins.add(message.id);
    for (const { user, readUpTo } of room.members.nodes) {
      this.members.add(user.id);
      if (readUpTo) this.reads.set(user.id, readUpTo);
    }
    this.#position = position;
    this.#follow();
  }

  /** Loses the connection, and reconnects to a server. */
  async reconnect(server: { url: string }): Promise<void> {
    this.#stream = undefined;
    this.#client.socket().terminate();
    await this.#client.disconnect();
    await this.#reading;
    this.#client = this.#client.on(server);
    this.#follow();
  }

  async close(): Promise<void> {
    this.#stream = undefined;
    await this.#client.disconnect();
    await this.#reading;
  }

  #follow(): void {
    const stream = this.#client.subscribe(EVENTS, { r: this.roomId, a: [this.#position] });
    this.#stream = stream;
    this.#reading = (async () => {
      while (this.#stream === stream) {
        const result = await stream.result().catch((failure) => ({ data: undefined, errors: failure }));
        if (this.#stream !== stream) return;
        if (!result.data) throw new Error(JSON.stringify(result.errors));
        this.#apply(result.data.roomEvents);
      }
    })();
    this.#reading.catch(() => {}); // the comparison at the end fails
  }

  #apply(event: {
    __typename: string;
    position: string;
    message: Shown;
    readBySender: boolean;
    messageId: string;
    upTo: string;
    user: { id: string };
    name: string;
  }): void {
    this.#position = event.position;
    switch (event.__typename) {
      case "MessageAdded":
        if (event.readBySender) this.reads.set(event.message.from.id, event.message.id);
        this.messages.set(event.message.id, event.message);
        return;
      case "MessageEdited":
      case "ReactionChanged":
        this.messages.set(event.message.id, event.message);
        return;
      case "MessageDeleted":
        this.messages.delete(event.messageId);
        this.pins.delete(event.messageId);
        return;
      case "MessagePinned":
        this.pins.delete(event.messageId); // the page may be newer than the position
        this.pins.add(event.messageId);
        return;
      case "MessageUnpinned":
        this.pins.delete(event.messageId);
        return;
      case "ReadMoved":
        this.reads.set(event.user.id, event.upTo);
        return;
      case "MemberJoined":
        this.members.add(event.user.id);
        return;
      case "MemberLeft":
        this.members.delete(event.user.id);
        return;
      case "RoomRenamed":
        this.name = event.name;
    }
  }

  /** The content of the screen that a fresh query returns as well. */
  get state() {
    const reads = Object.fromEntries([...this.reads].filter(([id]) => this.members.has(id)).sort());
    return {
      messages: [...this.messages.values()].sort(byId),
      pins: [...this.pins].reverse(),
      members: [...this.members].sort(),
      reads,
      name: this.name,
    };
  }
}

const byId = (one: Shown, other: Shown) => (one.id < other.id ? -1 : 1);

/** The same content from a fresh query. */
async function truth(client: TestClient, roomId: string) {
  const { messages } = await load(client, roomId);
  const { room } = await client.ask(ROOM, { r: roomId });
  const members = room.members.nodes as { user: { id: string }; readUpTo: string | null }[];
  return {
    messages: messages.sort(byId),
    pins: room.pins.map(({ message }: { message: { id: string } }) => message.id),
    members: members.map(({ user }) => user.id).sort(),
    reads: Object.fromEntries(
      members
        .filter(({ readUpTo }) => readUpTo)
        .map(({ user, readUpTo }) => [user.id, readUpTo] as const)
        .sort(),
    ),
    name: room.name,
  };
}

const EMOJIS = ["👍", "❤️", "👩‍👩‍👧", "🇩🇪", "🎉"];

/** Runs a random operation in the room, which the server may refuse. */
async function doSomething(
  random: Random,
  person: TestClient,
  roomId: string,
  screens: Screen[],
  people: TestClient[],
  node: DemoApp,
): Promise<void> {
  const known = [...(random.pick(screens).messages.keys() ?? [])];
  // Mostly recent messages, as users do.
  const some = () =>
    known[random.chance(0.7) ? known.length - random.integer(1, Math.min(8, known.length)) : random.integer(0, known.length - 1)] ?? "0/1";
  const other = random.pick(people);
  const ask = (query: string, variables: Record<string, unknown>) => person.request(query, variables);
  const deeds: (() => Promise<unknown>)[] = [
    () =>
      ask("mutation ($r: ID!, $t: String!, $p: ID) { send(roomId: $r, text: $t, replyTo: $p) { id } }", {
        r: roomId,
        t: `text ${random.integer(0, 999)} @${other.username}`,
        p: random.chance(0.3) ? some() : null,
      }),
    () => ask("mutation ($r: ID!, $t: String!) { send(roomId: $r, text: $t) { id } }", { r: roomId, t: `text ${random.integer(0, 999)}` }),
    () =>
      ask("mutation ($id: ID!, $t: String!) { editMessage(id: $id, text: $t) { id } }", {
        id: some(),
        t: `edited ${random.integer(0, 999)}`,
      }),
    () => ask("mutation ($id: ID!) { deleteMessage(id: $id) }", { id: some() }),
    () =>
      ask("mutation ($id: ID!, $e: String!, $on: Boolean) { react(messageId: $id, emoji: $e, on: $on) { id } }", {
        id: some(),
        e: random.pick(EMOJIS),
        on: random.chance(0.7),
      }),
    () => ask("mutation ($id: ID!) { pinMessage(messageId: $id) { id } }", { id: some() }),
    () => ask("mutation ($id: ID!) { unpinMessage(messageId: $id) { id } }", { id: some() }),
    () => ask("mutation ($id: ID!) { markRead(messageId: $id) { id } }", { id: some() }),
    () => node.say({ id: person.id, username: person.username }, `from a demo app ${random.integer(0, 999_999)}`, { roomId }),
  ];
  if (/^9\d{17}$/.test(roomId)) {
    deeds.push(
      () => ask("mutation ($r: ID!, $u: ID!) { addMember(roomId: $r, userId: $u) { id } }", { r: roomId, u: other.id }),
      () => ask("mutation ($r: ID!, $u: ID!) { removeMember(roomId: $r, userId: $u) { id } }", { r: roomId, u: other.id }),
      () =>
        ask("mutation ($r: ID!, $n: String!) { renameRoom(roomId: $r, name: $n) { id } }", {
          r: roomId,
          n: `Name ${random.integer(0, 99)}`,
        }),
    );
  }
  await random.pick(deeds)();
}

it.each([
  ["a private room", 1],
  ["a group", 2],
  ["a group", 3],
])("[D7] matches a fresh query in %s after any events are applied to loaded state (seed %i)", async (kind, seed) => {
  const random = randomFrom(seed);
  const node = new DemoApp("Node", redis.client);
  const people = await Promise.all(
    Array.from({ length: kind === "a group" ? 5 : 2 }, (_, n) => TestClient.register(servers[n % 2] as { url: string })),
  );
  const [ann, ben] = people as [TestClient, TestClient];
  if (kind === "a group") await acquaint(...people);
  const room: string =
    kind === "a group"
      ? (
          await ann.ask('mutation ($m: [ID!]) { createRoom(name: "Us", memberIds: $m) { id } }', {
            m: people.slice(1).map(({ id }) => id),
          })
        ).createRoom.id
      : (await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ben.id })).openPrivateRoom.id;
  for (let n = 0; n < 20; n++) await random.pick(people).send(`before ${n}`, room);

  const screens = servers.map((server) => new Screen(ann.on(server), room)); // ann owns the group, so no one removes her
  for (const screen of screens) await screen.open();
  for (let step = 0; step < 1_200; step++) {
    const doing = Array.from({ length: random.integer(1, 3) }, () =>
      doSomething(random, random.pick(people).on(random.pick(servers)), room, screens, people, node),
    );
    if (random.chance(0.02)) await random.pick(screens).reconnect(random.pick(servers));
    await Promise.all(doing);
  }

  const expected = await truth(ann, room);
  expect(expected.messages.length).toBeGreaterThan(100);
  for (const screen of screens) {
    await expect.poll(() => screen.state).toEqual(expected);
    await screen.close();
  }
});
