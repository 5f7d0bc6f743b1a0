import DataLoader from "dataloader";
import type { Caller, Context, Loaders, Stores } from "../context.js";
import type { Viewer } from "../sessions/session.store.js";
import { unknownUser } from "../users/user.store.js";
import { Work } from "../work.js";

/** The stores and facts that all operations of a server share. */
export type Services = Stores & Pick<Context, "readiness" | "demoAccounts">;

/** Creates the context of one operation, or of one event of a subscription, with empty loaders. */
export function createContext(stores: Services, viewer: Viewer | null, caller: Caller): Context {
  const work = new Work();
  // The stores are on the prototype: there are many, and an operation needs few.
  return Object.assign(Object.create(stores) as Services, {
    viewer,
    caller,
    forMany: false,
    load: new FreshLoaders(stores, work, viewer?.id),
    work,
  });
}

/**
 * Creates the contexts of executions whose results go to many subscribers. A field that reads the viewer there lacks its `perViewer` mark:
 * it fails, so that one viewer's answer is not shown to the others.
 */
export function sharedContexts(stores: Services): () => Context {
  const base = {
    ...stores,
    get viewer(): never {
      throw new Error("a field reads the viewer but is not marked as perViewer");
    },
    get caller(): never {
      throw new Error("an event for many subscribers has no caller");
    },
    forMany: true,
  };
  return () => {
    const work = new Work();
    return Object.assign(Object.create(base) as Context, { load: new FreshLoaders(stores, work), work });
  };
}

/** Loaders that are created on first use, as most events need none. */
class FreshLoaders implements Loaders {
  readonly #stores: Services;
  readonly #work: Work;
  readonly #viewerId: string | undefined;
  #user: Loaders["user"] | undefined;
  #room: Loaders["room"] | undefined;
  #online: Loaders["online"] | undefined;
  #message: Loaders["message"] | undefined;
  #newest: Loaders["newest"] | undefined;
  #addedAt: Loaders["addedAt"] | undefined;
  #roomPlaces: Loaders["roomPlaces"] | undefined;
  #readUpTo: Loaders["readUpTo"] | undefined;
  #unread: Loaders["unread"] | undefined;

  constructor(stores: Services, work: Work, viewerId?: string) {
    this.#stores = stores;
    this.#work = work;
    this.#viewerId = viewerId;
  }

  get user(): Loaders["user"] {
    this.#user ??= new DataLoader(async (ids) => {
      const users = this.#work.lookedUp(await this.#stores.users.byIds(ids));
      return users.map((user, index) => user ?? unknownUser(ids[index] as string));
    });
    return this.#user;
  }

  get room(): Loaders["room"] {
    this.#room ??= new DataLoader(async (ids) => this.#work.lookedUp(await this.#stores.rooms.byIds(ids)));
    return this.#room;
  }

  get online(): Loaders["online"] {
    this.#online ??= new DataLoader(async (ids) => this.#work.lookedUp(await this.#stores.presence.areOnline(ids)));
    return this.#online;
  }

  get message(): Loaders["message"] {
    this.#message ??= new DataLoader(async (ids) => this.#work.read(await this.#stores.messages.byIds(ids)));
    return this.#message;
  }

  get newest(): Loaders["newest"] {
    this.#newest ??= new DataLoader(async (ids) => this.#work.read(await this.#stores.messages.newest(ids)));
    return this.#newest;
  }

  get roomPlaces(): Loaders["roomPlaces"] {
    const { roomList, messages } = this.#stores;
    const spoken = (ids: string[]) => messages.lastSpoken(ids, (id) => this.newest.load(id));
    this.#roomPlaces ??= new DataLoader((userIds) => Promise.all(userIds.map((id) => roomList.placesOf(id, spoken))));
    return this.#roomPlaces;
  }

  get addedAt(): Loaders["addedAt"] {
    this.#addedAt ??= new DataLoader(async (ids) => this.#work.lookedUp(await this.#stores.messages.addedAt(ids)));
    return this.#addedAt;
  }

  get readUpTo(): Loaders["readUpTo"] {
    this.#readUpTo ??= new DataLoader(async (readers) => this.#work.lookedUp(await this.#stores.reads.upTo(readers)));
    return this.#readUpTo;
  }

  get unread(): Loaders["unread"] {
    const viewerId = this.#viewerId;
    if (viewerId === undefined) throw new Error("unread counts need a signed-in viewer");
    this.#unread ??= new DataLoader(async (ids) => this.#work.lookedUp(await this.#stores.reads.unread(viewerId, ids)));
    return this.#unread;
  }
}
