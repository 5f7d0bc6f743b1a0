import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Group, Subscriber } from "../../src/log/broadcast.js";
import { RoomsFeed } from "../../src/log/rooms-feed.js";
import { Turns } from "../../src/util/turns.js";
import { type FakeEvent, fakeRoom } from "../helpers/fake-room.js";
import { room } from "../helpers/ids.js";

const ROOM = room("r");
const BEGINNING = { roomId: ROOM, epoch: "e", seq: 0, at: 0 };

const settle = async () => {
  for (let n = 0; n < 20; n++) await setImmediate();
};

/** A client that can stall. @param execute what the server does with an event */
function client(execute: (text: string) => Promise<unknown> = async () => {}) {
  const written: string[] = [];
  let drained = () => {};
  const outlet = {
    congested: false,
    write: (_head: Buffer, tail: Buffer) => void written.push(String(tail)),
    onDrained: (listener: () => void) => {
      drained = listener;
      if (!outlet.congested) void setImmediate().then(listener);
    },
    giveUp: () => {},
  };
  const debtor = { wait: 0, charge: () => {}, resumeInTurn: () => {} };
  const group = new Group<FakeEvent>(async ({ text }) => {
    await execute(text);
    return { text: Buffer.from(text), price: 0, last: false };
  }, new Turns(0));
  return {
    written,
    subscribe: (feed: RoomsFeed<FakeEvent, FakeEvent>) => new Subscriber(feed, group, { outlet, debtor }, "", () => {}),
    stall: () => {
      outlet.congested = true;
    },
    drain: () => {
      outlet.congested = false;
      drained();
    },
  };
}

describe("a subscription to rooms", () => {
  it("[FEED3] keeps few events until all its rooms are followed, and then delivers all of them once, in order", async () => {
    const room = fakeRoom();
    const texts = Array.from({ length: 5_000 }, (_, n) => `${n}`);
    for (const text of texts) room.happen(text);
    const feed = new RoomsFeed<FakeEvent, FakeEvent>(room.followed, (event) => event);
    await feed.add(ROOM, BEGINNING);
    room.happen("last");
    await settle();
    expect(room.told).toBeLessThan(1_100);
    const { written, subscribe } = client();
    subscribe(feed);
    await expect.poll(() => written.length, { timeout: 20_000 }).toBe(5_001);
    expect(written).toEqual([...texts, "last"]);
  });

  it("[FEED3] replays events that piled up behind a slow one when that one has been executed, and not before", async () => {
    const room = fakeRoom();
    const feed = new RoomsFeed<FakeEvent, FakeEvent>(room.followed, (event) => event);
    await feed.add(ROOM, BEGINNING);
    let finish = () => {};
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const { written, subscribe } = client((text) => (text === "0" ? slow : setImmediate()));
    subscribe(feed);
    const texts = Array.from({ length: 2_000 }, (_, n) => `${n}`);
    for (const text of texts) room.happen(text);
    await settle();
    expect(room.told).toBeLessThan(1_100);
    finish();
    await expect.poll(() => written.length, { timeout: 20_000 }).toBe(2_000);
    expect(written).toEqual(texts);
  });

  it("[FEED3] does not replay events that it does not deliver", async () => {
    const room = fakeRoom();
    const feed = new RoomsFeed<FakeEvent, FakeEvent>(room.followed, (event) => (event.text.startsWith("m") ? event : undefined));
    await feed.add(ROOM, BEGINNING);
    const { written, subscribe, stall, drain } = client();
    subscribe(feed);
    room.happen("m1");
    await settle();
    for (let n = 0; n < 500; n++) room.happen("x");
    stall();
    room.happen("m2");
    await settle();
    const before = room.told;
    drain();
    await settle();
    expect(written).toEqual(["m1", "m2"]);
    expect(room.told - before).toBeLessThan(10);
  });
});
