import { describe, expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { watchCommands } from "../helpers/commands.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);

const openRoom = async (client: TestClient, other: TestClient): Promise<string> =>
  (await client.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: other.id })).openPrivateRoom.id;

const newGroup = async (client: TestClient, name = "A group"): Promise<string> =>
  (await client.ask("mutation ($n: String!) { createRoom(name: $n) { id } }", { n: name })).createRoom.id;

interface ListPage {
  nodes: { id: string }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
}

async function listPage(client: TestClient, args: string, cursor?: string | null): Promise<ListPage> {
  const query = `{ rooms(${args.replace("$c", JSON.stringify(cursor ?? null))}) { nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
  return (await client.ask(query)).rooms;
}

const idsIn = ({ nodes }: ListPage) => nodes.map(({ id }) => id);

describe("a refused field", () => {
  it("[R8] is null in a query's result, and its siblings have data, over HTTP and a socket", async () => {
    const [ann, ben, eve] = [await TestClient.register(one, "ann"), await TestClient.register(two, "ben"), await TestClient.register(one)];
    const theirs = await openRoom(ann, ben);
    const query = `query ($r: ID!) {
      me { id }
      rooms { nodes { id } }
      messages(roomId: $r) { position }
      users(first: -1) { totalCount }
      room(id: $r) { id }
      user(id: "x") { id }
      mentions(first: 1000) { nodes { id } }
      onlineUsers(first: 0) { id }
      server { name }
    }`;
    const expected = {
      me: { id: eve.id },
      rooms: { nodes: [{ id: "0" }] },
      messages: null,
      users: null,
      room: null,
      user: null,
      mentions: null,
      onlineUsers: null,
      server: { name: "palaver" },
    };
    for (const { data, errors } of [await eve.request(query, { r: theirs }), await eve.subscribe(query, { r: theirs }).result()]) {
      expect(data).toEqual(expected);
      expect(errors?.map(({ path }) => path?.join(".")).sort()).toEqual(["mentions", "messages", "onlineUsers", "room", "user", "users"]);
    }
    const { data } = await new TestClient(one.url).request(
      '{ server { name } me { id } messages(roomId: "0") { position } sessions { id } }',
    );
    expect(data).toEqual({ server: { name: "palaver" }, me: null, messages: null, sessions: null });
  });

  it("[R8] is null in a mutation's result, and the fields before and after it run", async () => {
    const ann = await TestClient.register(one, "ann");
    const { data, errors } = await ann.request(`mutation {
      first: send(roomId: "0", text: "first") { text }
      refused: send(roomId: "0", text: " ") { text }
      unknown: createRoom(name: "with nobody", memberIds: ["999999"]) { id }
      last: send(roomId: "0", text: "last") { text }
    }`);
    expect(data).toEqual({ first: { text: "first" }, refused: null, unknown: null, last: { text: "last" } });
    expect(errors?.map(({ path, extensions }) => [path?.[0], extensions.code])).toEqual([
      ["refused", "BAD_USER_INPUT"],
      ["unknown", "NOT_FOUND"],
    ]);
  });

  it("[R8] does not null the entity or the list that contains it", async () => {
    const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(two, "ben")];
    const room = await openRoom(ann, ben);
    const said = await ann.send("here", room);
    const { data, errors } = await ann.request(
      `query ($m: ID!) { rooms { nodes { id messages(around: $m, last: 1) { nodes { text } } members(after: "no cursor") { totalCount } } } }`,
      { m: said.id },
    );
    expect(data.rooms.nodes).toEqual([
      { id: room, messages: { nodes: [{ text: "here" }] }, members: null },
      { id: "0", messages: null, members: null },
    ]);
    expect(errors?.map(({ extensions }) => extensions.code).sort()).toEqual(["BAD_USER_INPUT", "BAD_USER_INPUT", "NOT_FOUND"]);
  });

  it("[R8] inside an event does not end the subscription", async () => {
    const ann = await TestClient.register(one, "ann");
    const query = `subscription ($a: [String!]) { messageAdded(roomId: "0", after: $a) { text room { messages(around: "1:2/3") { position } } } }`;
    const stream = ann.subscribe(query, { a: [await ann.position()] });
    for (const text of ["one", "two"]) {
      await ann.send(text);
      const { data, errors } = await stream.result();
      expect(data).toEqual({ messageAdded: { text, room: { messages: null } } });
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(["NOT_FOUND"]);
    }
  });
});

describe("`rooms`", () => {
  it("[ROOM8] lists each room once, in pages from either end, without gaps", async () => {
    const ann = await TestClient.register(one, "ann");
    const spoken: string[] = [];
    for (let n = 0; n < 7; n++) {
      spoken.unshift(await newGroup(ann));
      await ann.send("hello", spoken[0]);
    }
    const silent = [await newGroup(ann), await newGroup(ann)].sort();
    await ann.on(two).send("and here", "0");
    const all = ["0", ...spoken, ...silent];
    expect(idsIn(await listPage(ann.on(two), "first: 100"))).toEqual(all);

    const forwards: string[] = [];
    for (let cursor: string | null = null; ; ) {
      const page = await listPage(ann, "first: 3, after: $c", cursor);
      forwards.push(...idsIn(page));
      expect(page.pageInfo.hasPreviousPage).toBe(cursor !== null);
      if (!page.pageInfo.hasNextPage) break;
      cursor = page.pageInfo.endCursor;
    }
    expect(forwards).toEqual(all);
    const backwards: string[] = [];
    for (let cursor: string | null = null; ; ) {
      const page = await listPage(ann, "last: 4, before: $c", cursor);
      backwards.unshift(...idsIn(page));
      expect(page.pageInfo.hasNextPage).toBe(cursor !== null);
      if (!page.pageInfo.hasPreviousPage) break;
      cursor = page.pageInfo.startCursor;
    }
    expect(backwards).toEqual(all);
  });

  it("[ROOM8] puts a room that moves during paging before the first page's cursor", async () => {
    const ann = await TestClient.register(one, "ann");
    const groups: string[] = [];
    for (let n = 0; n < 6; n++) {
      groups.unshift(await newGroup(ann));
      await ann.send("hello", groups[0]);
    }
    const first = await listPage(ann, "first: 2");
    await ann.send("moves", groups[4]);
    const rest = await listPage(ann, "first: 100, after: $c", first.pageInfo.endCursor);
    expect([...idsIn(first), ...idsIn(rest)]).toEqual([...groups.filter((id) => id !== groups[4]), "0"].sort(byPlace(groups)));
    expect(idsIn(await listPage(ann, "last: 100, before: $c", first.pageInfo.startCursor))).toEqual([groups[4]]);
  });

  it("[ROOM8] costs Redis the same per page, regardless of how many rooms the user has", async () => {
    const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(one, "ben")];
    const costOf = async (client: TestClient) => {
      await listPage(client, "first: 5"); // the first read indexes rooms that are not indexed yet
      const commands = await watchCommands(redis.client);
      await client.ask("{ rooms(first: 5) { nodes { id name lastMessage { text } unreadCount } } }");
      await commands.all();
      return commands.seen.filter(({ args }) => args.some((arg) => arg.includes("room") || arg.startsWith(`user:${client.id}`))).length;
    };
    for (let n = 0; n < 5; n++) await newGroup(ann);
    const few = await costOf(ann);
    for (let n = 0; n < 200; n++) await newGroup(ben);
    expect(await costOf(ben)).toBeLessThanOrEqual(few + 5);
  });

  it("[ROOM8] orders the rooms of a database without an index, demo app messages included", async () => {
    const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(one, "ben")];
    const [older, newer] = [await newGroup(ann), await newGroup(ann)];
    await ann.send("older", older);
    await ann.send("newer", newer);
    const marks = await redis.client.keys("spoken:*");
    await redis.client.del(...marks);
    const room = await openRoom(ann, ben);
    const date = Math.floor(Date.now() / 1_000) + 30;
    await redis.client.zadd(`room:${room}`, date, JSON.stringify({ from: ben.id, date, message: "from a demo app", roomId: room }));
    expect(idsIn(await listPage(ann, "first: 3"))).toEqual([room, newer, older]);
    expect(idsIn(await listPage(ann, "first: 3"))).toEqual([room, newer, older]);
  });

  it("[O1] refuses cursors that the API did not issue", async () => {
    const ann = await TestClient.register(one, "ann");
    const { messages } = await ann.ask('{ messages(roomId: "0") { position } }');
    for (const cursor of ["", "x", messages.position]) {
      const { extensions } = await ann.refused("query ($c: String) { rooms(after: $c) { nodes { id } } }", { c: cursor });
      expect(extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: "after" });
    }
  });

  it("[ROOM9] names the other person of a private room in `peer`", async () => {
    const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(two, "ben")];
    const room = await openRoom(ann, ben);
    await ann.send("hi", room);
    const peers = async (client: TestClient) =>
      (
        await client.ask("{ rooms(first: 4) { nodes { id peer { id name } members(first: 50) { nodes { user { name } } } } } }")
      ).rooms.nodes.map(({ id, peer }: { id: string; peer: unknown }) => [id, peer]);
    expect(await peers(ann)).toEqual(
      expect.arrayContaining([
        [room, { id: ben.id, name: ben.username }],
        ["0", null],
      ]),
    );
    expect(await peers(ben)).toEqual(
      expect.arrayContaining([
        [room, { id: ann.id, name: ann.username }],
        ["0", null],
      ]),
    );
    const streams = [ann, ben].map((client) =>
      client.subscribe(`subscription { messageAdded(roomId: "${room}") { room { peer { id } } } }`),
    );
    for (const client of [ann, ben]) await client.subscribe("{ me { id } }").next();
    await ben.send("hello", room);
    expect(await Promise.all(streams.map((stream) => stream.next()))).toEqual([
      { room: { peer: { id: ben.id } } },
      { room: { peer: { id: ann.id } } },
    ]);
  });
});

/** Sorts by the order of a list; items that are not in it come last. */
const byPlace = (order: string[]) => (one: string, other: string) => (order.indexOf(one) + 1 || 99) - (order.indexOf(other) + 1 || 99);

describe("lookups by id", () => {
  const NODE = `query ($id: ID!) { node(id: $id) { __typename id ... on User { username } ... on Room { kind } ... on Message { text } } }`;

  it("[API6] returns users, rooms and messages, or null for what the viewer may not read", async () => {
    const [ann, ben, eve] = [await TestClient.register(one, "ann"), await TestClient.register(two, "ben"), await TestClient.register(one)];
    const [room, group] = [await openRoom(ann, ben), await newGroup(ann)];
    const { id: said } = await ann.send("read me", room);
    const node = async (client: TestClient, id: string) => (await client.ask(NODE, { id })).node;
    expect(await node(ben, ann.id)).toEqual({ __typename: "User", id: ann.id, username: ann.username });
    expect(await node(ben, room)).toEqual({ __typename: "Room", id: room, kind: "PRIVATE" });
    expect(await node(ben, "0")).toEqual({ __typename: "Room", id: "0", kind: "GENERAL" });
    expect(await node(ann, group)).toEqual({ __typename: "Room", id: group, kind: "GROUP" });
    expect(await node(ben, said)).toEqual({ __typename: "Message", id: said, text: "read me" });
    for (const id of [room, group, said, "999999", "1:0", "", "x/y", "0/1", "x".repeat(5_000)]) expect(await node(eve, id)).toBeNull();

    const message = async (client: TestClient, id: string) =>
      (await client.ask("query ($id: ID!) { message(id: $id) { id text room { id } } }", { id })).message;
    expect(await message(ben, said)).toEqual({ id: said, text: "read me", room: { id: room } });
    expect(await message(eve, said)).toBeNull();
    expect(await message(ben, `${room}/17`)).toBeNull();
    expect((await ben.refused('{ message(id: "x") { id } }')).extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: "id" });
    expect((await new TestClient(one.url).refused(NODE, { id: "0" })).extensions.code).toBe("UNAUTHENTICATED");
  });

  it("[API6] never resolves an id to two different objects, even with colliding keys in the database", async () => {
    const ann = await TestClient.register(one, "ann");
    await redis.client.set(`room:${ann.id}:name`, "A room with a user's id");
    await redis.client.sadd(`user:${ann.id}:rooms`, ann.id);
    expect((await ann.ask(NODE, { id: ann.id })).node.__typename).toBe("User");
    expect(idsIn(await listPage(ann, "first: 100"))).toEqual(["0"]);
    expect((await ann.refused("query ($id: ID!) { room(id: $id) { id } }", { id: ann.id })).extensions.code).toBe("BAD_USER_INPUT");
    const date = Math.floor(Date.now() / 1_000);
    for (const from of ["0", "1:2", "0/17"])
      await redis.client.zadd("room:0", date, JSON.stringify({ from, date, message: `from ${from}`, roomId: "0" }));
    const { messages } = await ann.ask('{ messages(roomId: "0", last: 3) { nodes { from { id name } } } }');
    for (const { from } of messages.nodes) {
      expect(from).toEqual({ id: expect.stringMatching(/^unknown:/), name: "Unknown user" });
      expect((await ann.ask(NODE, { id: from.id })).node).toBeNull();
    }
  });

  it("[API7] returns `users(ids:)` in the requested order, with null for unknown ids", async () => {
    const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(two, "ben")];
    const { joinAsGuest } = await new TestClient(one.url).ask('mutation { joinAsGuest(name: "Gus") { user { id } } }');
    const query = "query ($ids: [ID!]) { users(ids: $ids) { totalCount nodes { id } edges { node { id } } pageInfo { hasNextPage } } }";
    const { users } = await ann.ask(query, { ids: [ben.id, "999999", ann.id, "no id", joinAsGuest.user.id] });
    const nodes = [{ id: ben.id }, null, { id: ann.id }, null, { id: joinAsGuest.user.id }];
    expect(users).toEqual({ totalCount: 3, nodes, edges: nodes.map((node) => ({ node })), pageInfo: { hasNextPage: false } });
    expect((await ann.ask(query, { ids: [] })).users.nodes).toEqual([]);
    for (const args of [`ids: ${JSON.stringify(Array(101).fill("1"))}`, 'ids: ["1"], search: "a"', 'ids: ["1"], last: 1'])
      expect((await ann.refused(`{ users(${args}) { totalCount } }`)).extensions).toMatchObject({
        code: "BAD_USER_INPUT",
        argument: "ids",
      });
  });
});

describe("`User.email`", () => {
  it("[API3] is visible in the result that starts the user's session, and hidden from other users", async () => {
    const nobody = new TestClient(one.url);
    const made = await nobody.ask(
      'mutation { register(username: "mailed", password: "a good password", email: "m@example.com") { token user { id email } } }',
    );
    expect(made.register.user.email).toBe("m@example.com");
    const login = 'mutation { login(username: "mailed", password: "a good password") { user { email } } }';
    expect((await nobody.ask(login)).login.user.email).toBe("m@example.com");
    const eve = await TestClient.register(one, "eve");
    expect((await eve.subscribe(login).next()).user.email).toBe("m@example.com");
    const mailed = new TestClient(one.url, made.register.token);
    expect((await mailed.ask("mutation { refreshSession { user { email } } }")).refreshSession.user.email).toBe("m@example.com");
    expect((await eve.ask("query ($id: ID!) { user(id: $id) { email } }", { id: made.register.user.id })).user.email).toBeNull();
  });
});
