import { expect, it, vi } from "vitest";
import type { RunningServer } from "../../src/program/server.js";
import { TestClient } from "../helpers/client.js";
import { ownCluster } from "../helpers/cluster.js";
import { eventually } from "../helpers/eventually.js";
import { recordedLog } from "../helpers/log.js";
import { RawSocket } from "../helpers/raw-socket.js";
import { ownServer } from "../helpers/server.js";

const cluster = await ownCluster({ replicas: true, nodeTimeout: 1_500 });
const RECOVERY = 10_000; // ms after the end of a fault until everything must work again
const SEND = "mutation ($room: ID!, $text: String!, $id: ID!) { send(roomId: $room, text: $text, clientMessageId: $id) { id } }";

/** Users in private rooms across all shards; each user subscribes on the other server. */
async function conversations(one: RunningServer, two: RunningServer, count: number) {
  const alice = await TestClient.register(one, "alice");
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const other = await TestClient.register(two, `friend${n}`);
      const { openPrivateRoom: room } = await alice.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id position } }", {
        id: other.id,
      });
      // On a busy machine the server may refuse the first connection.
      await eventually(async () => {
        await other.disconnect();
        await other.subscribe("{ me { id } }").next();
      });
      const stream = other.follow({ roomId: room.id, after: [room.position] });
      const sent: string[] = [];
      return {
        roomId: room.id as string,
        /** Sends a message; returns the error code on failure. */
        async send(text: string): Promise<string | undefined> {
          const { errors } = await alice.request(SEND, { room: room.id, text, id: text });
          if (!errors) sent.push(text);
          return errors?.[0]?.extensions.code;
        },
        async read(): Promise<string | undefined> {
          const { errors } = await alice.request("query ($r: ID!) { messages(roomId: $r, last: 5) { nodes { text from { name } } } }", {
            r: room.id,
          });
          return errors?.[0]?.extensions.code;
        },
        /** Asserts that every acknowledged message arrived once, in order. */
        async arrived(): Promise<void> {
          const texts: string[] = [];
          while (texts.length < sent.length) texts.push(...(await stream.texts(1)));
          expect(texts).toEqual(sent.splice(0));
        },
      };
    }),
  );
}

type Conversation = Awaited<ReturnType<typeof conversations>>[number];

async function worksAgain(talks: Conversation[], what: string) {
  await Promise.all(
    talks.map((talk, n) =>
      vi.waitFor(async () => expect(await talk.send(`${what} ${n}`)).toBeUndefined(), { timeout: RECOVERY, interval: 50 }),
    ),
  );
  await Promise.all(talks.map((talk) => talk.arrived()));
}

const servers = async () => {
  const { log, forOperator } = recordedLog();
  const settings = { assistant: true };
  const [one, two] = [await ownServer(cluster.urls[0] as string, settings, log), await ownServer(cluster.urls.join(","), settings, log)];
  return { one, two, forOperator };
};

it("[R2] completes a thousand sends and reads while slots move, with a retry for slow ones", async () => {
  const { one, two } = await servers();
  const talks = await conversations(one, two, 5);
  const codes: (string | undefined)[] = [];
  let moving = true;
  const untilDone = async (call: () => Promise<string | undefined>) => {
    for (;;) {
      const code = await call();
      codes.push(code);
      if (code !== "UNAVAILABLE") return;
    }
  };
  const load = async (talk: Conversation, n: number) => {
    // At least a hundred sends and reads each, and more until the slots have moved.
    for (let at = 0; at < 100 || moving; at++) {
      await untilDone(() => talk.send(`${n}: ${at}`));
      await untilDone(talk.read);
    }
  };
  const loads = talks.map(load);
  try {
    for (const { roomId } of talks) {
      await cluster.moveSlot(`room:${roomId}`);
      await cluster.moveSlot(`room:${roomId}`);
    }
  } finally {
    moving = false;
  }
  await Promise.all(loads);
  expect(codes.length).toBeGreaterThanOrEqual(1_000);
  const failures = codes.filter((code) => code !== undefined);
  expect(failures.filter((code) => code !== "UNAVAILABLE")).toEqual([]);
  expect(failures.length).toBeLessThan(5); // usually 0: on a busy machine a call may time out
  await Promise.all(talks.map((talk) => talk.arrived()));
});

it("[R2] recovers from a planned failover of each shard, and fails only with UNAVAILABLE", async () => {
  const { one, two } = await servers();
  const talks = await conversations(one, two, 6);
  const codes = new Set<string | undefined>();
  for (const [n, { roomId }] of talks.entries()) {
    const failing = cluster.failOver(`room:${roomId}`);
    for (const [m, talk] of talks.entries()) codes.add(await talk.send(`during ${n}.${m}`));
    await failing;
    await worksAgain(talks, `after ${n}`);
  }
  codes.delete(undefined);
  codes.delete("UNAVAILABLE");
  expect([...codes]).toEqual([]);
  for (const server of [one, two])
    await vi.waitFor(async () => expect((await fetch(`${server.url}/readyz`)).status).toBe(200), { timeout: RECOVERY });
});

it("[R2] recovers when a replica replaces a killed node, and logs one line at start and end", async () => {
  const { one, two, forOperator } = await servers();
  const talks = await conversations(one, two, 6);
  await worksAgain(talks, "before");
  const killed = cluster.kill(`room:${talks[0]?.roomId}`);
  for (const server of [one, two])
    await vi.waitFor(async () => expect((await fetch(`${server.url}/readyz`)).status).toBe(503), { timeout: RECOVERY });
  await killed;
  await worksAgain(talks, "after");
  for (const server of [one, two])
    await vi.waitFor(async () => expect((await fetch(`${server.url}/readyz`)).status).toBe(200), { timeout: RECOVERY });
  const [began, ended] = ["Redis cannot be used; trying again until it can", "Redis can be used again"];
  await vi.waitFor(() => expect(forOperator().sort()).toEqual([ended, ended, began, began]), { timeout: RECOVERY });
});

it("[R2] fails calls in time and refuses sockets while the whole cluster is away; runs nothing late", async () => {
  const whole = await ownCluster();
  const server = await ownServer(whole.urls.join(","));
  const alice = await TestClient.register(server, "alice");
  await alice.send("before");
  const start = await whole.takeAway();
  await eventually(async () => expect((await fetch(`${server.url}/readyz`)).status).toBe(503));
  const begun = performance.now();
  const refusals = await Promise.all(
    ["late 1", "late 2"].map(async (text) => (await alice.refused(SEND, { room: "0", text, id: text })).extensions.code),
  );
  expect(refusals).toEqual(["UNAVAILABLE", "UNAVAILABLE"]);
  expect(performance.now() - begun).toBeLessThan(RECOVERY);
  const newcomer = new RawSocket(server);
  await newcomer.say({ type: "connection_init", payload: { authorization: `Bearer ${alice.token}` } });
  expect((await newcomer.closed).code).toBe(1013);
  await start();
  await eventually(async () => expect((await alice.request(SEND, { room: "0", text: "after", id: "after" })).errors).toBeUndefined());
  expect(await alice.history()).toEqual(["before", "after"]);
});
