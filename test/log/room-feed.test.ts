import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Channels } from "../../src/log/channels.js";
import { FollowedRooms } from "../../src/log/followed-rooms.js";
import type { Position } from "../../src/log/position.js";
import type { RoomScripts } from "../../src/log/room-scripts.js";
import { isRefusal } from "../../src/util/errors.js";
import { room } from "../helpers/ids.js";
import { silent } from "../helpers/redis.js";

const RANGE = 100; // events that one read returns at most

/** A fake Redis with the log and the channel of one room. The events of a log that lost its end get new times, as in Redis. */
function fakeRoom() {
  let log: { seq: number; epoch: string; kind: string; at: number }[] = [];
  let time = 0;
  const listeners = new Set<(payload: unknown, size: number) => void>();
  const reconnects = new Set<() => void>();
  const end = () => log.at(-1) ?? { seq: 0, epoch: "e", at: 0 };
  const scripts = {
    async onRoom(_name: string, _roomId: string, { from, count }: { from: number | ""; count: number }) {
      const events = from === "" ? (count === 0 ? [] : log.slice(-count)) : log.filter(({ seq }) => seq >= from).slice(0, count);
      const { seq, epoch, at } = end();
      await setImmediate();
      return [seq, epoch, at, events.map((event) => JSON.stringify(event))];
    },
  } as unknown as RoomScripts;
  const channels = {
    onReconnect(listener: () => void) {
      reconnects.add(listener);
      return () => reconnects.delete(listener);
    },
    async subscribe(_name: string, listener: (payload: unknown, size: number) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as Channels;
  const followed = new FollowedRooms<{ at: number }>(
    channels,
    scripts,
    ({ at }) => ({ at }),
    { now: async (values) => [...values], alters: () => false },
    silent,
  );
  return {
    /** Adds events. @param delivered whether the channel delivers them */
    add(count: number, delivered = true) {
      for (let n = 0; n < count; n++) {
        const event = { seq: end().seq + 1, epoch: "e", kind: "some.thing", at: ++time };
        log.push(event);
        if (delivered) for (const listener of listeners) listener(event, 10);
      }
    },
    get end() {
      return end().seq;
    },
    reconnect() {
      for (const listener of reconnects) listener();
    },
    lose(count: number) {
      log = log.slice(0, -count);
    },
    position: (seq: number): Position => ({ roomId: room("r"), epoch: "e", seq, at: log[seq - 1]?.at ?? 0 }),
    /** Follows the room; collects the times of the events, and what ends it. */
    follow(after: Position) {
      const got: number[] = [];
      const ends: unknown[] = [];
      const { started, stop } = followed.follow(room("r"), after, {
        event: ({ at }) => void got.push(at),
        over: (reason) => void ends.push(reason),
        replayed: () => {},
      });
      started.catch((error) => ends.push(error));
      return { got, ends, started, stop };
    },
    get isFollowed() {
      return listeners.size > 0;
    },
  };
}

const settle = async () => {
  for (let n = 0; n < 50; n++) await setImmediate();
};

describe("a log that lost its end", () => {
  it("[D2] is noticed by a subscriber who read events from it before the channel delivered them", async () => {
    const room = fakeRoom();
    room.add(3 * RANGE);
    const staying = room.follow(room.position(3 * RANGE));
    await staying.started;
    room.add(3, false); // still on their way
    const ahead = room.follow(room.position(3 * RANGE + 1));
    await ahead.started;
    await settle();
    expect(ahead.got).toEqual([3 * RANGE + 2, 3 * RANGE + 3]);

    room.lose(3);
    room.add(2);
    await settle();
    expect(staying.got).toEqual([3 * RANGE + 4, 3 * RANGE + 5]);
    expect(ahead.ends).toEqual([expect.toSatisfy((error) => isRefusal(error, "HISTORY_RESET"))]);
  });

  it("[D1] delivers events once to a subscriber who read them before the channel delivered them", async () => {
    const room = fakeRoom();
    room.add(3 * RANGE);
    const staying = room.follow(room.position(3 * RANGE));
    await staying.started;
    room.add(3, false);
    const ahead = room.follow(room.position(3 * RANGE + 1));
    await ahead.started;
    await settle();
    room.add(1); // shows the feed that it lacks three
    await settle();
    expect(staying).toMatchObject({ got: [301, 302, 303, 304], ends: [] });
    expect(ahead).toMatchObject({ got: [302, 303, 304], ends: [] });
  });
});

describe("a room's feed", () => {
  /** What can happen to the room, to the channel, and to subscribers. */
  const deeds = fc.oneof(
    { weight: 4, arbitrary: fc.nat(3).map((count) => ({ do: "add", count: count + 1, delivered: true }) as const) },
    { weight: 2, arbitrary: fc.nat(3).map((count) => ({ do: "add", count: count + 1, delivered: false }) as const) },
    { weight: 1, arbitrary: fc.constant({ do: "add", count: RANGE + 20, delivered: false } as const) },
    { weight: 3, arbitrary: fc.nat(30).map((back) => ({ do: "follow", back }) as const) },
    { weight: 1, arbitrary: fc.constant({ do: "follow", back: 2 * RANGE } as const) },
    { weight: 1, arbitrary: fc.nat(9).map((which) => ({ do: "stop", which }) as const) },
    { weight: 1, arbitrary: fc.constant({ do: "reconnect" } as const) },
    { weight: 3, arbitrary: fc.nat(3).map((turns) => ({ do: "wait", turns }) as const) },
  );

  it("[D1] delivers to each subscriber all events after its place once, in order, whatever happens when", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(deeds, { maxLength: 30 }), async (all) => {
        const room = fakeRoom();
        const followers: ({ from: number; stopped: boolean } & ReturnType<typeof room.follow>)[] = [];
        let unheard = false;
        for (const deed of all) {
          if (deed.do === "add") {
            room.add(deed.count, deed.delivered);
            unheard ||= !deed.delivered;
          } else if (deed.do === "reconnect") {
            room.reconnect();
            unheard = false;
          } else if (deed.do === "follow") {
            const from = Math.max(room.end - deed.back, 0);
            followers.push({ from, stopped: false, ...room.follow(room.position(from)) });
          } else if (deed.do === "wait") for (let n = 0; n < deed.turns; n++) await setImmediate();
          else {
            const follower = followers[deed.which];
            follower?.stop();
            if (follower) follower.stopped = true;
          }
        }
        if (unheard) room.reconnect();
        await settle();
        for (const { from, got, ends, stopped } of followers) {
          expect(ends).toEqual([]);
          const events = Array.from({ length: room.end - from }, (_, n) => from + n + 1);
          expect(got).toEqual(stopped ? events.slice(0, got.length) : events);
        }
        for (const { stop } of followers) stop();
        await settle();
        expect(room.isFollowed).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});
