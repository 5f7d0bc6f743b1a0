import type { Readiness } from "../redis/health.js";
import type { SessionWatch, Viewer } from "./sessions.js";
import type { Work } from "./work.js";

/**
 * What the features offer to each other and to the API, by name. Each feature adds its own with a declaration in its `feature.ts`:
 *
 *     declare module "../api/context.js" {
 *       interface Stores { pins: PinStore }
 *     }
 */
// biome-ignore lint/suspicious/noEmptyInterface: the features add to it
export interface Stores {}

/**
 * Look up objects by id for one operation: each object once, and objects requested together in one round trip. Features add their own, as
 * with `Stores`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: the features add to it
export interface Loaders {}

/** The stores and facts that all operations of a server share. */
export interface Services extends Stores {
  /** Resolves within a second to whether this server could store and deliver a message now. */
  readiness: () => Promise<Readiness>;
}

/** The origin of an operation, and access to its connection. */
export interface Caller {
  /** The client's address, as limits count it; undefined for this machine. */
  address: string | undefined;
  /** Whether the session came in the browser's cookie, which the page's scripts cannot read. */
  byCookie: boolean;
  /** Stores a token in the browser's cookie; null removes it. Undefined for operations over a WebSocket, which cannot set cookies. */
  setCookie?: (token: string | null) => void;
  /** The watch over the socket's session, for an operation over a socket. */
  watch?: SessionWatch | undefined;
}

/** The context of a resolver. Each operation, and each event of a subscription, has its own. */
export interface Context extends Services {
  viewer: Viewer | null;
  caller: Caller;
  load: Loaders;
  /** The work that it causes on the server. */
  work: Work;
  /** Whether it is for an event of a subscription. The viewer may have left the room of the event since then. */
  ofEvent: boolean;
  /** Whether the event of a subscription is executed once for many subscribers, each of whom was authorized when they subscribed. */
  forMany: boolean;
}

/** The context behind `@Authorized()`, which guarantees a viewer. */
export type ViewerContext = Context & { viewer: Viewer };
