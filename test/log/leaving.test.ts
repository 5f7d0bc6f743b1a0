import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Group, Subscriber } from "../../src/log/broadcast.js";
import { RoomsFeed } from "../../src/log/rooms-feed.js";
import { Turns } from "../../src/util/turns.js";
import { type FakeEvent, fakeRoom } from "../helpers/fake-room.js";
import { room } from "../helpers/ids.js";
import { randomFrom } from "../helpers/random.js";

interface Options {
  selects?: (text: string) => boolean;
  /** Whether the subscription is to this room alone, so that it ends when the subscriber leaves. */
  alone?: boolean;
}

/**
 * A client that is subscribed to a room. "out" is its last event until it joins again with "in". It can stall, as a slow reader does, and
 * use up its budget, as a client does that asks for much.
 */
async function client({ selects = () => true, alone = false }: Options = {}) {
  const { followed, happen, position, live } = fakeRoom();
  const written: string[] = [];
  const ends: unknown[] = [];
  let drained = () => {};
  let paid = () => {};
  const outlet = {
    congested: false,
    write: (_head: Buffer, tail: Buffer) => void written.push(String(tail)),
    onDrained: (listener: () => void) => {
      drained = listener;
    },
    giveUp: () => {},
  };
  const debtor = {
    wait: 0,
    charge: () => {},
    resumeInTurn: (listener: () => void) => {
      paid = listener;
    },
  };
  const feed = new RoomsFeed<FakeEvent, FakeEvent>(followed, (event) => (selects(event.text) ? event : undefined), {
    leaves: ({ text }) => text === "out",
    comesIn: ({ text }) => text === "in",
    left: () => alone && feed.end("left"),
  });
  await feed.add(room("r"));
  const group = new Group<FakeEvent>(async ({ text }) => ({ text: Buffer.from(text), price: 1, last: false }), new Turns(0));
  new Subscriber(feed, group, { outlet, debtor }, "", (failure) => ends.push(failure));
  const settle = async () => {
    for (let n = 0; n < 6; n++) await setImmediate();
  };
  return {
    written,
    ends,
    /** @param prepared whether the group has executed the event for another subscriber, so that it can be written at once */
    happen: (text: string, prepared = false) => {
      const value = happen(text);
      if (prepared) group.frame(value);
    },
    live,
    settle,
    stall: () => {
      outlet.congested = true;
    },
    drain: () => {
      outlet.congested = false;
      drained();
    },
    overspend: () => {
      debtor.wait = 1;
    },
    pay: () => {
      debtor.wait = 0;
      paid();
    },
    comeIn: () => {
      const entrance = position();
      happen("in");
      return feed.add(room("r"), entrance, entrance);
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
    const { written, happen, settle, stall, drain, comeIn } = await client({ selects });
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

  it("[D5] gets nothing after its leaving if that used up its budget", async () => {
    const { written, happen, settle, stall, drain, overspend, pay, live } = await client();
    stall();
    happen("out", true);
    await settle();
    overspend();
    drain();
    await settle();
    expect(written).toEqual(["out"]);
    happen("without");
    for (let n = 0; n < 3; n++) {
      pay();
      await settle();
    }
    expect(written).toEqual(["out"]);
    expect(live.size).toBe(0);
  });

  it.each(["stall", "overspend"] as const)(
    "[D5] of that room alone gets every event up to its leaving before it ends: %s",
    async (deed) => {
      const { written, ends, happen, settle, ...acts } = await client({ alone: true });
      acts.stall();
      for (const text of ["a", "b", "c", "out"]) happen(text);
      await settle();
      acts.drain();
      acts[deed](); // before the events are executed
      for (let n = 0; n < 6; n++) {
        await settle();
        acts[deed === "stall" ? "drain" : "pay"]();
        acts.overspend();
      }
      expect(written).toEqual(["a", "b", "c", "out"]);
      expect(ends).toEqual(["left"]);
    },
  );

  it.each([1, 2, 3, 4, 5])("[D5] gets all its events once, in order, whatever its reading pace and budget (seed %i)", async (seed) => {
    const random = randomFrom(seed);
    for (let round = 0; round < 100; round++) {
      const selects = random.chance(0.5) ? () => true : (text: string) => text !== "out";
      const alone = random.chance(0.3);
      const { written, ends, happen, settle, stall, drain, overspend, pay, comeIn } = await client({ selects, alone });
      const told: string[] = [];
      let isIn = true;
      for (let step = 0; step < 40; step++) {
        const deed = random.integer(0, 8);
        if (deed <= 2) {
          happen(`m ${step}`, random.chance(0.5));
          if (isIn) told.push(`m ${step}`);
        } else if (deed === 3 && isIn) {
          happen("out", random.chance(0.5));
          if (selects("out")) told.push("out");
          isIn = false;
        } else if (deed === 4 && !isIn && !alone) {
          told.push("in");
          isIn = true;
          await comeIn();
        } else if (deed === 5) stall();
        else if (deed === 6) overspend();
        else if (deed === 7) pay();
        else drain();
        if (random.chance(0.6)) await settle();
      }
      for (let n = 0; n < 3; n++) {
        drain();
        pay();
        await settle();
      }
      expect(written).toEqual(told);
      expect(ends).toEqual(alone && !isIn ? ["left"] : []);
    }
  });
});
