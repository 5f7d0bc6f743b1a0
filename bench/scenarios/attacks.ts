import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "graphql-ws";
import { Redis } from "ioredis";
import { WebSocket } from "ws";
import type { Attack, Attacked } from "../attackers.js";
import { ask, end, residentOf, startAttackers, startPalaver } from "../processes.js";
import { printTable, type Row } from "../table.js";

const SECONDS = Number(process.env.SECONDS ?? 60); // of each attack
const PAUSE = 150; // ms between two sends of the victim: less often than the send limit allows in the long run
const LONG = "x".repeat(4_000); // the longest text
const MENTIONING = "@Pablo ".repeat(500);

const times = (count: number, field: string) => Array.from({ length: count }, (_, n) => `a${n}: ${field}`).join(" ");
const fragments = Array.from({ length: 90 }, (_, n) => `f${n}`);
const DOCUMENT = `query q%n { me { ${fragments.map((name) => `...${name}`).join(" ")} } } ${fragments.map((name) => `fragment ${name} on User { id }`).join(" ")}`;

type Kind = Omit<Attack, "url" | "tokens" | "address" | "seconds"> & { strangers?: true; attackers?: number };

/** One person's sends beside attacks of all kinds that others found, and that we did. */
export async function attacks(): Promise<void> {
  const settings = ["--rate-limits", "on", "--proxies", "1", "--sockets-per-user", "20", "--sends-per-second", "20"];
  // A heap as a small container has it: else Node collects nothing before it has taken gigabytes.
  const palaver = await startPalaver(undefined, settings, ["--max-old-space-size=192"]);
  const redis = new Redis(palaver.redisUrl);
  const call = async (query: string, token: string | undefined, address: string) => {
    const headers = { "content-type": "application/json", "x-forwarded-for": address, ...(token && { authorization: `Bearer ${token}` }) };
    const response = await fetch(palaver.url, { method: "POST", headers, body: JSON.stringify({ query }) });
    // biome-ignore lint/suspicious/noExplicitAny: whatever the operation's result looks like
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
  const attackers = await Promise.all(Array.from({ length: 3 }, (_, n) => register(`attacker${n}`, `203.0.113.${n}`)));
  const [first] = attackers as [{ token: string; id: string }];
  await fill(200, (n) => (n % 2 ? LONG : MENTIONING));
  const rooms = Array.from({ length: 500 }, (_, n) => `${first.id}:${10_000 + n}`);
  for (const { id } of attackers) await redis.sadd(`user:${id}:rooms`, ...rooms.map((room) => room.replace(/^\d+/, id)));
  const message = (await call('mutation { send(roomId: "0", text: "much liked") { id } }', first.token, "203.0.113.0")).send.id as string;
  const likers = Array.from({ length: 10_000 }, (_, n) => String(n + 1_000));
  await redis.hset(
    "reactions:{room:0}",
    message,
    JSON.stringify([["👍", likers.length, likers.slice(0, 100)]]),
    `${message} 👍`,
    likers.join(" "),
  );

  const page = (count: number) => `messages(roomId: "0", last: 100, before: "%c") { nodes { ${times(count, "text")} } }`;
  const long = (await call('{ messages(roomId: "0", last: 1) { pageInfo { startCursor } } }', first.token, "203.0.113.0")).messages.pageInfo
    .startCursor;
  const pageOf = (count: number) => page(count).replace("%c", long);
  const after = (await call('{ messages(roomId: "0", last: 1) { position } }', first.token, "203.0.113.0")).messages.position as string;
  const kinds: Record<string, Kind> = {
    "long texts under many aliases, unread": { sockets: 20, query: `{ ${pageOf(10)} }`, atOnce: 8, reads: false },
    "the same, read": { sockets: 20, query: `{ ${pageOf(10)} }`, atOnce: 8, reads: true },
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
    "documents that take long to validate, by strangers": { sockets: 50, query: DOCUMENT, atOnce: 50, reads: true, strangers: true },
    "the schema, by strangers": {
      sockets: 50,
      query: `query q%n { ${times(4, "__schema { types { name fields { name type { name kind } args { name } } } }")} }`,
      atOnce: 50,
      reads: true,
      strangers: true,
    },
    "positions of 46,000 digits": {
      sockets: 10,
      query: "subscription ($after: [String!]) { messageAdded(after: $after) { id } }",
      variables: { after: [Buffer.from(`${"a".repeat(46_000)}.1.1.0`).toString("base64url")] },
      atOnce: 200,
      reads: true,
      follows: true,
    },
    "frames of 60,000 characters": { sockets: 20, query: "{ me { id } }", variables: { x: "x".repeat(60_000) }, atOnce: 100, reads: true },
    "marks of what was read": {
      sockets: 5,
      query: `mutation { ${times(15, `markRead(messageId: "${message}") { id }`)} }`,
      atOnce: 10,
      reads: true,
    },
    "rooms of a user of 501 under aliases": {
      sockets: 20,
      query: `{ ${times(30, "rooms(first: 100) { nodes { id } }")} }`,
      atOnce: 8,
      reads: true,
    },
    "mentions of a user of 501 rooms": {
      sockets: 20,
      query: `{ ${times(8, "mentions(first: 0) { pageInfo { hasNextPage } }")} }`,
      atOnce: 8,
      reads: true,
    },
    "a reaction of 10,001 users": {
      sockets: 5,
      query: `mutation { ${times(15, `react(messageId: "${message}", emoji: "👍") { id }`)} }`,
      atOnce: 10,
      reads: true,
    },
    "events that bring 10,000 values to each of 20 sockets": {
      sockets: 20,
      query: `subscription { messageAdded { a%n: room { ${times(6, "members(first: 100) { nodes { user { id name username } } }")} } } }`,
      atOnce: 3,
      reads: true,
      follows: true,
    },
    "the past, again and again": {
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
    const processes = kind ? attackers.slice(0, kind.attackers ?? 1).map((attacker, n) => ({ child: startAttackers(), attacker, n })) : [];
    let rss = 0;
    const sampling = setInterval(async () => {
      rss = Math.max(rss, await residentOf(palaver));
    }, 200);
    const results = kind
      ? await Promise.all(
          processes.map(({ child, attacker, n }) => {
            const { strangers, attackers: _, ...attack } = kind;
            return ask<Attacked>(child, {
              ...attack,
              url: palaver.url,
              tokens: strangers ? [] : [attacker.token],
              address: `203.0.113.${n}`,
              seconds: SECONDS,
            });
          }),
        )
      : [await delay(SECONDS * 1_000, { answered: 0, refused: {}, closed: 0 } as Attacked)];
    clearInterval(sampling);
    await stop();
    for (const { child } of processes) await end(child);
    latencies.sort((one, other) => one - other);
    const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? Number.NaN;
    rows.push({
      name,
      sends: latencies.length,
      "p50 ms": at(0.5),
      "p99 ms": at(0.99),
      "worst ms": at(1),
      "resident MB": rss / 1e6,
      answered: results.reduce((sum, { answered }) => sum + answered, 0),
      refused: Object.entries(Object.assign({}, ...results.map(({ refused }) => refused)))
        .map(([code, count]) => `${count} ${code}`)
        .join(", "),
      closed: results.reduce((sum, { closed }) => sum + closed, 0),
    });
    printTable(`attacks: ${name}`, rows.slice(-1));
  };
  await measure("idle");
  for (const [name, kind] of Object.entries(kinds)) {
    if (process.env.ONLY && !name.includes(process.env.ONLY)) continue;
    await measure(name, kind);
  }
  await measure("idle again");
  redis.disconnect();
  printTable(`attacks: one person's sends beside each of them for ${SECONDS} s`, rows);

  /** Messages of the past, as Palaver stores them. */
  async function fill(count: number, textOf: (n: number) => string): Promise<void> {
    const start = Date.now() * 1_000 - 60e6; // µs
    for (let n = 0; n < count; n++) {
      const at = start + n * 10_000;
      const fields = { from: first.id, date: Math.floor(at / 1e6), message: textOf(n), roomId: "0", id: `0/${at}`, mentions: ["1"] };
      await redis.zadd(
        "room:0",
        `${Math.floor(at / 1e6)}.${String(at % 1e6).padStart(6, "0")}`,
        JSON.stringify(fields).replace(/\}$/, " }"),
      );
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
