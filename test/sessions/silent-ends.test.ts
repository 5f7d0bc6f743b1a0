import { describe, expect, it, vi } from "vitest";
import type { Viewer } from "../../src/api/sessions.js";
import type { Channels } from "../../src/log/channels.js";
import type { SessionStore } from "../../src/sessions/session.store.js";
import { SessionWatches } from "../../src/sessions/session-watch.js";
import { cleanUp } from "../helpers/cleanup.js";
import { TestClient } from "../helpers/client.js";
import { BUSY } from "../helpers/eventually.js";
import { user } from "../helpers/ids.js";
import { proxyTo } from "../helpers/proxy.js";
import { ownRedis, silent } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";
import { acceptedSocket } from "../helpers/socket.js";

describe("sessions that end without an announcement", () => {
  it("[D5] close all sockets within about a second of FLUSHALL, and their tokens are refused", async () => {
    const redis = await ownRedis();
    const servers = [await ownServer(redis.url), await ownServer(redis.url)];
    const users = await Promise.all(servers.map((server) => TestClient.register(server)));
    const sockets = await Promise.all(users.flatMap((user) => servers.map((server) => acceptedSocket(server, user.token))));
    const start = performance.now();
    await redis.client.flushall();
    for (const { closed } of sockets) expect(await closed).toBe(4403);
    expect(performance.now() - start).toBeLessThan(1_000 * BUSY);
    for (const user of users) expect((await user.refused("{ me { id } }")).extensions.code).toBe("UNAUTHENTICATED");
  });

  it("[D5] end with their account, even if the session itself is still stored", async () => {
    const redis = await ownRedis();
    const server = await ownServer(redis.url);
    const [ann, ben] = [await TestClient.register(server, "ann"), await TestClient.register(server, "ben")];
    const [gone, stays] = [await acceptedSocket(server, ann.token), await acceptedSocket(server, ben.token)];
    await redis.client.del(`user:${ann.id}`);
    expect((await ann.refused("{ me { id } }")).extensions.code).toBe("UNAUTHENTICATED");
    expect((await ann.refused("mutation { refreshSession { token } }")).extensions.code).toBe("UNAUTHENTICATED");
    await expect(acceptedSocket(server, ann.token)).rejects.toThrow("4403");
    expect(await gone.closed).toBe(4403);
    expect(await redis.client.exists(`sessions:{user:${ann.id}}`)).toBe(1);
    expect(stays.socket.readyState).toBe(stays.socket.OPEN);
  });

  it("[D5] are noticed within five seconds by a server whose listening connection is mute", async () => {
    const redis = await ownRedis();
    const proxy = await proxyTo(redis.url);
    cleanUp(() => proxy.stop());
    const [near, far] = [await ownServer(redis.url), await ownServer(proxy.url)];
    const ann = await TestClient.register(near, "ann");
    const { closed } = await acceptedSocket(far, ann.token);
    const freezing = setInterval(() => proxy.freeze("listeners"), 20); // also freezes connections that open later
    cleanUp(() => clearInterval(freezing));
    proxy.freeze("listeners");
    const start = performance.now();
    await ann.ask("mutation { logout }");
    expect(await closed).toBe(4403);
    expect(performance.now() - start).toBeLessThan(5_000 * BUSY);
    clearInterval(freezing);
  });

  it("[D5] are found by bounded checks of every session, and all at once if the server is deaf", async () => {
    vi.useFakeTimers();
    cleanUp(() => vi.useRealTimers());
    const looks = new Map<string, number>();
    const sessions = {
      async timeLeft({ id }: Viewer) {
        looks.set(id, (looks.get(id) ?? 0) + 1);
        return 3_600_000;
      },
      usedEvery: () => 3_600_000,
    } as unknown as SessionStore;
    const channels = { subscribe: async () => () => {}, onReconnect: () => () => {} } as unknown as Channels;
    let hears = true;
    const watches = new SessionWatches(sessions, channels, () => hears, silent);
    cleanUp(() => watches.close());
    const COUNT = 900;
    for (let n = 1; n <= COUNT; n++) watches.start({ id: user(String(n)), tokenHash: "", sessionId: "", guest: false }, () => {});
    const total = () => [...looks.values()].reduce((sum, count) => sum + count, 0);
    const pass = async (ms: number) => {
      await vi.advanceTimersByTimeAsync(0);
      const before = total();
      await vi.advanceTimersByTimeAsync(ms);
      return total() - before;
    };
    expect(await pass(0)).toBe(0);
    expect(total()).toBe(COUNT); // one check of each at its start
    expect(await pass(1_000)).toBe(300);
    expect(await pass(2_000)).toBeGreaterThan(590);
    await pass(500);
    expect(Math.min(...looks.values())).toBeGreaterThanOrEqual(2);
    hears = false;
    expect(await pass(1_000)).toBeGreaterThanOrEqual(COUNT - 1);
  });
});
