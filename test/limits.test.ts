import { describe, expect, it } from "vitest";
import { TestClient } from "./helpers/client.js";
import { RawSocket } from "./helpers/raw-socket.js";
import { ownRedis } from "./helpers/redis.js";
import { ownServer } from "./helpers/server.js";

const redis = await ownRedis();
const server = await ownServer(redis.url);

describe("how often a user sends", () => {
  const limited = { rateLimits: true, sendsPerSecond: 20, sendBurst: 10 };

  it("[LIMIT1] is bounded over all servers; what is too much says when it can be tried again, and passes then", async () => {
    const servers = [await ownServer(redis.url, limited), await ownServer(redis.url, limited)];
    const flooder = await TestClient.register(server, "flooder");
    const began = performance.now();
    let sent = 0;
    const refused: Record<string, unknown>[] = [];
    await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        const { errors } = await flooder
          .on(servers[n % 2] as { url: string })
          .request('mutation { send(roomId: "0", text: "flood") { id } }');
        if (errors) refused.push(...errors.map(({ extensions }) => extensions));
        else sent++;
      }),
    );
    const seconds = (performance.now() - began) / 1_000;
    const ahead = 2 * 2; // a portion of two on each server
    expect(sent).toBeGreaterThanOrEqual(10);
    expect(sent).toBeLessThanOrEqual(10 + Math.ceil(20 * seconds) + ahead);
    expect(refused).toEqual(refused.map(() => ({ code: "RATE_LIMITED", retryable: true, retryAfter: 1 })));

    const other = await TestClient.register(server, "patient");
    await other.on(servers[0] as { url: string }).send("not the one who floods");
    const again = () => flooder.on(servers[0] as { url: string }).request('mutation { send(roomId: "0", text: "later") { id } }');
    await expect.poll(async () => (await again()).errors).toBeUndefined();
  });

  it("[LIMIT1] is bounded over sockets as well, and can be left unbounded", async () => {
    const strict = await ownServer(redis.url, { rateLimits: true, sendsPerSecond: 1, sendBurst: 1 });
    const { token } = await TestClient.register(server);
    const codes = async (where: { url: string }) => {
      const socket = await RawSocket.accepted(where, token);
      const ids = ["1", "2", "3"];
      for (const id of ids) await socket.subscribe(id, 'mutation { send(roomId: "0", text: "hi") { id } }');
      while (socket.heard.filter(({ type }) => type === "complete").length < ids.length) await socket.next();
      return socket.heard.flatMap(({ payload }) => payload?.errors ?? []).map(({ extensions }) => extensions.code);
    };
    expect(await codes(strict)).toContain("RATE_LIMITED");
    expect(await codes(server)).toEqual([]);
  });
});
