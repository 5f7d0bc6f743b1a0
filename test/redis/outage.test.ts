import { describe, expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { proxyTo } from "../helpers/proxy.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";
import { acceptedSocket } from "../helpers/socket.js";

const redis = await ownRedis();
const near = await ownServer(redis.url);

describe("an outage of Redis", () => {
  it("[O3] fails calls with UNAVAILABLE; sockets stay open, and subscriptions continue without loss", async () => {
    const proxy = await proxyTo(redis.url);
    const far = await ownServer(proxy.url);
    try {
      const alice = await TestClient.register(near, "alice");
      const bob = await TestClient.register(far, "bob");
      const followed = bob.follow({ roomId: "0", after: [await bob.position()] });
      await alice.send("before");
      expect(await followed.texts(1)).toEqual(["before"]);

      proxy.goAway();
      await expect.poll(async () => (await (await fetch(`${far.url}/readyz`)).json()).ready).toBe(false);
      expect((await fetch(`${far.url}/readyz`)).status).toBe(503);
      expect((await fetch(`${far.url}/healthz`)).status).toBe(200);
      const error = await bob.refused('mutation { send(roomId: "0", text: "into the void") { id } }');
      expect(error.extensions).toEqual({ code: "UNAVAILABLE", retryable: true }); // the server could not even look up the session
      expect(error.message).toMatch(/Redis does not answer/);
      const { errors } = await bob.subscribe("{ rooms { nodes { id } } }").result();
      expect(errors).toMatchObject([{ extensions: { code: "UNAVAILABLE", retryable: true } }]);
      expect((await new TestClient(far.url).ask("{ server { redis } }")).server).toEqual({ redis: false });
      for (const text of ["while", "you", "were", "away"]) await alice.send(text);

      proxy.comeBack();
      expect(await followed.texts(4)).toEqual(["while", "you", "were", "away"]);
      await expect.poll(async () => (await bob.request('mutation { send(roomId: "0", text: "back") { id } }')).errors).toBeUndefined();
      expect(await followed.texts(1)).toEqual(["back"]);
    } finally {
      proxy.comeBack();
      await far.stop();
      await proxy.stop();
    }
  });

  it("[O4] ends a new subscription with an UNAVAILABLE result and `complete`, at any moment", async () => {
    const proxy = await proxyTo(redis.url);
    const far = await ownServer(proxy.url);
    try {
      const bob = await TestClient.register(far, "bob");
      const { token: other } = await TestClient.register(near, "other");
      let refused = 0;
      for (let bytes = 0; bytes < 4_000; bytes += bytes < 1_000 ? 97 : 499) {
        proxy.comeBack();
        await expect.poll(async () => (await fetch(`${far.url}/readyz`)).status).toBe(200);
        const { say, next, socket } = await acceptedSocket(far, bob.token);
        proxy.goAwayAfter(bytes);
        await say({ id: "1", type: "subscribe", payload: { query: "subscription { messageAdded { text } }" } });
        const extensions = { headers: { authorization: `Bearer ${other}` } };
        await say({ id: "2", type: "subscribe", payload: { query: "{ rooms { nodes { id } } }", extensions } });
        const frames: Record<string, unknown>[] = [];
        const isOver = (id: string) => frames.some((frame) => frame.id === id && ["complete", "error"].includes(String(frame.type)));
        while (!isOver("2")) frames.push((await next()) as Record<string, unknown>);
        expect(frames.filter(({ type }) => type === "error")).toEqual([]);
        for (const { payload } of frames.filter(({ type }) => type === "next")) {
          const errors = (payload as { errors?: unknown }).errors;
          if (errors) expect(errors).toMatchObject([{ extensions: { code: "UNAVAILABLE" } }]);
          if (errors) refused++;
        }
        socket.terminate();
        proxy.goAwayAfter(Number.POSITIVE_INFINITY);
      }
      expect(refused).toBeGreaterThan(5);
    } finally {
      proxy.comeBack();
      await far.stop();
      await proxy.stop();
    }
  });

  it("[M2] does not retry a cut send without the client; the client's retry stores it once", async () => {
    const proxy = await proxyTo(redis.url);
    const far = await ownServer(proxy.url);
    try {
      const bob = await TestClient.register(far, "bob");
      const sends = Array.from({ length: 200 }, (_, n) =>
        bob.request('mutation ($id: ID!) { send(roomId: "0", text: "cut", clientMessageId: $id) { id } }', { id: `${n}` }),
      );
      proxy.cut();
      const answers = await Promise.all(sends);
      const codes = answers.flatMap(({ errors }) => errors?.map(({ extensions }) => extensions.code) ?? []);
      expect(new Set(codes)).toEqual(new Set(codes.length > 0 ? ["UNAVAILABLE"] : []));
      for (let n = 0; n < 200; n++)
        await expect
          .poll(
            async () =>
              (await bob.request('mutation ($id: ID!) { send(roomId: "0", text: "cut", clientMessageId: $id) { id } }', { id: `${n}` }))
                .data,
          )
          .toBeTruthy();
      const stored = (await redis.client.zrangebyscore("room:0", "-inf", "+inf")).filter((member) => JSON.parse(member).message === "cut");
      expect(stored).toHaveLength(200);
    } finally {
      await far.stop();
      await proxy.stop();
    }
  });

  it("[O1] closes a new socket with 1013, try again later", async () => {
    const proxy = await proxyTo(redis.url);
    const far = await ownServer(proxy.url);
    try {
      const alice = await TestClient.register(near, "alice");
      proxy.goAway();
      await expect(alice.on(far).subscribe("{ me { id } }").next()).rejects.toMatchObject({ code: 1013 });
    } finally {
      proxy.comeBack();
      await far.stop();
      await proxy.stop();
    }
  });
});
