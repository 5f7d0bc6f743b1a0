import { expect, it } from "vitest";
import type { Channels } from "../../src/log/channels.js";
import { Audiences } from "../../src/rooms/audience.js";
import type { RoomStore } from "../../src/rooms/room.store.js";
import { room, user } from "../helpers/ids.js";

it("[D5] a member who is removed while they join a room's audience gets nothing of it, even if the check was sent before", async () => {
  let hear = (_payload: unknown) => {};
  const channels = {
    onReconnect: () => () => {},
    async subscribe(_name: string, listener: (payload: unknown) => void) {
      hear = listener;
      return () => {};
    },
  } as unknown as Channels;
  let passed = () => {};
  const checked = new Promise<void>((resolve) => {
    passed = resolve;
  });
  let checks = 0;
  const rooms = { check: () => (++checks === 1 ? Promise.resolve() : checked) } as unknown as RoomStore;
  const audiences = new Audiences<{ text: string }, object>(
    channels,
    rooms,
    () => ({}),
    ({ feeds }, payload) => {
      for (const feed of feeds.keys()) feed.push(payload as { text: string });
    },
  );
  const joining = audiences.join(room("r"), user("1"));
  await expect.poll(() => checks).toBe(2);
  hear({ kind: "member.left", userId: "1" });
  passed(); // an answer from before the removal
  const { feed } = await joining;
  hear({ text: "without them" });
  await expect(feed.next()).rejects.toMatchObject({ code: "NOT_A_MEMBER" });
  audiences.close();
});
