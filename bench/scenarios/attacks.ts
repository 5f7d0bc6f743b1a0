import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "graphql-ws";
import { Redis } from "ioredis";
import { WebSocket } from "ws";
import { asOurs } from "../../src/messages/ours.js";
import type { Attack, Attacked } from "../attackers.js";
import { ask, end, residentOf, startAttackers, startPalaver } from "../processes.js";
import { printTable, type Row } from "../table.js";

const SECONDS = Number(process.env.SECONDS ?? 60); // per attack
const PAUSE = 150; // ms between two sends of the victim: more than the send limit requires in the long run
const LONG = "x".repeat(4_000); // the longest text
const ATTACKER = "203.0.113.1"; // the address of the one who prepares the attacks
const MENTIONING = "@Pablo ".repeat(500);

const times = (count: number, field: string) => Array.from({ length: count }, (_, n) => `a${n}: ${field}`).join(" ");
const fragments = Array.from({ length: 60 }, (_, n) => `f${n}`);
const DOCUMENT = `query q%n { me { ${fragments.map((name) => `...${name}`).join(" ")} } } ${fragments.map((name) => `fragment ${name} on User { id }`).join(" ")}`;

type Kind = Omit<Attack, "url" | "tokens" | "address" | "seconds"> & { strangers?: true };

/** Measures one user's sends during attacks of all known kinds. */
export async function attacks(): Promise<void> {
  const settings = ["--rate-limits", "on", "--proxies", "1", "--sockets-per-user", "20", "--sends-per-second", "20"];
  // A heap as in a small container: without a limit, Node collects no garbage until it has used gigabytes.
  const palaver = await startPalaver(undefined, settings, ["--max-old-space-size=192"]);
  const redis = new Redis(palaver.redisUrl);
  const call = async (query: string, token: string | undefined, address: string) => {
    const headers = { "content-type": "application/json", "x-forwarded-for": address, ...(token && { authorization: `Bearer ${token}` }) };
    const response = await fetch(palaver.url, { method: "POST", headers, body: JSON.stringify({ query }) });
    // biome-ignore lint/suspicious/noExplicitAny: the result depends on the operation
    return ((await response.json()) as { data: any }).data;
  };
  const register = async (username: string, address: string): Promise<{ token: string; id: string }> => {
    const { register: made } = await call(
      `mutation { register(username: "${username}", password: "a good password") { token user { id } } }`,
      undefined,
      address,
    );
    return { token: made.token, id: made.user.id };
  };

  const victim = await register("victim", "198.51.100.1");
  const attacker = await register("attacker", ATTACKER);
  await fill(200, (n) => (n % 2 ? LONG : MENTIONING));
  const message = (await call('mutation { send(roomId: "0", text: "much liked") { id } }', attacker.token, ATTACKER)).send.id as string;
  const likers = Array.from({ length: 10_000 }, (_, n) => String(n + 1_000));
  await redis.hset(
    "reactions:{room:0}",
    message,
    JSON.stringify([["👍", likers.length, likers.slice(0, 100)]]),
    `${message} 👍`,
    likers.join(" "),
  );

  const newest = (await call('{ messages(roomId: "0", last: 1) { position pageInfo { startCursor } } }', attacker.token, ATTACKER))
    .messages;
  const { position: after, pageInfo } = newest;
  await crowd(100, 50);
  const long = pageInfo.startCursor; // the long messages are before it
  const texts = `{ messages(roomId: "0", last: 100, before: "${long}") { nodes { ${times(10, "text")} } } }`;
  const kinds: Record<string, Kind> = {
    "long texts under many aliases, answers not read": { sockets: 20, query: texts, atOnce: 8, reads: false },
    "long texts under many aliases, answers read": { sockets: 20, query: texts, atOnce: 8, reads: true },
    "ids of long messages under many aliases": {
      sockets: 20,
      query: `{ ${times(17, `messages(roomId: "0", last: 100, before: "${long}") { nodes { id } }`)} }`,
      atOnce: 8,
      reads: true,
    },
    "mentions in long texts": {
      sockets: 20,
      query: `{ messages(roomId: "0", last: 100, before: "${long}") { nodes { mentionRanges { start } } } }`,
      atOnce: 8,
      reads: true,
    },
    "slow documents, without a session": { sockets: 50, query: DOCUMENT, atOnce: 50, reads: true, strangers: true },
    "introspection, without a session": {
      sockets: 50,
      query: `query q%n { ${times(4, "__schema { types { name fields { name type { name kind } args { name } } } }")} }`,
      atOnce: 50,
      reads: true,
      strangers: true,
    },
    "positions of 46,000 characters": {
      sockets: 10,
      query: "subscription ($after: [String!]) { messageAdded(after: $after) { id } }",
      variables: { after: [Buffer.from(`${"a".repeat(46_000)}.1.1.0`).toString("base64url")] },
      atOnce: 200,
      reads: true,
      follows: true,
    },
    "frames of 60,000 characters": { sockets: 20, query: "{ me { id } }", variables: { x: "x".repeat(60_000) }, atOnce: 100, reads: true },
    "moves of the read marker": {
      sockets: 5,
      query: `mutation { ${times(15, `markRead(messageId: "${message}") { id }`)} }`,
      atOnce: 10,
      reads: true,
    },
    "501 rooms of a user, under many aliases": {
      sockets: 20,
      query: `{ ${times(30, "rooms(first: 100) { nodes { id } }")} }`,
      atOnce: 8,
      reads: true,
    },
    "mentions of a user with 501 rooms": {
      sockets: 20,
      query: `{ ${times(8, "mentions(first: 0) { pageInfo { hasNextPage } }")} }`,
      atOnce: 8,
      reads: true,
    },
    "a reaction by 10,001 users": {
      sockets: 5,
      query: `mutation { ${times(15, `react(messageId: "${message}", emoji: "👍") { id }`)} }`,
      atOnce: 10,
      reads: true,
    },
    "events with 2,000 values in each of many subscriptions": {
      sockets: 20,
      query: `subscription { messageAdded { a%n: room { ${times(4, "members(first: 100) { nodes { user { id name username } } }")} } } }`,
      atOnce: 3,
      reads: true,
      follows: true,
    },
    "repeated replays of past events": {
      sockets: 20,
      query: `subscription { messageAdded(after: "${after}", includeOwn: false) { id a%n: id } }`,
      atOnce: 5,
      reads: true,
      follows: true,
    },
  };

  const rows: Row[] = [];
  const measure = async (name: string, kind?: Kind) => {
    const { latencies, stop } = writeAs(victim.token);
    let rss = 0;
    const sampling = setInterval(async () => {
      rss = Math.max(rss, await residentOf(palaver));
    }, 200);
    const result = kind ? await attack(kind) : await delay(SECONDS * 1_000, { answered: 0, refused: {}, closed: 0 } as Attacked);
    clearInterval(sampling);
    await stop();
    latencies.sort((one, other) => one - other);
    const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? Number.NaN;
    rows.push({
      name,
      sends: latencies.length,
      "p50 ms": at(0.5),
      "p99 ms": at(0.99),
      "worst ms": at(1),
      "resident MB": rss / 1e6,
      answered: result.answered,
      refused: Object.entries(result.refused)
        .map(([code, count]) => `${count} ${code}`)
        .join(", "),
      closed: result.closed,
    });
    printTable(`attacks: ${name}`, rows.slice(-1));
  };
  await measure("idle");
  for (const [name, kind] of Object.entries(kinds)) {
    if (process.env.ONLY && !process.env.ONLY.split(",").some((part) => name.includes(part))) continue;
    await measure(name, kind);
  }
  await measure("idle again");
  redis.disconnect();
  printTable(`attacks: one user's sends during each attack of ${SECONDS} s`, rows);

  async function attack({ strangers, ...kind }: Kind): Promise<Attacked> {
    const child = startAttackers();
    // Nothing is owed for the attack before, and all of what may be used at once is left.
    const address = `203.0.113.${rows.length + 1}`;
    const { token, id } = await register(`attacker${rows.length}`, address);
    await redis.sadd(`user:${id}:rooms`, ...Array.from({ length: 500 }, (_, n) => `${id}:${10_000 + n}`));
    const result = await ask<Attacked>(child, { ...kind, url: palaver.url, tokens: strangers ? [] : [token], address, seconds: SECONDS });
    await end(child);
    return result;
  }

  /** Fills the log of General with events from many users, because each user may send only some at once. */
  async function crowd(people: number, messages: number): Promise<void> {
    for (let n = 0; n < people; n++) {
      const address = `198.51.100.${n + 2}`;
      const { token } = await register(`crowd${n}`, address);
      const send = (m: number) => call(`mutation { send(roomId: "0", text: "message ${m}") { id } }`, token, address);
      await Promise.all(Array.from({ length: messages }, (_, m) => send(m)));
    }
  }

  /** Adds past messages in Palaver's format. */
  async function fill(count: number, textOf: (n: number) => string): Promise<void> {
    const start = Date.now() * 1_000 - 60e6; // µs
    for (let n = 0; n < count; n++) {
      const at = start + n * 10_000;
      const fields = { from: attacker.id, date: Math.floor(at / 1e6), message: textOf(n), roomId: "0", id: `0/${at}`, mentions: ["1"] };
      await redis.zadd("room:0", `${Math.floor(at / 1e6)}.${String(at % 1e6).padStart(6, "0")}`, asOurs(fields));
    }
  }

  function writeAs(token: string) {
    const latencies: number[] = [];
    const client = createClient({
      url: palaver.url.replace(/^http/, "ws"),
      webSocketImpl: class extends WebSocket {
        constructor(url: string, protocol: string) {
          super(url, protocol, { headers: { "x-forwarded-for": "198.51.100.1" } });
        }
      },
      connectionParams: { authorization: `Bearer ${token}` },
      lazy: false,
    });
    let going = true;
    const writing = (async () => {
      while (going) {
        const began = performance.now();
        await new Promise<void>((resolve, reject) =>
          client.subscribe(
            { query: 'mutation { send(roomId: "0", text: "hello") { id } }' },
            { next: ({ errors }) => errors && reject(new Error(JSON.stringify(errors))), error: reject, complete: resolve },
          ),
        );
        latencies.push(performance.now() - began);
        await delay(PAUSE);
      }
    })();
    return {
      latencies,
      async stop() {
        going = false;
        await writing;
        await client.dispose();
      },
    };
  }
}
