import { describe, expect, it } from "vitest";
import { TestClient } from "./helpers/client.js";
import { proxyTo } from "./helpers/proxy.js";
import { ownRedis } from "./helpers/redis.js";
import { ownServer } from "./helpers/server.js";

const redis = await ownRedis();
const near = await ownServer(redis.url);

describe("Redis goes away and comes back", () => {
  it("[O3] calls fail with UNAVAILABLE, sockets stay, and subscriptions go on with nothing lost", async () => {
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
      expect(error.extensions).toEqual({ code: "UNAVAILABLE", retryable: true });
      expect(error.message).toMatch(/Redis does not answer/);
      const overSocket = await bob
        .subscribe("{ rooms { id } }")
        .result()
        .catch((errors) => ({ errors }));
      expect(overSocket.errors).toMatchObject([{ extensions: { code: "UNAVAILABLE", retryable: true } }]);
      expect((await new TestClient(far.url).ask("{ server { redis } }")).server).toEqual({ redis: false });
      for (const text of ["while", "you", "were", "away"]) await alice.send(text);

      proxy.comeBack();
      expect(await followed.texts(4)).toEqual(["while", "you", "were", "away"]);
      await expect.poll(async () => (await bob.request('mutation { send(roomId: "0", text: "back") { id } }')).data).toBeTruthy();
      expect(await followed.texts(1)).toEqual(["back"]);
    } finally {
      proxy.comeBack();
      await far.stop();
      await proxy.stop();
    }
  });

  it("[M2] a send whose connection was cut is not run again behind the client's back; repeating it stores it once", async () => {
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

  it("[O1] a socket that asks to be accepted while Redis is away is told to try later", async () => {
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
