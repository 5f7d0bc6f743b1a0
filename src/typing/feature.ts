import type { Feature } from "../feature.js";
import { TypingResolver } from "./typing.resolver.js";
import { TypingStore } from "./typing.store.js";

declare module "../api/context.js" {
  interface Stores {
    typing: TypingStore;
  }
}

/** Who is typing in a room. */
export const typing: Feature = {
  name: "typing",
  stores({ commands, channels, log }, { rooms, watches, sends }) {
    const typing = new TypingStore(commands, channels, rooms, (viewer, onEnd) => watches.start(viewer, onEnd), log);
    sends.onSent((roomId, userId) => typing.sent(roomId, userId));
    return { typing };
  },
  resolvers: [TypingResolver],
  async close({ typing }) {
    typing.close();
  },
};
