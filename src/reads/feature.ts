import DataLoader from "dataloader";
import type { Feature } from "../feature.js";
import { SendLimit } from "../users/send-limit.js";
import type { RoomId, UserId } from "../util/ids.js";
import { readKeys } from "./keys.js";
import { MemberReadResolver, ReadMovedResolver, ReadResolver } from "./read.resolver.js";
import { ReadStore, type Unread } from "./read.store.js";
import { readMoved } from "./read-event.js";

declare module "../api/context.js" {
  interface Stores {
    reads: ReadStore;
    /** The rate limit of moving the read marker: as high as that of sends, and separate from it. */
    markLimit: SendLimit | undefined;
  }
  interface Loaders {
    /** The read marker of a room's member. */
    readUpTo: DataLoader<{ roomId: RoomId; userId: UserId }, string | null>;
    /** How much of a room is unread by the viewer. */
    unread: DataLoader<RoomId, Unread>;
  }
}

/** Read markers and unread counts. */
export const reads: Feature = {
  name: "reads",
  lua: new URL("./lua/", import.meta.url),
  stores({ commands, scripts, channels, config }, { rooms, mentions, roomEvents }) {
    const reads = new ReadStore(commands, scripts, channels, rooms, mentions);
    roomEvents.addLive((userId, push) =>
      reads.onOwnReading(userId, ({ roomId, upTo, at }) => push({ kind: "read.moved", roomId, at: new Date(at / 1_000), userId, upTo })),
    );
    const limit = { perSecond: config.sendsPerSecond, burst: config.sendBurst };
    return { reads, markLimit: config.rateLimits ? new SendLimit(scripts, readKeys.marks, limit) : undefined };
  },
  loaders: {
    readUpTo: ({ stores, work }) => new DataLoader(async (readers) => work.lookedUp(await stores.reads.upTo(readers))),
    unread: ({ stores, work, viewerId }) => {
      if (viewerId === undefined) throw new Error("unread counts need a signed-in viewer");
      return new DataLoader(async (ids) => work.lookedUp(await stores.reads.unread(viewerId, ids)));
    },
  },
  resolvers: [ReadResolver, ReadMovedResolver, MemberReadResolver],
  events: [readMoved],
};
