import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Channels } from "../../src/log/channels.js";
import { type Transition, Transitions } from "../../src/presence/transitions.js";
import type { RedisClient } from "../../src/redis/connect.js";
import { user } from "../helpers/ids.js";
import { silent } from "../helpers/redis.js";

/** A fake Redis whose list of users who are online arrives when the test says so, over another connection than the transitions. */
function fakeRedis() {
  const listeners = new Set<(payload: unknown) => void>();
  const reconnectListeners = new Set<() => void>();
  let answers: { resolve: (ids: string[]) => void; reject: (error: Error) => void }[] = [];
  const redis = {
    smembers: () => new Promise<string[]>((resolve, reject) => answers.push({ resolve, reject })),
  } as unknown as RedisClient;
  const channels = {
    async subscribe(_name: string, listener: (payload: unknown) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onReconnect(listener: () => void) {
      reconnectListeners.add(listener);
      return () => reconnectListeners.delete(listener);
    },
  } as unknown as Channels;
  return {
    transitions: new Transitions(redis, channels, silent),
    publish(userId: string, online: boolean) {
      for (const listener of listeners) listener({ userId, online });
    },
    reconnect() {
      for (const listener of reconnectListeners) listener();
    },
    async answer(result: string[] | Error) {
      await setImmediate();
      for (const { resolve, reject } of answers.splice(0)) result instanceof Error ? reject(result) : resolve(result);
      answers = [];
      await setImmediate();
    },
    get listening() {
      return listeners.size + reconnectListeners.size;
    },
  };
}

describe("transitions that arrive while the list of users who are online is read", () => {
  it("[PRES1] count at the start, as the list may be older", async () => {
    const { transitions, publish, answer } = fakeRedis();
    const following = transitions.follow(["1", "2"].map(user));
    await setImmediate();
    publish("1", false);
    publish("2", true);
    await answer(["1"]);
    const feed = await following;
    expect((await feed.next()).value).toEqual({ userId: "2", online: true });
    publish("1", true);
    expect((await feed.next()).value).toEqual({ userId: "1", online: true });
    feed.end();
  });

  it("[PRES1] count after a reconnect, in both directions", async () => {
    const { transitions, publish, reconnect, answer } = fakeRedis();
    const following = transitions.follow(["1", "2", "3", "4"].map(user));
    await answer(["1", "3"]);
    const feed = await following;
    reconnect();
    await setImmediate();
    publish("1", false);
    publish("2", true);
    await answer(["1", "4"]);
    const got: Transition[] = [];
    for (let n = 0; n < 4; n++) got.push((await feed.next()).value as Transition);
    expect(got).toEqual([
      { userId: "1", online: false },
      { userId: "2", online: true },
      { userId: "4", online: true },
      { userId: "3", online: false },
    ]);
    feed.end();
  });

  it("[PRES1] leave no listener behind if Redis refuses the list", async () => {
    const redis = fakeRedis();
    const following = redis.transitions.follow(null);
    const refused = expect(following).rejects.toThrow("refused");
    await redis.answer(new Error("refused"));
    await refused;
    expect(redis.listening).toBe(0);
  });
});
