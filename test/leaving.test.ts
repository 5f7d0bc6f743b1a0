import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Group, Subscriber } from "../src/delivery/broadcast.js";
import type { FollowedRooms } from "../src/delivery/followed-rooms.js";
import type { Position } from "../src/delivery/position.js";
import { RoomsFeed } from "../src/delivery/rooms-feed.js";
import { Turns } from "../src/turns.js";
import { randomFrom } from "./helpers/random.js";

interface Event {
  text: string;
}

/** A fake room with a log and live subscribers. */
function room(roomId = "r") {
  const log: { value: Event; position: Position }[] = [];
  const live = new Set<(value: Event, position: Position) => void>();
  const position = (): Position => ({ roomId, epoch: "e", seq: log.length, at: log.length });
  const followed = {
    position: async () => position(),
    follow(_roomId: string, after: Position, { event }: { event: (value: Event, position: Position) => void }) {
      let over = false;
      const tell = (value: Event, at: Position) => !over && event(value, at);
      const started = (async () => {
        await setImmediate();
        for (const { value, position } of log.slice(after.seq)) tell(value, position);
        if (!over) live.add(tell);
      })();
      const stop = () => {
        over = true;
        live.delete(tell);
      };
      return { started, stop };
    },
  } as unknown as FollowedRooms<Event>;
  const happen = (text: string) => {
    const value = { text };
    const entry = { value, position: { ...position(), seq: log.length + 1, at: log.length + 1 } };
    log.push(entry);
    for (const tell of [...live]) tell(value, entry.position);
  };
  return { followed, happen, position, live };
}

/** A debtor that is never charged. */
const FREE = { wait: 0, charge() {}, resumeInTurn() {} };

/** A client that is subscribed to a room. "out" is its last event until it joins again with "in". It can stall, as a slow reader does. */

async function client(selects: (text: string) => boolean = () => true) {
  const { followed, happen, position, live } = room();
  const written: string[] = [];
  let drained = () => {};
  const outlet = {
    congested: false,
    write: (_head: Buffer, tail: Buffer) => void written.push(String(tail)),
    onDrained: (listener: () => void) => {
      drained = listener;
    },
    giveUp: () => {},
  };
  const feed = new RoomsFeed<Event, Event>(followed, (event) => (selects(event.text) ? event : undefined), {
    leaves: ({ text }) => text === "out",
    comesIn: ({ text }) => text === "in",
    left: () => {},
  });
  await feed.add("r");
  const group = new Group<Event>(async ({ text }) => ({ text: Buffer.from(text), price: 0, last: false }), new Turns(0));
  new Subscriber(feed, group, { outlet, debtor: FREE }, "", () => {});
  const settle = async () => {
    for (let n = 0; n < 6; n++) await setImmediate();
  };
  return {
    written,
    happen,
    live,
    settle,
    stall: () => {
      outlet.congested = true;
    },
    drain: () => {
      outlet.congested = false;
      drained();
    },
    comeIn: () => {
      const entrance = position();
      happen("in");
      return feed.add("r", entrance, entrance);
    },
  };
}

describe("a slow subscriber that leaves a room", () => {
  it("[D5] gets every event up to its leaving, and none after it", async () => {
    const { written, happen, live, settle, stall, drain } = await client();
    happen("a");
    await settle();
    stall();
    for (const text of ["b", "c", "out", "without"]) happen(text);
    await settle();
    drain();
    await settle();
    expect(written).toEqual(["a", "b", "c", "out"]);
    expect(live.size).toBe(0);
    stall();
    await settle();
    drain();
    await settle();
    expect(written).toHaveLength(4);
  });

  it.each([
    ["of every kind", () => true, ["a", "b", "out", "in", "c"]],
    ["of some kinds", (text: string) => text.length === 1, ["a", "b", "c"]],
  ])("[D5] continues from its return if it has joined again: events %s", async (_what, selects, told) => {
    const { written, happen, settle, stall, drain, comeIn } = await client(selects);
    happen("a");
    await settle();
    stall();
    for (const text of ["b", "out", "x"]) happen(text);
    await comeIn();
    happen("c");
    await settle();
    drain();
    await settle();
    expect(written).toEqual(told);
  });

  it.each([1, 2, 3, 4, 5])("[D5] gets all its events once, in order, whatever its reading pace (seed %i)", async (seed) => {
    const random = randomFrom(seed);
    for (let round = 0; round < 40; round++) {
      const selects = random.chance(0.5) ? () => true : (text: string) => text !== "out";
      const { written, happen, settle, stall, drain, comeIn } = await client(selects);
      const told: string[] = [];
      let isIn = true;
      for (let step = 0; step < 40; step++) {
        const deed = random.integer(0, 6);
        if (deed <= 2) {
          happen(`m ${step}`);
          if (isIn) told.push(`m ${step}`);
        } else if (deed === 3 && isIn) {
          happen("out");
          if (selects("out")) told.push("out");
          isIn = false;
        } else if (deed === 4 && !isIn) {
          told.push("in");
          isIn = true;
          await comeIn();
        } else if (deed === 5) stall();
        else drain();
        if (random.chance(0.6)) await settle();
      }
      drain();
      await settle();
      drain();
      await settle();
      expect(written).toEqual(told);
    }
  });
});
