import DataLoader from "dataloader";
import type { Feature } from "../feature.js";
import { Bots } from "./bots.js";
import { DirectoryStore } from "./directory.store.js";
import { GuestStore } from "./guest.store.js";
import { userKeys } from "./keys.js";
import { SendLimit } from "./send-limit.js";
import { settings } from "./settings.js";
import { UserResolver } from "./user.resolver.js";
import { type UserRecord, UserStore, unknownUser } from "./user.store.js";
import { UserIds } from "./user-ids.js";

declare module "../api/context.js" {
  interface Stores {
    users: UserStore;
    bots: Bots;
    userIds: UserIds;
    guests: GuestStore;
    directory: DirectoryStore;
    /** The rate limit of sends and of other calls that write; undefined if there are no rate limits. */
    sendLimit: SendLimit | undefined;
  }
  interface Loaders {
    user: DataLoader<string, UserRecord>;
  }
}

/** Accounts and guests, their names, and the search for them. */
export const users: Feature = {
  name: "users",
  settings,
  lua: new URL("./lua/", import.meta.url),
  stores({ commands, scripts, lenient, config, name, log }) {
    const userIds = new UserIds(commands, scripts, log);
    const users = new UserStore(commands, scripts, userIds, lenient, { server: name, assistantUsername: config.assistantUsername });
    const limit = { perSecond: config.sendsPerSecond, burst: config.sendBurst };
    return {
      users,
      bots: new Bots(),
      userIds,
      guests: new GuestStore(commands, scripts, userIds, users, lenient, config),
      directory: new DirectoryStore(scripts, users, name, log),
      sendLimit: config.rateLimits ? new SendLimit(scripts, userKeys.sends, limit) : undefined,
    };
  },
  loaders: {
    user: ({ stores, work }) =>
      new DataLoader(async (ids) => {
        const found = work.lookedUp(await stores.users.byIds(ids));
        return found.map((user, index) => user ?? unknownUser(ids[index] as string));
      }),
  },
  resolvers: [UserResolver],
  async serve(_platform, { userIds }) {
    await userIds.watch();
    return undefined;
  },
  ready({ log }, { directory, users }) {
    void directory.index();
    users.names.index().catch((err: Error) => log.debug({ err }, "could not index the usernames; the next sign-up tries again"));
  },
  async close({ directory, users, userIds }) {
    await Promise.all([directory.stop(), users.names.stop()]);
    await userIds.stop();
  },
};
