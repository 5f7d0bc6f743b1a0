import DataLoader from "dataloader";
import type { Context, Stores } from "../context.js";
import type { Viewer } from "../sessions/session.store.js";
import { unknownUser } from "../users/user.store.js";

/** What every operation of a server shares. */
export type Services = Stores & Pick<Context, "redisAnswers">;

/** Makes the context of one operation, or of one event of a subscription: what it looks up is looked up afresh. */
export function createContext(stores: Services, viewer: Viewer | null): Context {
  return {
    ...stores,
    viewer,
    forMany: false,
    load: {
      user: new DataLoader(async (ids: readonly string[]) => {
        const users = await stores.users.byIds(ids);
        return users.map((user, index) => user ?? unknownUser(ids[index] as string));
      }),
      room: new DataLoader((ids: readonly string[]) => stores.rooms.byIds(ids)),
      online: new DataLoader((ids: readonly string[]) => stores.presence.areOnline(ids)),
    },
  };
}

/** The token in `Authorization: Bearer …`; undefined where there is none. */
export function bearerToken(authorization: unknown): string | undefined {
  return typeof authorization === "string" ? /^\s*(?:Bearer\s+)?(\S+)\s*$/i.exec(authorization)?.[1] : undefined;
}
