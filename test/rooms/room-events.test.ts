import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import type { RoomEventRecord } from "../../src/api/room-event.js";
import type { FollowedRooms } from "../../src/log/followed-rooms.js";
import { encodePosition, type Position } from "../../src/log/position.js";
import type { RoomStore } from "../../src/rooms/room.store.js";
import { RoomEventStore } from "../../src/rooms/room-event.store.js";
import { room, user } from "../helpers/ids.js";

const position = (roomId: string, seq: number): Position => ({ roomId: room(roomId), epoch: "e", seq, at: seq });

it("[D3] starts at the client's position in a room that opens again while the subscription starts", async () => {
  const followedFrom = new Map<string, number>();
  const followed = {
    position: async (roomId: string) => position(roomId, 99),
    follow(roomId: string, after: Position) {
      followedFrom.set(roomId, after.seq);
      if (followedFrom.size === 1) {
        opens("1:51", position("1:51", 50));
        opens("1:99", position("1:99", 60)); // not in the list
      }
      return { started: setImmediate(), stop: () => {} };
    },
  } as unknown as FollowedRooms<RoomEventRecord>;
  const ids = Array.from({ length: 50 }, (_, n) => `1:${n + 2}`);
  let opens: (roomId: string, begins: Position) => void = () => {};
  const rooms = {
    check: async () => {},
    async onRooms(_userId: string, listener: (roomId: string, begins: Position | undefined) => void) {
      opens = listener;
      listener("1:50", position("1:50", 7)); // arrives before the list is read, and is in the list as well
      for (const id of ids) listener(id, undefined);
      return () => {};
    },
  } as unknown as RoomStore;
  const store = new RoomEventStore(followed, rooms);
  await store.follow(user("1"), { after: [encodePosition(position("1:51", 3)), encodePosition(position("1:99", 4))] }, (event) => event);
  expect(followedFrom.size).toBe(51);
  expect(Object.fromEntries(["1:2", "1:50", "1:51", "1:99"].map((id) => [id, followedFrom.get(id)]))).toEqual({
    "1:2": 99,
    "1:50": 7,
    "1:51": 3,
    "1:99": 60,
  });
});
