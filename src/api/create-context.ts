import type { UserId } from "../util/ids.js";
import type { Caller, Context, Loaders, Services } from "./context.js";
import type { Viewer } from "./sessions.js";
import { Work } from "./work.js";

/** What a loader works with. */
export interface LoaderArgs {
  stores: Services;
  /** The other loaders of the operation. */
  load: Loaders;
  work: Work;
  /** Undefined for an operation without a session, and for an event that is executed for many subscribers. */
  viewerId: UserId | undefined;
}

/** Creates each loader of an operation. */
export type LoaderTable = { readonly [Name in keyof Loaders]: (args: LoaderArgs) => Loaders[Name] };

/** Creates the contexts of a server's operations. */
export class Contexts {
  readonly #services: Services;
  readonly #Loaders: new (
    args: Omit<LoaderArgs, "load">,
  ) => Loaders;
  readonly #shared: Services;

  constructor(services: Services, loaders: LoaderTable) {
    this.#services = services;
    this.#Loaders = lazily(loaders);
    this.#shared = {
      ...services,
      get viewer(): never {
        throw new Error("a field reads the viewer but is not marked as perViewer");
      },
      get caller(): never {
        throw new Error("an event for many subscribers has no caller");
      },
      ofEvent: true,
      forMany: true,
    } as Services;
  }

  /** The context of one operation, or of one event of a subscription, with empty loaders. */
  of(viewer: Viewer | null, caller: Caller, ofEvent = false): Context {
    const work = new Work();
    const load = new this.#Loaders({ stores: this.#services, work, viewerId: viewer?.id });
    // The stores are on the prototype: there are many, and an operation needs few.
    return Object.assign(Object.create(this.#services) as Services, { viewer, caller, ofEvent, forMany: false, load, work });
  }

  /**
   * The context of an execution whose result goes to many subscribers. A field that reads the viewer there lacks its `perViewer` mark: it
   * fails, so that one viewer's answer is not shown to the others.
   */
  forMany(): Context {
    const work = new Work();
    const load = new this.#Loaders({ stores: this.#services, work, viewerId: undefined });
    return Object.assign(Object.create(this.#shared) as Context, { load, work });
  }
}

/** A class of loaders that are created on first use, as most operations need few. */
function lazily(table: LoaderTable): new (args: Omit<LoaderArgs, "load">) => Loaders {
  class LazyLoaders {
    readonly args: LoaderArgs;
    readonly made: Partial<Record<string, unknown>> = {};

    constructor(args: Omit<LoaderArgs, "load">) {
      this.args = { ...args, load: this as unknown as Loaders };
    }
  }
  for (const [name, make] of Object.entries<(args: LoaderArgs) => unknown>(table as never))
    Object.defineProperty(LazyLoaders.prototype, name, {
      get(this: LazyLoaders) {
        this.made[name] ??= make(this.args);
        return this.made[name];
      },
    });
  return LazyLoaders as unknown as new (
    args: Omit<LoaderArgs, "load">,
  ) => Loaders;
}
