import type { Feature } from "../feature.js";
import { GroupResolver } from "./group.resolver.js";
import { GroupStore } from "./group.store.js";
import { groupRights } from "./rights.js";

declare module "../api/context.js" {
  interface Stores {
    groups: GroupStore;
  }
}

/** Rooms with members who join and leave. */
export const groups: Feature = {
  name: "groups",
  lua: new URL("./lua/", import.meta.url),
  stores: ({ commands, scripts, keysOfRoom }, { rooms, members, users, bots, roomList, acquaintances, invitations }) => ({
    groups: new GroupStore(commands, scripts, rooms, members, users, { list: roomList, acquaintances, invitations, bots }, keysOfRoom),
  }),
  resolvers: [GroupResolver],
  rights: Object.values(groupRights),
};
