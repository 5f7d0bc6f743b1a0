import { describe, expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { eventually } from "../helpers/eventually.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";
import { sendUnheard } from "../helpers/unheard.js";

const redis = await ownRedis();
const one = await ownServer(redis.url, { roomLogLength: 100 });
const two = await ownServer(redis.url, { roomLogLength: 100 });
const alice = await TestClient.register(one, "alice");
const bob = await TestClient.register(two, "bob");

const openRoom = "mutation ($id: ID!) { openPrivateRoom(userId: $id) { id position } }";

/** The number of servers subscribed to a channel, as Redis counts them. */
async function listeners(channel: string): Promise<number> {
  const [, count] = (await redis.client.call("PUBSUB", "SHARDNUMSUB", channel)) as [string, number];
  return count;
}

describe("a subscription to one room", () => {
  it("[D3] misses and repeats nothing after a page's position, whichever server the sends use", async () => {
    await alice.send("before");
    const after = [await bob.position()];
    const followed = bob.follow({ roomId: "0", after });
    for (let n = 0; n < 20; n++) await (n % 2 ? alice : alice.on(two)).send(`live ${n}`);
    expect(await followed.texts(20)).toEqual(Array.from({ length: 20 }, (_, n) => `live ${n}`));
  });

  it("[D1] resumes on another server exactly where it was cut off", async () => {
    const first = bob.follow({ roomId: "0", after: [await bob.position()] });
    await alice.send("one");
    const { position } = await first.next();
    await bob.disconnect();
    await alice.send("two");
    await alice.send("three");

    const second = bob.on(one).follow({ roomId: "0", after: [position] });
    expect(await second.texts(2)).toEqual(["two", "three"]);
    await alice.send("marker"); // shows that nothing else came in between
    expect(await second.texts(1)).toEqual(["marker"]);
  });

  it("[D1] delivers messages sent during a long catch-up, in order", async () => {
    const start = await alice.position();
    for (let n = 0; n < 90; n++) await alice.send(`old ${n}`);
    const followed = bob.follow({ roomId: "0", after: [start] });
    const sending = Promise.all(Array.from({ length: 9 }, (_, n) => alice.send(`new ${n}`)));
    const texts = await followed.texts(99);
    const sent = (await sending).map(({ text, position }) => ({ text, seq: seqOf(position) }));
    const inOrder = sent.sort((a, b) => a.seq - b.seq).map(({ text }) => text);
    expect(texts).toEqual([...Array.from({ length: 90 }, (_, n) => `old ${n}`), ...inOrder]);
  });

  it("[D1] keeps the order while the servers' Redis subscriptions are killed under load", async () => {
    const followers = [alice, bob].map((client) => client.follow({ roomId: "0" }));
    const started = await Promise.all(
      followers.map(async (stream) => {
        let arrived = false;
        const first = stream.next().then((message) => {
          arrived = true;
          return message;
        });
        await eventually(async () => {
          await alice.send("are you there?");
          expect(arrived).toBe(true);
        });
        return first;
      }),
    );
    expect(started).toHaveLength(2);

    for (let n = 0; n < 60; n++) {
      if (n % 15 === 5) await redis.client.call("CLIENT", "KILL", "TYPE", "pubsub");
      await (n % 2 ? alice : bob).send(`load ${n}`);
    }
    await alice.send("end");
    for (const stream of followers) {
      const texts: string[] = [];
      while (texts.at(-1) !== "end") texts.push(...(await stream.texts(1)));
      expect(texts.filter((text) => text !== "are you there?")).toEqual([...Array.from({ length: 60 }, (_, n) => `load ${n}`), "end"]);
    }
  });

  it("[D1] delivers a message missed by a lost connection, even if no other follows", async () => {
    const followed = bob.follow({ roomId: "0", after: [await bob.position()] });
    await alice.send("heard");
    await followed.texts(1);
    expect(await sendUnheard(redis.client, alice.id, "unheard")).toBeGreaterThanOrEqual(1); // on bob's server
    expect(await followed.texts(1)).toEqual(["unheard"]);
  });

  it("[D2] ends with HISTORY_RESET when the events after its position are trimmed", async () => {
    await redis.client.set("room:trimmed:name", "Trimmed");
    await alice.send("the first", "trimmed");
    const start = await alice.position("trimmed");
    await alice.send("will be trimmed", "trimmed");
    await redis.client.xtrim("log:{room:trimmed}", "MAXLEN", 0);
    expect(await bob.follow({ roomId: "trimmed", after: [start] }).refusal()).toBe("HISTORY_RESET");
  });

  it("[D1] does not deliver a forged event of a room without a log", async () => {
    await redis.client.set("room:fresh:name", "Fresh");
    const followed = bob.follow({ roomId: "fresh" });
    await eventually(async () => expect(await listeners("room:fresh")).toBe(1));
    const message = { from: alice.id, date: 1, message: "forged", roomId: "fresh", id: "fresh/1000000" };
    const forged = { seq: 1, epoch: "f".repeat(16), kind: "message.added", at: 1_000_000, message };
    await redis.client.spublish("room:fresh", JSON.stringify(forged));
    await alice.send("true", "fresh");
    expect(await followed.texts(1)).toEqual(["true"]);
  });

  it("[D2] names the room in HISTORY_RESET, even when subscribed to all rooms", async () => {
    await redis.client.set("room:lost:name", "Lost");
    await redis.client.sadd(`user:${bob.id}:rooms`, "lost");
    await alice.send("the first", "lost");
    const after = [await alice.position("lost"), await bob.position()];
    await redis.client.del("log:{room:lost}", "meta:{room:lost}");
    const { errors } = await bob.follow({ after }).result();
    expect(errors?.[0]?.extensions).toEqual({ code: "HISTORY_RESET", retryable: false, roomId: "lost" });
    await redis.client.srem(`user:${bob.id}:rooms`, "lost");
  });

  it("[D2] ends with HISTORY_RESET for a position beyond the log or from an earlier log", async () => {
    const position = Buffer.from(await alice.position(), "base64url").toString();
    const [epoch = "", seq = "", at = ""] = position.split(".");
    for (const forged of [
      `${epoch}.${Number(seq) + 1}.${at}.0`,
      `${"f".repeat(16)}.${seq}.${at}.0`,
      `.${seq}.${at}.0`,
      `${epoch}.${seq}.${Number(at) - 1}.0`,
    ]) {
      expect(await bob.follow({ roomId: "0", after: [Buffer.from(forged).toString("base64url")] }).refusal()).toBe("HISTORY_RESET");
    }
  });

  it("[D2] detects a log that lost its end and reuses numbers, live and when resuming", async () => {
    await redis.client.set("room:rewound:name", "Rewound");
    await alice.send("kept", "rewound");
    const keys = ["room:rewound", "log:{room:rewound}", "meta:{room:rewound}"];
    const backup = await Promise.all(keys.map((key) => redis.client.dumpBuffer(key)));
    const followed = bob.follow({ roomId: "rewound", after: [await bob.position("rewound")] });
    const lost = [await alice.send("lost one", "rewound"), await alice.send("lost two", "rewound")];
    expect(await followed.texts(2)).toEqual(["lost one", "lost two"]);
    for (const [n, key] of keys.entries()) await redis.client.restore(key, 0, backup[n] as Buffer, "REPLACE");
    for (const text of ["other one", "other two", "other three"]) await alice.send(text, "rewound");
    expect(await followed.refusal()).toBe("HISTORY_RESET");
    for (const { position } of lost) expect(await bob.follow({ roomId: "rewound", after: [position] }).refusal()).toBe("HISTORY_RESET");
  });

  it("[D2] ends with HISTORY_RESET when the log is lost and restarts", async () => {
    await redis.client.set("room:lost:name", "Lost");
    await alice.send("a first life", "lost");
    const followed = bob.follow({ roomId: "lost", after: [await bob.position("lost")] });
    await alice.send("still there", "lost");
    expect(await followed.texts(1)).toEqual(["still there"]);
    await redis.client.del("log:{room:lost}", "meta:{room:lost}", "room:lost");
    await alice.send("a second life", "lost");
    expect(await followed.refusal()).toBe("HISTORY_RESET");
  });

  it("[D2] detects a lost log when the next subscriber arrives, who starts from its beginning", async () => {
    await redis.client.set("room:gone:name", "Gone");
    await alice.send("a first life", "gone");
    const followed = bob.follow({ roomId: "gone", after: [await bob.position("gone")] });
    await alice.send("still there", "gone");
    expect(await followed.texts(1)).toEqual(["still there"]);
    await redis.client.del("log:{room:gone}", "meta:{room:gone}", "room:gone");
    const coming = bob.follow({ roomId: "gone", after: [await bob.position("gone")] });
    expect(await followed.refusal()).toBe("HISTORY_RESET");
    await alice.send("a second life", "gone");
    expect(await coming.texts(1)).toEqual(["a second life"]);
  });

  it("[D3] can start before the first event of a room without a log", async () => {
    await redis.client.set("room:fresh:name", "Fresh");
    const followed = bob.follow({ roomId: "fresh", after: [await bob.position("fresh")] });
    const again = await bob.position("fresh");
    await alice.send("first", "fresh");
    expect(await followed.texts(1)).toEqual(["first"]);
    expect(await bob.follow({ roomId: "fresh", after: [again] }).texts(1)).toEqual(["first"]);
  });

  it("[D3] omits only the subscriber's own messages with includeOwn: false", async () => {
    const followed = bob.follow({ roomId: "0", after: [await bob.position()], includeOwn: false });
    await bob.send("my own");
    await alice.send("another's");
    expect(await followed.texts(1)).toEqual(["another's"]);
  });

  it("[O1] survives any payload published on the channels of a shared Redis", async () => {
    const followed = bob.follow({ after: [await bob.position()] });
    await alice.send("listening");
    await followed.texts(1);
    for (const channel of ["room:0", `user:${bob.id}`, "online_users"]) {
      for (const payload of ["null", "5", "[]", "{}", "no JSON", '{"kind":"room.opened","roomId":"98:99","position":{}}', '{"seq":"x"}']) {
        await redis.client.spublish(channel, payload);
      }
    }
    await alice.send("still there");
    expect(await followed.texts(1)).toEqual(["still there"]);
  });

  it("[O1] refuses an invalid position with BAD_USER_INPUT", async () => {
    for (const nonsense of ["", "nonsense", Buffer.from("abc.1").toString("base64url"), `${await alice.position()}=`]) {
      expect(await bob.follow({ after: [nonsense] }).refusal()).toBe("BAD_USER_INPUT");
    }
  });

  it("[FEED1] shares one Redis subscription per room and server, until the last subscriber leaves", async () => {
    await redis.client.set("room:crowd:name", "Crowd");
    const after = [await bob.position("crowd")];
    const streams = Array.from({ length: 5 }, () => bob.follow({ roomId: "crowd", after }));
    await alice.send("hello, crowd", "crowd");
    for (const stream of streams) expect(await stream.texts(1)).toEqual(["hello, crowd"]);
    expect(await listeners("room:crowd")).toBe(1);
    for (const stream of streams) stream.stop();
    await expect.poll(() => listeners("room:crowd")).toBe(0);
    expect(await bob.follow({ roomId: "crowd", after }).texts(1)).toEqual(["hello, crowd"]);
  });
});

describe("`roomEvents`", () => {
  const query = `subscription ($roomId: ID, $after: [String!]) {
    roomEvents(roomId: $roomId, after: $after) { __typename position roomId at ... on MessageAdded { message { id text sentAt position } } }
  }`;

  it("[D1] delivers stored events, and resumes from its own and messageAdded's positions", async () => {
    const start = await bob.position();
    const events = bob.subscribe(query, { roomId: "0", after: [start] });
    const { id, sentAt, position } = await alice.send("an event");
    const event = { __typename: "MessageAdded", position, roomId: "0", at: sentAt, message: { id, text: "an event", sentAt, position } };
    expect(await events.next()).toEqual(event);
    await alice.send("another");
    expect((await bob.subscribe(query, { after: [position] }).next()).message.text).toBe("another");
    expect(await bob.follow({ after: [(await bob.subscribe(query, { after: [start] }).next()).position] }).texts(1)).toEqual(["another"]);
  });
});

describe("a subscription to all rooms", () => {
  it("[D1] covers only the user's rooms, and those opened later from their beginning", async () => {
    const carol = await TestClient.register(one, "carol");
    const eve = await TestClient.register(two, "eve");
    const followed = carol.follow({ after: [await carol.position()] });
    const { openPrivateRoom: withBob } = await bob.ask(openRoom, { id: carol.id });
    const { openPrivateRoom: elsewhere } = await bob.ask(openRoom, { id: eve.id });
    await bob.send("not for carol", elsewhere.id);
    await bob.send("to carol", withBob.id);
    await bob.send("to all");
    const arrived = [await followed.next(), await followed.next()];
    expect(arrived.map(({ text, roomId }) => [roomId, text]).sort()).toEqual([
      ["0", "to all"],
      [withBob.id, "to carol"],
    ]);
  });

  it("[D1] adds a room that was opened while the server's connection was down", async () => {
    const fred = await TestClient.register(one, "fred");
    const followed = fred.follow({ after: [await fred.position()] });
    await alice.send("here we go");
    expect(await followed.texts(1)).toEqual(["here we go"]);
    // Writes what opening the room writes, without the announcement, which would be lost anyway.
    const id = `${alice.id}:${fred.id}`;
    for (const user of [alice, fred]) await redis.client.sadd(`user:${user.id}:rooms`, id);
    await alice.send("not heard of", id);
    await redis.client.call("CLIENT", "KILL", "TYPE", "pubsub");
    expect(await followed.texts(1)).toEqual(["not heard of"]);
  });

  it("[D1] does not skip missed messages when the room is opened again", async () => {
    const gina = await TestClient.register(one, "gina");
    const { openPrivateRoom: room } = await gina.ask(openRoom, { id: alice.id });
    await alice.send("missed", room.id);
    const followed = gina.follow({ after: [room.position] });
    await Promise.all(Array.from({ length: 5 }, () => alice.ask(openRoom, { id: gina.id })));
    expect(await followed.texts(1)).toEqual(["missed"]);
  });

  it("[D1] continues each room from its own position", async () => {
    const dave = await TestClient.register(one, "dave");
    const { openPrivateRoom: room } = await dave.ask(openRoom, { id: alice.id });
    const general = await dave.position();
    await alice.send("missed in general");
    await alice.send("missed in private", room.id);
    const followed = dave.follow({ after: [general, room.position] });
    const arrived = [await followed.next(), await followed.next()].map(({ text }) => text);
    expect(arrived.sort()).toEqual(["missed in general", "missed in private"]);
  });
});

/** The sequence number in a position. Clients treat positions as opaque; this test looks inside. */
function seqOf(position: string): number {
  return Number(Buffer.from(position, "base64url").toString().split(".")[1]);
}
