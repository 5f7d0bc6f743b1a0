import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { Group, Subscriber } from "../../src/log/broadcast.js";
import { Feed } from "../../src/log/feed.js";
import { Turns } from "../../src/util/turns.js";
import { TestClient } from "../helpers/client.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const LONGEST = 30_000; // characters of a message, so that few of them fill buffers
const server = await ownServer(redis.url, { messageLength: LONGEST });
const alice = await TestClient.register(server, "alice");

async function executions(): Promise<number> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^palaver_event_executions_total (\d+)$/m.exec(metrics)?.[1]);
}

describe("an event for many subscribers", () => {
  it("[D6] is executed once per operation, whichever rooms and positions the subscribers chose", async () => {
    const followers = await Promise.all(Array.from({ length: 20 }, () => TestClient.register(server)));
    const after = [await alice.position()];
    const streams = followers.flatMap((client, n) => [
      client.follow({ after }),
      client.follow({ roomId: "0", after, includeOwn: n % 2 === 0 }),
    ]);
    await alice.send("warm");
    for (const stream of streams) expect(await stream.texts(1)).toEqual(["warm"]);

    const before = await executions();
    for (const text of ["one", "two", "three"]) await alice.send(text);
    for (const stream of streams) expect(await stream.texts(3)).toEqual(["one", "two", "three"]);
    expect((await executions()) - before).toBe(3);
  });

  it("[D6] is executed separately for each value of a variable that affects the answer", async () => {
    const query = `subscription ($after: [String!], $long: Boolean!) { messageAdded(after: $after) { text position @include(if: $long) } }`;
    const after = [await alice.position()];
    const long = alice.subscribe(query, { after, long: true });
    const short = alice.subscribe(query, { after, long: false });
    const { position } = await alice.send("both");
    expect(await long.next()).toEqual({ text: "both", position });
    expect(await short.next()).toEqual({ text: "both" });
  });

  it("[D6] shows each viewer only what that viewer may see, however the fields are requested", async () => {
    const register = async (name: string) => {
      const { register: session } = await alice.ask(
        'mutation ($u: String!, $e: String) { register(username: $u, password: "a good password", email: $e) { token user { id } } }',
        { u: name, e: `${name}@example.com` },
      );
      return new TestClient(server.url, session.token, session.user.id, name);
    };
    const [ann, ben] = [await register("ann-6"), await register("ben-6")];
    const { openPrivateRoom: room } = await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id position } }", { id: ben.id });
    const query = `subscription ($after: [String!]) {
      messageAdded(after: $after) { text from { ...who } ... on Message { place: room { name } } room { messages(last: 1) { nodes { text } } } }
    }
    fragment who on User { mail: email }`;
    const streams = [ann, ben].map((client) => client.subscribe(query, { after: [room.position] }));
    await ann.send("hi", room.id);
    const [toAnn, toBen] = await Promise.all(streams.map((stream) => stream.next()));
    const shared = { text: "hi", room: { messages: { nodes: [{ text: "hi" }] } } };
    expect(toAnn).toEqual({ ...shared, from: { mail: "ann-6@example.com" }, place: { name: "ben-6" } });
    expect(toBen).toEqual({ ...shared, from: { mail: null }, place: { name: "ann-6" } });
  });

  it("[D6] is executed with current data", async () => {
    const after = [await alice.position()];
    const stream = alice.subscribe("subscription ($after: [String!]) { messageAdded(after: $after) { from { name } } }", { after });
    await alice.send("before");
    expect(await stream.next()).toEqual({ from: { name: alice.username } });
    await redis.client.hset(`user:${alice.id}`, "name", "Alice the Second");
    await alice.send("after");
    expect(await stream.next()).toEqual({ from: { name: "Alice the Second" } });
  });
});

describe("short subscriptions", () => {
  it("[FEED1] leave no Redis channel and no followed room behind, even after 10,000 on one socket", async () => {
    const client = await TestClient.register(server);
    await redis.client.set("room:passing:name", "Passing");
    for (let n = 0; n < 10_000; n += 100) {
      const streams = Array.from({ length: 100 }, (_, m) => client.follow({ roomId: m % 2 ? "0" : "passing" }));
      await client.ask("{ me { id } }");
      for (const stream of streams) stream.stop();
    }
    await client.subscribe("{ me { id } }").next(); // the socket still works
    await client.disconnect();
    const metric = async () => /^palaver_followed_rooms (\d+)$/m.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1];
    await expect.poll(metric).toBe("0");
    // The server's own probe remains.
    await expect.poll(() => redis.client.call("PUBSUB", "SHARDCHANNELS")).toEqual([expect.stringMatching(/^probe:/)]);
  });
});

/** A debtor without a limit. */
const FREE = { wait: 0, charge() {}, resumeInTurn() {} };

describe("a client that does not read events that cannot be replayed", () => {
  function stalled() {
    const written: string[] = [];
    let drained = () => {};
    const outlet = {
      congested: true,
      write: (head: Buffer, tail: Buffer) => void written.push(`${head}${tail}`),
      onDrained: (listener: () => void) => {
        drained = listener;
      },
      giveUp: vi.fn(),
    };
    const feed = new Feed<{ n: number }>();
    const group = new Group<{ n: number }>(async ({ n }) => ({ text: Buffer.from(String(n)), price: 0, last: false }), new Turns(0));
    const onEnd = vi.fn();
    new Subscriber(feed, group, { outlet, debtor: FREE }, "#", onEnd);
    const drain = () => {
      outlet.congested = false;
      drained();
    };
    return { written, outlet, feed, onEnd, drain };
  }

  it("[D4] gets them in order when it reads again", async () => {
    const { written, outlet, feed, drain } = stalled();
    for (let n = 0; n < 900; n++) feed.push({ n });
    await setImmediate();
    expect(written).toEqual([]);
    drain();
    const all = Array.from({ length: 900 }, (_, n) => `#${n}`);
    await expect.poll(() => written).toEqual(all);
    feed.push({ n: 900 });
    await expect.poll(() => written.at(-1)).toBe("#900");
    expect(outlet.giveUp).not.toHaveBeenCalled();
  });

  it("[D4] has to reconnect when too many events wait", async () => {
    const { outlet, feed } = stalled();
    for (let n = 0; n < 1_001; n++) feed.push({ n });
    expect(outlet.giveUp).toHaveBeenCalledOnce();
  });

  it("[D4] can leave at once, and gets nothing more", async () => {
    const { written, feed, onEnd, drain } = stalled();
    feed.push({ n: 1 });
    await setImmediate();
    feed.end();
    expect(onEnd).toHaveBeenCalledOnce();
    drain();
    expect(written).toEqual([]);
  });
});

describe("a client that does not read", () => {
  it("[D4] is paused, does not slow others, and gets everything in order when it reads again", async () => {
    const bob = await TestClient.register(server, "bob");
    const after = [await bob.position()];
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    await once(socket, "open");
    const texts: string[] = [];
    socket.on("message", (data) => {
      const { type, payload } = JSON.parse(String(data));
      if (type === "next") texts.push(payload.data.messageAdded.text.trim());
    });
    socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: bob.token } }));
    await once(socket, "message");
    const much = Array.from({ length: 4 }, (_, n) => `text${n}: text`).join(" "); // so that few messages fill the buffers
    const query = `subscription ($after: [String!]) { messageAdded(after: $after) { text ${much} } }`;
    socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query, variables: { after } } }));
    await alice.send("first");
    await expect.poll(() => texts).toEqual(["first"]);
    socket.pause();

    const reader = bob.follow({ after });
    const count = 150; // of 150,000 bytes each: more than all buffers in between hold, but sent before a silent socket is cut
    const padding = " ".repeat(LONGEST - 10);
    const before = await executions();
    for (let n = 0; n < count; n += 10) {
      await Promise.all(Array.from({ length: 10 }, (_, m) => alice.send(`${n + m}${padding}`)));
    }
    expect(await reader.texts(1)).toEqual(["first"]);
    const seen = (await reader.texts(count)).map((text) => text.trim());
    expect(new Set(seen).size).toBe(count);

    socket.resume();
    await expect.poll(() => texts.length).toBe(count + 1);
    expect(texts).toEqual(["first", ...seen]);
    expect((await executions()) - before).toBeGreaterThan(count); // it lagged: later events were executed again for it
    socket.terminate();
  });

  it("[D4] leaves no subscription behind when it completes one while it is paused", async () => {
    await redis.client.set("room:stalled:name", "Stalled");
    const listening = async () => ((await redis.client.call("PUBSUB", "SHARDNUMSUB", "room:stalled")) as [string, number])[1];
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    await once(socket, "open");
    socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: alice.token } }));
    await once(socket, "message");
    const query = 'subscription { messageAdded(roomId: "stalled") { text } }';
    socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query } }));
    await expect.poll(listening).toBe(1);

    socket.pause();
    for (let n = 0; (await listening()) === 1; n++) {
      expect(n).toBeLessThan(300); // batches: far more than all buffers hold
      await Promise.all(Array.from({ length: 10 }, () => alice.send("x".repeat(LONGEST), "stalled")));
    }
    socket.send(JSON.stringify({ id: "1", type: "complete" }));
    const pong = (id: string) =>
      new Promise<void>((resolve) => {
        socket.on("message", (data) => String(data).includes(`"pong","payload":{"id":"${id}"}`) && resolve());
        socket.send(JSON.stringify({ type: "ping", payload: { id } }));
      });
    socket.resume();
    await pong("after everything that waited");
    await pong("after the socket has drained");
    await alice.send("no one is subscribed", "stalled");
    expect(await listening()).toBe(0);
    socket.terminate();
  });
});

describe("a client that has used up its budget", () => {
  it("[LIMIT8] receives events later, in order, and few are prepared for it in advance", async () => {
    const written: string[] = [];
    const outlet = {
      congested: false,
      write: (_head: Buffer, tail: Buffer) => void written.push(String(tail)),
      onDrained: () => {},
      giveUp: vi.fn(),
    };
    let goOn: (() => void) | undefined;
    const debtor = {
      wait: 0,
      charge: () => {
        debtor.wait = 1_000;
      },
      resumeInTurn: (listener: () => void) => {
        goOn = listener;
      },
    };
    const feed = new Feed<{ n: number }>();
    let made = 0;
    const group = new Group<{ n: number }>(async ({ n }) => {
      made++;
      return { text: Buffer.from(String(n)), price: 5, last: false };
    }, new Turns(0));
    new Subscriber(feed, group, { outlet, debtor }, "", () => {});
    for (let n = 0; n < 20; n++) feed.push({ n });
    await expect.poll(() => written).toEqual(["0"]);
    for (let round = 1; written.length < 20; round++) {
      expect(made).toBeLessThanOrEqual(4 * round); // as many as are prepared at once
      const before = written.length;
      await expect.poll(() => goOn).toBeDefined();
      const resume = goOn as () => void;
      goOn = undefined;
      debtor.wait = 0;
      resume();
      await expect.poll(() => written.length).toBeGreaterThan(before);
    }
    expect(written).toEqual(Array.from({ length: 20 }, (_, n) => String(n)));
    expect(outlet.giveUp).not.toHaveBeenCalled();
  });

  it("[LIMIT8] shares the price of an event with all other subscribers of its group", async () => {
    const charged: number[] = [];
    const debtor = { wait: 0, charge: (ms: number) => void charged.push(ms), resumeInTurn: () => {} };
    const outlet = { congested: false, write: () => {}, onDrained: () => {}, giveUp: () => {} };
    const group = new Group<{ n: number }>(async ({ n }) => ({ text: Buffer.from(String(n)), price: 2, last: false }), new Turns(0));
    const feeds = Array.from({ length: 4 }, () => new Feed<{ n: number }>());
    for (const feed of feeds) new Subscriber(feed, group, { outlet, debtor }, "", () => {});
    charged.length = 0; // drops the charges for replays
    for (const event of [{ n: 0 }, { n: 1 }]) for (const feed of feeds) feed.push(event);
    await expect.poll(() => charged).toEqual(Array(8).fill(0.5));
  });

  it("[LIMIT8] is charged for each event if it is the only subscriber, however cheap the event is", async () => {
    const debtor = {
      wait: 0,
      charge: (ms: number) => {
        if (ms > 0) debtor.wait = 1_000;
      },
      resumeInTurn: () => {},
    };
    const written: string[] = [];
    const outlet = {
      congested: false,
      write: (_: Buffer, tail: Buffer) => void written.push(String(tail)),
      onDrained: () => {},
      giveUp: () => {},
    };
    const group = new Group<{ n: number }>(async ({ n }) => ({ text: Buffer.from(String(n)), price: 0.1, last: false }), new Turns(0));
    const feed = new Feed<{ n: number }>();
    new Subscriber(feed, group, { outlet, debtor }, "", () => {});
    for (let n = 0; n < 100; n++) feed.push({ n });
    await expect.poll(() => written.length).toBeGreaterThan(0);
    for (let n = 0; n < 20; n++) await setImmediate();
    expect(written).toEqual(["0"]);
  });

  it("[LIMIT8] does not block others: one event for many groups is executed in pieces", async () => {
    const turns = new Turns(0);
    let made = 0;
    const feeds = Array.from({ length: 100 }, () => {
      const feed = new Feed<{ n: number }>();
      const group = new Group<{ n: number }>(async ({ n }) => {
        for (const until = performance.now() + 0.5; performance.now() < until; );
        made++;
        return { text: Buffer.from(String(n)), price: 0.5, last: false };
      }, turns);
      const outlet = { congested: false, write: () => {}, onDrained: () => {}, giveUp: () => {} };
      new Subscriber(feed, group, { outlet, debtor: FREE }, "", () => {});
      return feed;
    });
    for (const feed of feeds) feed.push({ n: 1 });
    const seen: number[] = [];
    while (made < 100) {
      seen.push(made);
      await setImmediate();
    }
    expect(seen.filter((count) => count > 0).length).toBeGreaterThan(10);
  });
});
