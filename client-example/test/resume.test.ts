import type { Client, Sink, SubscribePayload } from "graphql-ws";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { resume } from "../src/chat/resume";

interface Event {
  roomId: string;
  position: string;
}

/** A graphql-ws client for which the test acts as the server. */
class Script implements Pick<Client, "subscribe"> {
  readonly sinks: Sink[] = [];
  readonly payloads: SubscribePayload[] = [];
  ended = 0;

  subscribe(payload: SubscribePayload, sink: unknown) {
    this.payloads.push(payload);
    this.sinks.push(sink as Sink);
    return () => {
      this.ended++;
    };
  }

  next(roomId: string, position: string): void {
    this.sinks.at(-1)?.next({ data: { roomEvents: { roomId, position } } });
  }

  refuse(code: string, retryable: boolean): void {
    this.sinks.at(-1)?.next({ errors: [{ message: code, extensions: { code, retryable } }] } as never);
  }

  /** The positions that the subscription would send now. */
  get after() {
    return this.payloads.at(-1)?.variables?.after;
  }
}

function follow(client: Script, loads: (Record<string, string> | Error)[]) {
  const heard: string[] = [];
  const refused: unknown[] = [];
  const failed: unknown[] = [];
  const following = resume<Event>(client, {
    query: "subscription",
    eventIn: (data) => data.roomEvents as Event,
    load: async () => {
      const next = loads.shift() ?? {};
      if (next instanceof Error) throw next;
      return Object.entries(next);
    },
    onLoadFailed: (error) => failed.push((error as Error).message),
    onEvent: ({ position }) => heard.push(position),
    onRefused: ({ code }) => refused.push(code),
  });
  return { following, heard, refused, failed };
}

describe("the resume helper", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("[PAGE14] loads, subscribes after the positions of the load, and advances them with each event", async () => {
    const client = new Script();
    const { following, heard } = follow(client, [{ a: "a1", b: "b1" }]);
    await vi.waitFor(() => expect(client.sinks).toHaveLength(1), { timeout: 30_000 });
    expect(client.after).toEqual(["a1", "b1"]);
    client.next("a", "a2");
    following.add("c", "c1");
    following.add("a", "a0"); // older than the known position
    following.forget("b");
    expect(client.after).toEqual(["a2", "c1"]);
    expect(heard).toEqual(["a2"]);
  });

  it("[PAGE14] subscribes again after the positions of rooms that it began to follow too late", async () => {
    const client = new Script();
    const { following } = follow(client, [{ a: "a1" }]);
    await vi.waitFor(() => expect(client.sinks).toHaveLength(1), { timeout: 30_000 });
    client.next("a", "a2");
    expect(following.add("a", "a1")).toBe(false);
    expect(following.add("b", "b1")).toBe(true);
    following.renew();
    expect(client.sinks).toHaveLength(2);
    expect(client.ended).toBe(1);
    expect(client.after).toEqual(["a2", "b1"]);
    following.stop();
    following.renew();
    expect(client.sinks).toHaveLength(2);
  });

  it("[PAGE14] resumes after retryable errors, and loads again on HISTORY_RESET", async () => {
    const client = new Script();
    const { heard, refused } = follow(client, [new Error("not yet"), { a: "a1" }, { a: "a9" }]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(client.after).toEqual(["a1"]);
    client.next("a", "a2");
    client.refuse("UNAVAILABLE", true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(client.payloads).toHaveLength(2);
    expect(client.after).toEqual(["a2"]);
    client.refuse("HISTORY_RESET", false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(client.after).toEqual(["a9"]);
    expect([heard, refused]).toEqual([["a2"], []]);
  });

  it("[PAGE14] reports failed loads, and retries after growing pauses", async () => {
    const client = new Script();
    const { following, failed } = follow(client, [new Error("one"), new Error("two"), new Error("three"), { a: "a1" }]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(failed).toEqual(["one", "two"]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(failed).toEqual(["one", "two", "three"]);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(client.after).toEqual(["a1"]);
    following.stop();
  });

  it("[PAGE14] reports errors that are not retryable, and does nothing after a stop", async () => {
    const client = new Script();
    const { following, refused } = follow(client, [{ a: "a1" }]);
    await vi.advanceTimersByTimeAsync(0);
    client.refuse("FORBIDDEN", false);
    expect(refused).toEqual(["FORBIDDEN"]);
    const other = new Script();
    const stopped = follow(other, [{ a: "a1" }]);
    stopped.following.stop();
    following.stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect([client.payloads.length, other.payloads.length]).toEqual([1, 0]);
  });
});
