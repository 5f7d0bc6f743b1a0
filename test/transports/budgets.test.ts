import { user } from "../helpers/ids.js";
import "reflect-metadata"; // for the modules loaded here
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Budgets } from "../../src/transports/gate/budgets.js";
import { Turns } from "../../src/util/turns.js";
import { TestClient } from "../helpers/client.js";
import { RawSocket } from "../helpers/raw-socket.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const LIMITED = { rateLimits: true, sendsPerSecond: 1_000, sendBurst: 10_000, proxies: 1 };
const server = await ownServer(redis.url, LIMITED);
const LONG = "x".repeat(4_000); // the longest text

/** A document that is different for each number and takes long to validate. */
const expensive = (n: number) => {
  const names = Array.from({ length: 60 }, (_, m) => `f${m}`);
  return `query q${n} { me { ${names.map((name) => `...${name}`).join(" ")} } } ${names.map((name) => `fragment ${name} on User { id }`).join(" ")}`;
};

const from = (address: string) => ({ headers: { "x-forwarded-for": address } });

async function ask(query: string, { address, token }: { address: string; token?: string }) {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-forwarded-for": address, ...authorization },
    body: JSON.stringify({ query }),
  });
  return { status: response.status, headers: response.headers, ...((await response.json()) as { errors?: { extensions: object }[] }) };
}

describe("the server time that a client uses", () => {
  it("[LIMIT8] is charged to its user, or to its connection without a session, and to its address", () => {
    const budgets = new Budgets(true);
    const [one, another] = [{}, {}];
    const ann = budgets.payerOf(user("1"), "203.0.113.1", one);
    ann.charge(1_500);
    expect(ann.wait).toBeGreaterThan(0);
    expect(budgets.payerOf(user("1"), "203.0.113.2", another).wait).toBeGreaterThan(0); // from any address
    expect(budgets.payerOf(user("2"), "203.0.113.1", one).wait).toBe(0);
    budgets.payerOf(user("2"), "203.0.113.1", one).charge(2_600);
    expect(budgets.payerOf(user("3"), "203.0.113.1", one).wait).toBeGreaterThan(0); // all users of the address together
    expect(budgets.payerOf(undefined, "203.0.113.1", one).wait).toBe(0); // so that others can log in

    budgets.payerOf(undefined, "203.0.113.1", one).charge(300);
    expect(budgets.payerOf(undefined, "203.0.113.1", one).wait).toBeGreaterThan(0);
    expect(budgets.payerOf(undefined, "203.0.113.1", another).wait).toBe(0);
    budgets.payerOf(undefined, "203.0.113.1", another).charge(900);
    expect(budgets.payerOf(undefined, "203.0.113.1", {}).wait).toBeGreaterThan(0);
    expect(budgets.payerOf(undefined, undefined, {}).wait).toBe(0);

    // A proxy's connection carries the requests of all its clients.
    budgets.payerOf(undefined, "203.0.113.5", undefined).charge(2_000);
    expect(budgets.payerOf(undefined, "203.0.113.5", undefined).wait).toBeGreaterThan(0);
    expect(budgets.payerOf(undefined, "203.0.113.6", undefined).wait).toBe(0);
  });

  it("[LIMIT8] is waited for only as long as the operation may wait, also behind one that may wait longer", async () => {
    const budgets = new Budgets(true);
    const ann = budgets.payerOf(user("1"), "203.0.113.1", {});
    ann.charge(5_000);
    const first = ann.enter(Number.POSITIVE_INFINITY);
    const second = budgets.payerOf(user("1"), "203.0.113.1", undefined).enter(20);
    await expect(Promise.race([first, second])).rejects.toMatchObject({ code: "RATE_LIMITED" });
  });

  it("[LIMIT8] is owed by an address without holding up its users at other addresses", async () => {
    const budgets = new Budgets(true);
    budgets.payerOf(user("2"), "203.0.113.1", {}).charge(100_000);
    const there = budgets.payerOf(user("1"), "203.0.113.1", {}).enter(Number.POSITIVE_INFINITY);
    const here = budgets.payerOf(user("1"), "203.0.113.2", {}).enter(1_000);
    expect(await Promise.race([there.then(() => "there"), here.then(() => "here")])).toBe("here");
  });

  it("[LIMIT8] is remembered while it is owed, and while a connection exists", () => {
    const budgets = new Budgets(true);
    const held = budgets.payerOf(user("held"), undefined, {});
    budgets.payerOf(user("owes"), undefined, {}).charge(5_000);
    for (let n = 0; n < 5_000; n++) budgets.payerOf(user(`user ${n}`), undefined, {});
    expect(budgets.payerOf(user("owes"), undefined, {}).wait).toBeGreaterThan(0);
    held.charge(5_000);
    expect(budgets.payerOf(user("held"), undefined, {}).wait).toBeGreaterThan(0);
  });

  it("[LIMIT8] costs more if others had to wait for it in one piece", () => {
    const budgets = new Budgets(true);
    const [short, long] = [budgets.payerOf(user("short"), undefined, {}), budgets.payerOf(user("long"), undefined, {})];
    const work = (ms: number) => () => {
      for (const until = performance.now() + ms; performance.now() < until; );
    };
    for (let n = 0; n < 100; n++) short.pay(work(1), 1);
    long.pay(work(100), 100);
    const crowded = budgets.payerOf(user("crowded"), undefined, {});
    crowded.pay(work(100), 2);
    expect(crowded.wait).toBe(0);
    expect(short.wait).toBe(0);
    expect(long.wait).toBeGreaterThan(0);
  });

  it("[LIMIT8] is charged for one subscription before the user's next one resumes", async () => {
    const budgets = new Budgets(true);
    const payers = [budgets.payerOf(user("ann"), "203.0.113.1", {}), budgets.payerOf(user("ann"), "203.0.113.2", {})] as const;
    payers[0].charge(1_001);
    const resumed: number[] = [];
    const waits = new Set<number>();
    let [uncharged, mostUncharged] = [0, 0];
    for (let n = 0; n < 100; n++) {
      const payer = payers[n % 2] as (typeof payers)[0];
      payer.resumeInTurn(() => {
        resumed.push(n);
        waits.add(payer.wait);
        mostUncharged = Math.max(mostUncharged, ++uncharged);
        // What it reads is charged once Redis has answered.
        setImmediate().then(() => {
          uncharged--;
          payer.charge(5);
        });
      });
    }
    await expect.poll(() => resumed.length).toBeGreaterThanOrEqual(3);
    expect([...waits]).toEqual([0]); // each only when the balance is positive
    expect(mostUncharged).toBeLessThan(20); // never all at once
    for (const address of [0, 1]) {
      const ofAddress = resumed.filter((n) => n % 2 === address);
      expect(ofAddress).toEqual(ofAddress.toSorted((one, other) => one - other));
    }
  });

  it("[LIMIT8] is spent in pieces and in order, so that other work runs in between", async () => {
    const turns = new Turns(2);
    const done: number[] = [];
    const turnsOfOthers: number[] = [];
    let waiting = true;
    const others = (async () => {
      while (waiting) {
        await setImmediate();
        turnsOfOthers.push(done.length);
      }
    })();
    const piece = (n: number) => () => {
      for (const until = performance.now() + 3; performance.now() < until; );
      done.push(n);
    };
    await Promise.all(Array.from({ length: 20 }, (_, n) => turns.run(piece(n))));
    waiting = false;
    await others;
    expect(done).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(turnsOfOthers.filter((count) => count > 0 && count < 20).length).toBeGreaterThanOrEqual(15);
    await expect(turns.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  it("[LIMIT8] is limited without a session, too: HTTP gets 429, and other clients are answered", async () => {
    const address = "203.0.113.10";
    const answers = await Promise.all(Array.from({ length: 300 }, (_, n) => ask(expensive(n), { address })));
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.errors).toMatchObject([{ extensions: { code: "RATE_LIMITED", retryable: true } }]);
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(refused?.errors).toMatchObject([{ extensions: { retryAfter: Number(refused?.headers.get("retry-after")) } }]);
    expect((await ask("{ server { version } }", { address: "203.0.113.11" })).status).toBe(200);
  });

  it("[LIMIT8] is limited over a socket, which is paused and not cut; operations begin in order", async () => {
    const greedy = await RawSocket.accepted(server, undefined, from("203.0.113.20"));
    const other = await RawSocket.accepted(server, undefined, from("203.0.113.21"));
    const ids = Array.from({ length: 200 }, (_, n) => String(n));
    for (const id of ids) await greedy.subscribe(id, expensive(Number(id)));
    await greedy.subscribe("last", "{ __typename }");
    const answeredTo = ({ heard }: RawSocket) => heard.flatMap(({ type, id }) => (type === "complete" ? [id] : []));
    while (answeredTo(greedy).length === 0) await greedy.next();
    for (let n = 0; n < 20; n++) {
      await other.subscribe(String(n), "{ server { version } }");
      expect(await other.codes(String(n))).toEqual([]);
    }
    const soFar = answeredTo(greedy);
    expect(soFar).toEqual(ids.slice(0, soFar.length));
    expect(soFar.length).toBeLessThan(ids.length);
    expect(greedy.socket.readyState).toBe(greedy.socket.OPEN);
  });
});

describe("an answer", () => {
  it("[LIMIT5] is replaced by an error if it is larger than allowed", async () => {
    const ann = await TestClient.register(server, "ann");
    for (let n = 0; n < 60; n++) await ann.send(LONG);
    const texts = (count: number) => Array.from({ length: count }, (_, n) => `t${n}: text`).join(" ");
    const page = (count: number) => `messages(roomId: "0", last: 60) { nodes { ${texts(count)} } }`;
    expect((await ann.request(`{ ${page(10)} }`)).errors).toBeUndefined();
    const { data, errors } = await ann.request(`{ ${page(20)} }`);
    expect(data).toBeNull();
    expect(errors).toMatchObject([{ message: expect.stringContaining("larger than"), extensions: { code: "QUERY_TOO_COMPLEX" } }]);
    const { message } = await ann.refused(
      `mutation { send(roomId: "0", text: "done") { room { ${page(20).replace('roomId: "0", ', "")} } } }`,
    );
    expect(message).toContain("has been carried out");
    expect((await ann.ask('{ messages(roomId: "0", last: 1) { nodes { text } } }')).messages.nodes).toEqual([{ text: "done" }]);

    const event = `subscription { messageAdded(after: "${await ann.position()}") { room { ${page(20).replace('roomId: "0", ', "")} } } }`;
    const stream = ann.subscribe(event);
    await ann.send("an event", "0");
    expect((await stream.result()).errors).toMatchObject([{ extensions: { code: "QUERY_TOO_COMPLEX" } }]);
  });
});

describe("operations in progress", () => {
  const LARGEST = { values: 10_000, texts: 2_000 };
  const SMALL = { values: 10, texts: 1 };
  const isSettled = async (work: Promise<unknown>) => {
    let settled = false;
    void work.finally(() => {
      settled = true;
    });
    await setImmediate();
    return settled;
  };

  it("[LIMIT9] are limited to one largest answer per user until it is read; small ones do not wait", async () => {
    const ann = new Budgets(true).payerOf(user("ann"), undefined, {});
    const first = await ann.reserve(LARGEST, Number.POSITIVE_INFINITY);
    const second = ann.reserve(LARGEST, Number.POSITIVE_INFINITY);
    expect(await isSettled(second)).toBe(false);
    first.shrink({ values: 9_000, texts: 1_500 }); // it turned out to be smaller
    (await ann.reserve(SMALL, 0)).release();
    expect(await isSettled(second)).toBe(false);
    await expect(ann.reserve(LARGEST, 0)).rejects.toMatchObject({ extensions: { code: "RATE_LIMITED" } });
    first.release();
    first.release(); // a second call changes nothing
    const held = await second;
    expect(await isSettled(ann.reserve(LARGEST, Number.POSITIVE_INFINITY))).toBe(false);
    held.release();
  });

  it("[LIMIT8] do not begin if their client is gone", async () => {
    const budgets = new Budgets(true);
    const ann = budgets.payerOf(user("ann"), undefined, {});
    let gone = false;
    ann.charge(1_050); // regained within a second
    const waiting = ann.enter(Number.POSITIVE_INFINITY, () => gone);
    const next = ann.enter(Number.POSITIVE_INFINITY);
    gone = true;
    await expect(waiting).rejects.toMatchObject({ extensions: { code: "UNAVAILABLE" } });
    await next; // operations behind it still begin
    ann.leave();
    await expect(ann.reserve(SMALL, Number.POSITIVE_INFINITY, () => true)).rejects.toMatchObject({ extensions: { code: "UNAVAILABLE" } });
    (await ann.reserve(LARGEST, 0)).release();
  });

  it("[LIMIT9] are limited to four largest answers per address", async () => {
    const budgets = new Budgets(true);
    const payers = ["ann", "ben", "cid", "eve", "fay"].map((id) => budgets.payerOf(user(id), "203.0.113.1", {}));
    const elsewhere = budgets.payerOf(user("dan"), "203.0.113.2", {});
    const [one] = await Promise.all(payers.slice(0, 4).map((payer) => payer.reserve(LARGEST, 0)));
    const fifth = (payers[4] as (typeof payers)[0]).reserve(LARGEST, Number.POSITIVE_INFINITY);
    expect(await isSettled(fifth)).toBe(false);
    await elsewhere.reserve(LARGEST, 0);
    one?.release();
    await fifth;
  });
});

describe("a member's writes", () => {
  it("[LIMIT1] are limited, and moves of the read marker separately from messages", async () => {
    const strict = await ownServer(redis.url, { rateLimits: true, sendsPerSecond: 1, sendBurst: 2 });
    const cid = await TestClient.register(strict, "cid");
    const { id } = await TestClient.register(server, "dan").then((dan) => dan.send("read me"));
    const codes = async (query: string) => {
      const results = await Promise.all(Array.from({ length: 10 }, () => cid.request(query)));
      return results.flatMap(({ errors }) => errors ?? []).map(({ extensions }) => extensions.code);
    };
    expect(await codes(`mutation { markRead(messageId: "${id}") { id } }`)).toContain("RATE_LIMITED");
    const sent = await cid.send("all the same");
    expect(await codes(`mutation { deleteMessage(id: "${sent.id}") }`)).toContain("RATE_LIMITED");
  });
});
