import { describe, expect, it } from "vitest";
import { TestClient } from "./helpers/client.js";
import { demoApps } from "./helpers/demo-apps.js";
import { ownRedis } from "./helpers/redis.js";
import { ownServer } from "./helpers/server.js";

const redis = await ownRedis();
const server = await ownServer(redis.url);
const alice = await TestClient.register(server, "alice");

const query = `query ($r: ID!, $c: String) {
  messages(roomId: $r, first: 3, after: $c) { nodes { id text sentAt from { id username } } pageInfo { hasNextPage endCursor } }
}`;

async function historyOf(roomId: string) {
  const all: { id: string; text: string; sentAt: string; from: { id: string; username: string } }[] = [];
  for (let cursor: string | null = null; ; ) {
    const { messages } = await alice.ask(query, { r: roomId, c: cursor });
    all.push(...messages.nodes);
    if (!messages.pageInfo.hasNextPage) return all;
    cursor = messages.pageInfo.endCursor;
  }
}

describe("history that the demo apps wrote", () => {
  const texts = ["Hello!", 'it\'s <b>bold</b> & "quoted"', "a < b && b > c", "Grüße, 世界 👋🏽", "back\\slash \n new line"];
  const date = 1_795_325_003;

  it.each(Object.keys(demoApps))(
    "[I1] %s: texts are shown as they were typed, whoever `from` is, at their time, in order",
    async (name) => {
      const write = demoApps[name] as (typeof demoApps)[string];
      const roomId = `wrote-${Object.keys(demoApps).indexOf(name)}`;
      await redis.client.set(`room:${roomId}:name`, name);
      for (const [n, text] of texts.entries()) {
        const from = n % 2 ? Number(alice.id) : alice.id;
        const seeded = name.includes("seeded") ? 0.422_130_6 : 0; // their dates have fractions
        const { member, score } = write({ roomId, from, text, date: date + n + seeded });
        await redis.client.zadd(`room:${roomId}`, score, member);
      }
      const history = await historyOf(roomId);
      expect(history.map(({ text }) => text)).toEqual(texts);
      expect(history.map(({ sentAt }) => Math.floor(Date.parse(sentAt) / 1_000))).toEqual(texts.map((_, n) => date + n));
      expect(new Set(history.map(({ from }) => from.username))).toEqual(new Set([alice.username]));
      expect(new Set(history.map(({ id }) => id)).size).toBe(texts.length);
    },
  );

  it("[I1] what another app meant by its escapes does not change what Palaver's own messages say", async () => {
    await redis.client.set("room:own:name", "Own");
    const typed = ["&lt;b&gt; &amp; &#39;", "&lt &gt", "&amp;lt;"];
    for (const text of typed) await alice.send(text, "own");
    expect((await historyOf("own")).map(({ text }) => text)).toEqual(typed);
  });

  it("[I1] milliseconds, fractions and numeric strings are dates; what is no message is left out", async () => {
    await redis.client.set("room:odd:name", "Odd");
    const odd: [number, string][] = [
      [date, `{"from":"${alice.id}","date":"${date}","message":"a string","roomId":"odd"}`],
      [date + 1.661_809_9, `{"from":${alice.id},"date":${date + 1.66181},"message":"a fraction","roomId":"odd"}`],
      [date + 2, "no JSON"],
      [date + 3, "null"],
      [date + 4, '["a list"]'],
      [date + 5, '{"message":"nobody said this"}'],
      [date + 6, `{"from":"${alice.id}","message":{"text":"no string"}}`],
      [(date + 7) * 1_000, `{"from":"${alice.id}","date":${(date + 7) * 1_000},"message":"milliseconds","roomId":"odd"}`],
    ];
    for (const [score, member] of odd) await redis.client.zadd("room:odd", score, member);
    const history = await historyOf("odd");
    expect(history.map(({ text }) => text)).toEqual(["a string", "a fraction", "milliseconds"]);
    expect(history.map(({ sentAt }) => Math.floor(Date.parse(sentAt) / 1_000))).toEqual([date, date + 1, date + 7]);
  });
});
