import type { Feature } from "../feature.js";
import { BlockResolver } from "./block.resolver.js";
import { BlockStore } from "./block.store.js";

declare module "../api/context.js" {
  interface Stores {
    blocks: BlockStore;
  }
}

/** Users whom a user blocks. */
export const blocks: Feature = {
  name: "blocks",
  lua: new URL("./lua/", import.meta.url),
  stores: ({ commands, scripts }, { users, acquaintances, invitations }) => ({
    blocks: new BlockStore(commands, scripts, users, acquaintances, invitations),
  }),
  resolvers: [BlockResolver],
};
