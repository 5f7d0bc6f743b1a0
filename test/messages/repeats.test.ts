import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { acquaint } from "../helpers/acquaint.js";
import { TestClient } from "../helpers/client.js";
import { proxyTo } from "../helpers/proxy.js";
import { RawSocket } from "../helpers/raw-socket.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);
const [ann, ben, eve] = await Promise.all(["ann", "ben", "eve"].map((name) => TestClient.register(one, name)));
if (!ann || !ben || !eve) throw new Error("not registered");
await acquaint(ann, ben, eve);

const CREATE = `mutation ($n: String!, $m: [ID!]!, $c: ID) {
  createRoom(name: $n, memberIds: $m, clientRoomId: $c) { id name members { nodes { role user { id } } } }
}`;
const ADD = "mutation ($r: ID!, $u: ID!) { addMember(roomId: $r, userId: $u) { id } }";
const REMOVE = "mutation ($r: ID!, $u: ID!) { removeMember(roomId: $r, userId: $u) { id } }";
const LEAVE = "mutation ($r: ID!) { leaveRoom(roomId: $r) }";
const DELETE = "mutation ($id: ID!) { deleteMessage(id: $id) }";

interface LogEvent {
  kind: string;
  userId?: string;
}

/** Returns the events in a room's log. */
async function eventsOf(roomId: string): Promise<LogEvent[]> {
  const entries = await redis.client.xrange(`log:{room:${roomId}}`, "-", "+");
  return entries.map(([, fields]) => JSON.parse(fields[1] as string) as LogEvent);
}

/**
 * Runs an operation on a server that loses Redis after more and more bytes, as if the server died there, until the operation succeeds.
 * @param check verifies the outcome of each attempt
 */
async function cutEverywhere(
  attempt: (far: { url: string }) => Promise<boolean>,
  check: () => Promise<void>,
  step = 101, // bytes
): Promise<number> {
  const proxy = await proxyTo(redis.url);
  const far = await ownServer(proxy.url);
  let cut = 0;
  try {
    for (let bytes = 0; ; bytes += step) {
      proxy.comeBack();
      proxy.goAwayAfter(Number.POSITIVE_INFINITY);
      await expect.poll(async () => (await fetch(`${far.url}/readyz`)).status).toBe(200);
      proxy.goAwayAfter(bytes);
      const through = await attempt(far);
      await check();
      if (through && !proxy.isGone()) return cut;
      cut++;
    }
  } finally {
    proxy.comeBack();
    proxy.goAwayAfter(Number.POSITIVE_INFINITY);
    await far.stop();
    await proxy.stop();
  }
}

const newGroup = async (owner: TestClient, members: TestClient[]): Promise<string> =>
  (await owner.ask(CREATE, { n: "A group", m: members.map(({ id }) => id) })).createRoom.id;

describe("deletions", () => {
  it("[R4] are idempotent for the author and the deleting owner, on any server, with one event", async () => {
    const room = await newGroup(ann, [ben, eve]);
    const { id } = await ben.send("to go", room);
    await ann.ask(DELETE, { id }); // as the owner
    for (const client of [ann, ann.on(two), ben, ben.on(two)]) expect((await client.ask(DELETE, { id })).deleteMessage).toBe(id);
    expect((await eve.refused(DELETE, { id })).extensions.code).toBe("NOT_FOUND");
    expect((await ann.refused(DELETE, { id: `${room}/1` })).extensions.code).toBe("NOT_FOUND");
    expect((await eventsOf(room)).filter(({ kind }) => kind === "message.deleted")).toHaveLength(1);
    expect(await redis.client.ttl(`deleted:{room:${room}}`)).toBeGreaterThan(86_400);
  });

  it("[R4] of one message all succeed if they run concurrently on two servers, with one event", async () => {
    const room = await newGroup(ann, []);
    const { id } = await ann.send("to go", room);
    await Promise.all(Array.from({ length: 20 }, (_, n) => ann.on(n % 2 ? one : two).ask(DELETE, { id })));
    expect((await eventsOf(room)).filter(({ kind }) => kind === "message.deleted")).toHaveLength(1);
  });

  it("[R4] are remembered for a bounded time", async () => {
    const room = await newGroup(ann, []);
    const [old, recent] = [await ann.send("old", room), await ann.send("recent", room)];
    await ann.ask(DELETE, { id: old.id });
    await redis.client.zadd(`deleted:{room:${room}}`, 1, `${ann.id} ${old.id}`);
    await ann.ask(DELETE, { id: recent.id });
    expect(await redis.client.zrange(`deleted:{room:${room}}`, "0", "-1")).toEqual([`${ann.id} ${recent.id}`]);
    expect((await ann.refused(DELETE, { id: old.id })).extensions.code).toBe("NOT_FOUND");
  });
});

describe("groups", () => {
  it("[R4] are created once per clientRoomId: a retry on any server returns the same group", async () => {
    const shown = ben.subscribe("subscription { roomShown { id } }");
    await ben.subscribe("{ me { id } }").next();
    const variables = { n: "Plans", m: [ben.id], c: randomUUID() };
    const first = (await ann.ask(CREATE, variables)).createRoom;
    expect(first.members.nodes).toMatchObject([{ role: "OWNER", user: { id: ann.id } }, { user: { id: ben.id } }]);
    for (const server of [one, two, one]) expect((await ann.on(server).ask(CREATE, variables)).createRoom).toEqual(first);
    expect((await eventsOf(first.id)).map(({ kind }) => kind)).toEqual(["member.joined", "member.joined"]);
    const marker = await newGroup(ann, [ben]);
    expect([await shown.next(), await shown.next()]).toEqual([{ id: first.id }, { id: marker }]);
  });

  it("[R4] are created once by 20 concurrent calls with one clientRoomId on two servers", async () => {
    const shown = ben.subscribe("subscription { roomShown { id } }");
    await ben.subscribe("{ me { id } }").next();
    const before = (await ann.ask("{ rooms { nodes { id } } }")).rooms.nodes.length;
    const variables = { n: "Race", m: [ben.id], c: randomUUID() };
    const made = await Promise.all(Array.from({ length: 20 }, (_, n) => ann.on(n % 2 ? one : two).ask(CREATE, variables)));
    const ids = new Set(made.map(({ createRoom }) => createRoom.id));
    expect(ids.size).toBe(1);
    const [id = ""] = ids;
    expect((await ann.ask("{ rooms { nodes { id } } }")).rooms.nodes).toHaveLength(before + 1);
    expect(await eventsOf(id)).toHaveLength(2);
    const marker = await newGroup(ann, [ben]);
    expect([await shown.next(), await shown.next()]).toEqual([{ id }, { id: marker }]);
  });

  it("[R4] have a clientRoomId that is scoped to its user and to one content", async () => {
    const c = randomUUID();
    const { id } = (await ann.ask(CREATE, { n: "Mine", m: [], c })).createRoom;
    expect((await ben.ask(CREATE, { n: "Mine", m: [], c })).createRoom.id).not.toBe(id);
    for (const other of [
      { n: "Other", m: [], c },
      { n: "Mine", m: [ben.id], c },
    ])
      expect((await ann.refused(CREATE, other)).extensions).toMatchObject({ code: "CLIENT_ROOM_ID_REUSED", retryable: false });
    for (const bad of ["", "x".repeat(65), "a\nb"])
      expect((await ann.refused(CREATE, { n: "x", m: [], c: bad })).extensions).toMatchObject({ argument: "clientRoomId" });
  });

  it("[R4] are returned in their current state by a retry, and not created again after leaving", async () => {
    const variables = { n: "Old name", m: [ben.id], c: randomUUID() };
    const { id } = (await ann.ask(CREATE, variables)).createRoom;
    await ann.ask('mutation ($r: ID!) { renameRoom(roomId: $r, name: "New name") { id } }', { r: id });
    expect((await ann.ask(CREATE, variables)).createRoom).toMatchObject({ id, name: "New name" });
    expect(await redis.client.get(`room:${id}:name`)).toBe("New name");
    await ann.ask(LEAVE, { r: id });
    expect((await ann.refused(CREATE, variables)).extensions.code).toBe("NOT_A_MEMBER");
    await ben.ask(LEAVE, { r: id });
    for (const key of ["room", "log", "meta", "members"]) await redis.client.del(`${key}:{room:${id}}`); // as after a day
    expect((await ann.on(two).refused(CREATE, variables)).extensions.code).toBe("NOT_A_MEMBER");
    expect(await redis.client.exists(`members:{room:${id}}`)).toBe(0);
    const [making = ""] = await redis.client.keys(`making:${ann.id}:*`);
    expect(await redis.client.ttl(making)).toBeGreaterThan(86_400);
    expect(await redis.client.ttl(`made:{room:${id}}`)).toBeGreaterThan(2 * 86_400);
  });

  it("[R4] are completed by a retry on another server, wherever createRoom is interrupted", async () => {
    const shown = ben.subscribe("subscription { roomShown { id } }");
    await ben.subscribe("{ me { id } }").next();
    let variables = { n: "Cut", m: [ben.id], c: randomUUID() };
    const cut = await cutEverywhere(
      async (far) => (await ann.on(far).request(CREATE, variables)).data != null,
      async () => {
        const { id, members } = (await ann.ask(CREATE, variables)).createRoom;
        expect(members.nodes).toHaveLength(2);
        expect(await eventsOf(id)).toHaveLength(2);
        expect(await redis.client.get(`room:${id}:name`)).toBe("Cut");
        for (const user of [ann, ben]) expect(await redis.client.sismember(`user:${user.id}:rooms`, id)).toBe(1);
        expect(await shown.next()).toEqual({ id });
        variables = { ...variables, c: randomUUID() };
      },
    );
    expect(cut).toBeGreaterThan(10);
    const marker = await newGroup(ann, [ben]);
    expect(await shown.next()).toEqual({ id: marker });
  });

  it("[R4] have idempotent joins, leaves and removals, with one event each", async () => {
    const room = await newGroup(ann, []);
    for (const server of [one, two]) await ann.on(server).ask(ADD, { r: room, u: ben.id });
    for (const server of [one, two]) await ann.on(server).ask(ADD, { r: room, u: eve.id });
    for (const server of [one, two]) await ann.on(server).ask(REMOVE, { r: room, u: eve.id });
    for (const server of [one, two]) expect(await ben.on(server).ask(LEAVE, { r: room })).toEqual({ leaveRoom: true });
    expect((await eventsOf(room)).map(({ kind, userId }) => `${kind} ${userId}`)).toEqual([
      `member.joined ${ann.id}`,
      `member.joined ${ben.id}`,
      `member.joined ${eve.id}`,
      `member.left ${eve.id}`,
      `member.left ${ben.id}`,
    ]);
  });

  it("[R4] have their interrupted invitations, acceptances and declines completed by a retry", async () => {
    const hal = await TestClient.register(one, "hal");
    const room = await newGroup(ann, []);
    const invitedTo = async () =>
      (await hal.ask("{ invitations { nodes { roomId } } }")).invitations.nodes.map(({ roomId }: { roomId: string }) => roomId);
    const isListed = async () => (await hal.ask("{ rooms { nodes { id } } }")).rooms.nodes.some(({ id }: { id: string }) => id === room);
    const ACCEPT = "mutation ($r: ID!) { acceptInvitation(roomId: $r) { id } }";
    const DECLINE = "mutation ($r: ID!) { declineInvitation(roomId: $r) }";
    const attempt = (person: TestClient, query: string) => async (far: { url: string }) =>
      (await person.on(far).request(query, { r: room, u: hal.id })).data != null;

    const invite = async () => {
      await ann.ask(ADD, { r: room, u: hal.id });
      expect(await invitedTo()).toEqual([room]);
      expect(await isListed()).toBe(false);
    };
    const decline = async () => {
      await hal.ask(DECLINE, { r: room });
      expect(await invitedTo()).toEqual([]);
    };
    let cut = await cutEverywhere(attempt(ann, ADD), async () => {
      await invite();
      await decline();
    });
    await invite();
    cut += await cutEverywhere(attempt(hal, DECLINE), async () => {
      await decline();
      await invite();
    });
    cut += await cutEverywhere(attempt(hal, ACCEPT), async () => {
      await hal.ask(ACCEPT, { r: room });
      expect(await invitedTo()).toEqual([]);
      expect(await isListed()).toBe(true);
      await hal.ask(LEAVE, { r: room });
      await invite();
    });
    expect(cut).toBeGreaterThan(10);
    await decline();
    // The user joined once per acceptance, and interrupted calls leave nothing behind.
    const deeds = (await eventsOf(room)).filter(({ userId }) => userId === hal.id).map(({ kind }) => kind);
    for (const [index, kind] of deeds.entries()) expect(kind).toBe(index % 2 ? "member.left" : "member.joined");
    expect(await redis.client.exists(`invitations:{user:${hal.id}}`, `invited:{room:${room}}`)).toBe(0);
  });

  it("[R4] have an interrupted block or unblock of a user completed by a retry", async () => {
    const hal = await TestClient.register(one, "hal");
    const { openPrivateRoom: room } = await hal.ask("mutation ($u: ID!) { openPrivateRoom(userId: $u) { id } }", { u: ann.id });
    const isBlocked = async () => {
      const { blockedUsers, user } = await ann.ask("query ($u: ID!) { blockedUsers { nodes { id } } user(id: $u) { blocked } }", {
        u: hal.id,
      });
      const refused = (await hal.request('mutation ($r: ID!) { send(roomId: $r, text: "hi") { id } }', { r: room.id })).errors;
      const listed = blockedUsers.nodes.some(({ id }: { id: string }) => id === hal.id);
      expect([listed, refused !== undefined]).toEqual([user.blocked, user.blocked]); // all or nothing
      return user.blocked as boolean;
    };
    for (const deed of ["block", "unblock"]) {
      const query = `mutation ($u: ID!) { ${deed}(userId: $u) { id } }`;
      const opposite = `mutation ($u: ID!) { ${deed === "block" ? "unblock" : "block"}(userId: $u) { id } }`;
      await ann.ask(opposite, { u: hal.id });
      const cut = await cutEverywhere(
        async (far) => (await ann.on(far).request(query, { u: hal.id })).data != null,
        async () => {
          await isBlocked();
          await ann.ask(query, { u: hal.id });
          expect(await isBlocked()).toBe(deed === "block");
          await ann.ask(opposite, { u: hal.id });
        },
      );
      expect(cut).toBeGreaterThan(2);
    }
  });

  it("[R4] are left completely by a retry on another server, wherever the first call is interrupted", async () => {
    let room = await newGroup(ben, [ann]);
    const cut = await cutEverywhere(
      async (far) => (await ann.on(far).request(LEAVE, { r: room })).data != null,
      async () => {
        expect(await ann.ask(LEAVE, { r: room })).toEqual({ leaveRoom: true });
        expect((await eventsOf(room)).filter(({ kind }) => kind === "member.left")).toHaveLength(1);
        expect(await redis.client.sismember(`user:${ann.id}:rooms`, room)).toBe(0);
        room = await newGroup(ben, [ann]);
      },
    );
    expect(cut).toBeGreaterThan(3);
  });
});

describe("retryable", () => {
  const cases: [what: string, repeatable: boolean, query: string][] = [
    ["a query", true, "{ rooms { nodes { id } } }"],
    ["a send without an id", false, 'mutation ($t: String!) { send(roomId: "0", text: $t) { id } }'],
    ["a send with null as id", false, 'mutation ($t: String!) { send(roomId: "0", text: $t, clientMessageId: null) { id } }'],
    ["a send with an id", true, 'mutation ($t: ID!) { send(roomId: "0", text: "hi", clientMessageId: $t) { id } }'],
    ["a new group", false, "mutation ($t: String!) { createRoom(name: $t) { id } }"],
    ["a new group with an id", true, 'mutation ($t: ID!) { createRoom(name: "x", clientRoomId: $t) { id } }'],
    ["two idempotent mutations", true, 'mutation { a: leaveRoom(roomId: "912345678901234567") b: setTyping(roomId: "0") }'],
    ["a guest", false, "mutation ($t: String!) { joinAsGuest(name: $t) { id } }"],
    [
      "a send among others, in a fragment",
      false,
      'mutation ($t: String!) { setTyping(roomId: "0") ...Other } fragment Other on Mutation { b: send(roomId: "0", text: $t) { id } }',
    ],
    ["a send with a default id", true, 'mutation ($i: ID = "by default") { send(roomId: "0", text: "hi", clientMessageId: $i) { id } }'],
    [
      "a send that is not skipped by default",
      false,
      'mutation ($t: String!, $s: Boolean = false) { send(roomId: "0", text: $t) @skip(if: $s) { id } }',
    ],
    ["a skipped send", true, 'mutation { setTyping(roomId: "0") send(roomId: "0", text: "2") @skip(if: true) { id } }'],
  ];

  it.each(cases)("[R4] is true only if a retry cannot duplicate anything: %s", async (_what, repeatable, query) => {
    const answers: { retryable: boolean; message: string; text: string }[] = [];
    const text = (bytes: string) => `try ${bytes}`;
    let tries = 0;
    const ada = await TestClient.register(one, "ada");
    const cuts = () =>
      cutEverywhere(
        async (far) => {
          const t = text(`${++tries} ${randomUUID().slice(0, 8)}`);
          const asker = ada.on(far);
          const { data, errors = [] } = tries % 2 ? await asker.request(query, { t }) : await overSocket(far, ada, query, t);
          for (const { message, extensions } of errors) {
            expect(extensions.code).toBe("UNAVAILABLE");
            answers.push({ retryable: extensions.retryable, message, text: t });
          }
          return data != null && errors.length === 0;
        },
        async () => {},
        251, // bytes: enough for some cuts within each call
      );
    await cuts();
    // The server's own commands shift the cuts. Repeats until a cut falls between a call and its answer.
    while (!repeatable && answers.every(({ retryable }) => retryable)) await cuts();
    expect(answers.length).toBeGreaterThan(0);
    if (repeatable) return expect(answers.filter(({ retryable }) => !retryable)).toEqual([]);
    const said = (await ada.history()).concat(
      (await ada.ask("{ rooms { nodes { name } } }")).rooms.nodes.map(({ name }: { name: string }) => name),
    );
    for (const { retryable, message, text } of answers) {
      if (retryable) expect(said).not.toContain(text);
      else expect(message).toMatch(/^Redis does not answer\. This operation may still have been carried out, at least in part\. .+\.$/);
    }
  });

  it("[R4] is false if one of several fields is refused, because the others ran", async () => {
    const limited = await ownServer(redis.url, { rateLimits: true, sendsPerSecond: 1, sendBurst: 1 });
    const fay = await TestClient.register(limited, "fay");
    const send = (n: number, id = "") => `a${n}: send(roomId: "0", text: "${n}"${id && `, clientMessageId: "${id}"`}) { id }`;
    const refusedOf = async (...sends: string[]) => {
      const refused = (await fay.request(`mutation { ${sends.join(" ")} }`)).errors?.at(-1);
      expect(refused?.extensions.code).toBe("RATE_LIMITED");
      return refused?.extensions.retryable;
    };
    expect(await refusedOf(...Array.from({ length: 6 }, (_, n) => send(n)))).toBe(false);
    expect(await refusedOf(...Array.from({ length: 6 }, (_, n) => send(n, `id-${n}`)))).toBe(true);
    expect(await refusedOf(send(1))).toBe(true);
  });
});

/** Returns the answer over a new socket; empty if the server closes it first. */
async function overSocket(server: { url: string }, client: TestClient, query: string, t: string) {
  const nothing = { data: undefined, errors: undefined };
  try {
    const socket = await RawSocket.accepted(server, client.token);
    await socket.subscribe("1", query, { t });
    const [frame] = await socket.answer("1");
    socket.socket.close();
    return frame?.type === "next" ? frame.payload : nothing;
  } catch {
    return nothing; // closed, because the server could not look up the session
  }
}
