import type { Socket } from "node:net";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { eventually } from "../helpers/eventually.js";
import { mutateOperation } from "../helpers/mutations.js";
import { OperationMaker } from "../helpers/operations.js";
import { randomFrom } from "../helpers/random.js";
import { RawSocket } from "../helpers/raw-socket.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

/** Errors that the server logs, except reports about Redis. */
const failures: string[] = [];
const log = pino({ level: "error" }, { write: (line: string) => line.includes('"problems":') || failures.push(line) });

const redis = await ownRedis();
const server = await ownServer(redis.url, { socketsPerUser: 1_000 }, log);
const alice = await TestClient.register(server, "alice");
const FOLLOW = 'subscription { messageAdded(roomId: "0") { text } }';

/** Operations that end the session, and with it the socket. */
const ENDS = ["logout", "endSession", "changePassword", "refreshSession"];

describe("a subscription without a field", () => {
  const leaving = { no: false, yes: true };

  it.each([
    ["not included", 'subscription { messageAdded(roomId: "0") @include(if: false) { text } }'],
    ["skipped", "subscription { messageAdded @skip(if: true) { text } }"],
    ["not included because of a variable", 'subscription ($no: Boolean!) { messageAdded(roomId: "0") @include(if: $no) { text } }'],
    ["skipped because of a variable", "subscription ($yes: Boolean!) { roomEvents @skip(if: $yes) { position } }"],
    ["not included because of a default", "subscription ($other: Boolean! = false) { messageAdded @include(if: $other) { text } }"],
    ["in a fragment", "subscription { ...f @include(if: false) } fragment f on Subscription { messageAdded { text } }"],
    ["inside a fragment", 'subscription { ...f } fragment f on Subscription { typing(roomId: "0") @skip(if: true) { user { id } } }'],
    ["in an inline fragment", "subscription ($no: Boolean!) { ... on Subscription @include(if: $no) { roomShown { id } } }"],
    ["that a variable includes", "subscription ($yes: Boolean!) { messageAdded @include(if: $yes) { text } }"],
    ["that a missing variable includes", "subscription ($other: Boolean!) { messageAdded @include(if: $other) { text } }"],
    ["included and skipped", 'subscription { userOnline(userIds: ["1"]) @include(if: true) @skip(if: true) { id } }'],
  ])("[R6] is refused alone, and the socket stays open: a field %s", async (_what, query) => {
    const socket = await RawSocket.accepted(server, alice.token);
    await socket.subscribe("canary", FOLLOW);
    await socket.subscribe("empty", query, query.includes("$") && !query.includes("$other") ? leaving : {});
    const [refused] = await socket.answer("empty");
    expect(refused).toMatchObject({ type: "error", payload: [{ extensions: { code: "GRAPHQL_VALIDATION_FAILED", retryable: false } }] });
    await alice.send("still there?");
    expect(await socket.next()).toMatchObject({ id: "canary", payload: { data: { messageAdded: { text: "still there?" } } } });
    const { errors } = await alice.request(query, leaving);
    expect(errors).toMatchObject([{ extensions: { code: "GRAPHQL_VALIDATION_FAILED", retryable: false } }]);
    for (const kind of ["query { me @skip(if: true) { id } }", "mutation { logout @include(if: false) }"]) {
      await socket.subscribe("nothing", kind);
      expect(await socket.next()).toEqual({ id: "nothing", type: "next", payload: { data: {} } });
      expect(await socket.next()).toEqual({ id: "nothing", type: "complete" });
    }
    expect(failures).toEqual([]);
  });
});

describe("an operation id", () => {
  it("[R6] is free as soon as the client completes it, and only the new operation is answered", async () => {
    const socket = await RawSocket.accepted(server, alice.token);
    await socket.subscribe("canary", FOLLOW);
    const operations = [
      ["1", "{ first: rooms { nodes { id } } }", "{ second: me { id } }"],
      ["2", "subscription { first: messageAdded { id } }", "{ second: me { id } }"],
      ["3", "{ first: rooms { nodes { id } } }", FOLLOW.replace("messageAdded", "second: messageAdded")],
      ["4", "{ wrong", "{ second: me { id } }"],
    ] as const;
    for (const [id, first, second] of operations) {
      // In one segment, so that the server has all frames before it handles the first.
      const { _socket: connection } = socket.socket as unknown as { _socket: Socket };
      connection.cork();
      await socket.subscribe(id, first);
      await socket.say({ id, type: "complete" });
      await socket.subscribe(id, first);
      await socket.say({ id, type: "complete" });
      await socket.subscribe(id, second);
      connection.uncork();
    }
    const heard = (id: string) => socket.heard.filter((frame) => frame.id === id && frame.type === "next").at(-1)?.payload?.data;
    await eventually(async () => {
      await alice.send("to the third, and the canary"); // repeated until subscription 3 has started
      for (const id of ["1", "2", "4"]) expect(heard(id)).toEqual({ second: { id: alice.id } });
      expect(heard("3")).toEqual({ second: { text: "to the third, and the canary" } });
      expect(heard("canary")).toBeDefined();
    });
    expect(socket.heard.filter(({ id, type }) => id === "3" && type !== "next")).toEqual([]);
  });
});

describe("a client that keeps to the protocol", () => {
  const values = {
    ID: ["0", "1", alice.id, "1:2", "nowhere", "", 5],
    roomId: ["0", "0", "0", `1:${alice.id}`, "nowhere"],
    String: ["hello", "", " ", "@assistant", "👍", "x".repeat(300)],
    emoji: ["👍", "no emoji"],
    after: ["0-0", "nonsense"],
    Int: [0, 1, 3, 50, -1],
    Boolean: [true, false],
  };

  /** Sends frames that the protocol allows, and no others. */
  async function talk(seed: number, frames: number): Promise<void> {
    const random = randomFrom(seed);
    const socket = await RawSocket.accepted(server, alice.token);
    const canary = await TestClient.register(server, "canary");
    await socket.subscribe("canary", 'subscription { messageAdded(roomId: "0", includeOwn: false) { text from { id } } }');
    await socket.subscribe("begun", "{ me { id } }");
    await socket.answer("begun");
    const make = new OperationMaker(random, values, ENDS);
    const used = new Set<string>();
    let sent = 0;
    for (let n = 0; n < frames; n++) {
      const act = random.integer(1, 20);
      if (act <= 12) {
        const id = random.pick(["1", "2", "3", "__proto__", "é💬", String(n)]);
        // An answer may still belong to the earlier operation; the id is only certain to be free after the client completes it.
        if (used.has(id)) await socket.say({ id, type: "complete" });
        used.add(id);
        if (random.chance(0.1)) continue;
        const { query, variables, operationName } = make.operation();
        const damaged = random.chance(0.2) ? mutateOperation(random, { query, variables: variables ?? {} }) : { query, variables };
        if (ENDS.some((name) => damaged.query.includes(name))) continue;
        await socket.say({
          id,
          type: "subscribe",
          payload: { ...damaged, operationName, extensions: random.pick([undefined, null, {}, { a: 1 }]) },
        });
      } else if (act <= 14) await socket.say({ id: random.pick(["unknown", "constructor", ...used]), type: "complete" });
      else if (act <= 16) await socket.say({ type: random.pick(["ping", "pong"]), payload: random.pick([undefined, null, {}, { at: n }]) });
      else if (act <= 18) socket.socket.ping("x".repeat(random.integer(0, 125)));
      else await canary.send(`canary ${sent++}`);
    }
    await canary.send(`canary ${sent++}`);
    await socket.subscribe("end", "{ me { id } }");
    await socket.answer("end").catch((error: Error) => {
      throw new Error(`seed ${seed}: ${error.message}`);
    });
    await eventually(() => {
      const told = socket.heard.filter(({ id, payload }) => id === "canary" && payload?.data?.messageAdded.from.id === canary.id);
      expect(told.map(({ payload }) => payload.data.messageAdded.text)).toEqual(Array.from({ length: sent }, (_, n) => `canary ${n}`));
    });
    expect(socket.socket.readyState, `seed ${seed}`).toBe(socket.socket.OPEN);
    expect(JSON.stringify(socket.heard)).not.toMatch(/INTERNAL_SERVER_ERROR|TypeError|Cannot read/);
    expect(failures.splice(0), `seed ${seed}`).toEqual([]);
    socket.socket.terminate();
    await socket.closed;
  }

  it("[R6] loses neither its socket nor another subscription, whatever it requests", { timeout: 300_000 }, async () => {
    const [first, count] = [Number(process.env.FUZZ_SEED ?? 1), Number(process.env.FUZZ_COUNT ?? 8)];
    for (let seed = first; seed < first + count; seed++) await talk(seed, 150);
  });
});
