import DataLoader from "dataloader";
import type { Feature } from "../feature.js";
import type { UserId } from "../util/ids.js";
import { Lease } from "./lease.js";
import { PresenceResolver, UserOnlineResolver } from "./presence.resolver.js";
import { PresenceStore } from "./presence.store.js";
import { settings } from "./settings.js";
import { Transitions } from "./transitions.js";

declare module "../api/context.js" {
  interface Stores {
    presence: PresenceStore;
    transitions: Transitions;
  }
  interface Loaders {
    online: DataLoader<UserId, boolean>;
  }
}

/** Who is online. */
export const presence: Feature = {
  name: "presence",
  settings,
  lua: new URL("./lua/", import.meta.url),
  stores: ({ commands, scripts, lenient, channels, config, name, log }) => ({
    presence: new PresenceStore(commands, scripts, lenient, { server: name, grace: config.presenceGrace }),
    transitions: new Transitions(commands, channels, log),
  }),
  loaders: {
    online: ({ stores, work }) => new DataLoader(async (ids) => work.lookedUp(await stores.presence.areOnline(ids))),
  },
  resolvers: [PresenceResolver, UserOnlineResolver],
  doorkeeper: ({ presence }) => ({
    opened: (userId) => presence.opened(userId),
    closed: (userId) => presence.closed(userId),
  }),
  async start({ commands, config, name, log }, { presence, transitions }) {
    const lifetime = { server: name, seconds: config.presenceLease, grace: config.presenceGrace };
    const lease = new Lease(commands, presence, log, lifetime, () => transitions.catchUp());
    await lease.start();
    return () => lease.stop();
  },
};
