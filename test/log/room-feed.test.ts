import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Channels } from "../../src/log/channels.js";
import { FollowedRooms } from "../../src/log/followed-rooms.js";
import type { Position } from "../../src/log/position.js";
import type { RoomScripts } from "../../src/log/room-scripts.js";
import { isRefusal } from "../../src/util/errors.js";
import { silent } from "../helpers/redis.js";

const RANGE = 100; // events that one read returns at most

/** A fake Redis with the log and the channel of one room. The events of a log that lost its end get new times, as in Redis. */
function fakeRoom() {
  let log: { seq: number; epoch: string; kind: string; at: number }[] = [];
  let time = 0;
  const listeners = new Set<(payload: unknown, size: number) => void>();
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
    onReconnect: () => () => {},
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
    lose(count: number) {
      log = log.slice(0, -count);
    },
    position: (seq: number): Position => ({ roomId: "r", epoch: "e", seq, at: log[seq - 1]?.at ?? 0 }),
    /** Follows the room; collects the times of the events, and what ends it. */
    follow(after: Position) {
      const got: number[] = [];
      const ends: unknown[] = [];
      const { started, stop } = followed.follow("r", after, {
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
