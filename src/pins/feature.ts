import type { Feature } from "../feature.js";
import { pinKeys } from "./keys.js";
import { MessagePinnedResolver, MessageUnpinnedResolver, PinResolver, RoomPinsResolver } from "./pin.resolver.js";
import { PIN, PinStore } from "./pin.store.js";
import { pinEvents } from "./pin-event.js";

declare module "../api/context.js" {
  interface Stores {
    pins: PinStore;
  }
}

/** Messages that members pin in their rooms. */
export const pins: Feature = {
  name: "pins",
  lua: new URL("./lua/", import.meta.url),
  keysOfRoom: (roomId) => [pinKeys.pins(roomId)],
  stores: ({ commands, scripts }, { rooms, messages }) => ({ pins: new PinStore(commands, scripts, rooms, messages) }),
  resolvers: [PinResolver, RoomPinsResolver, MessagePinnedResolver, MessageUnpinnedResolver],
  rights: [PIN],
  events: pinEvents,
};
