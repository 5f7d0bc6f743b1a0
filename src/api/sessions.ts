import type { UserId } from "../util/ids.js";

const TOKEN = /^([1-9]\d{0,14})\.[A-Za-z0-9_-]{43}$/;

/** The user id in a session's token; undefined if the text is not a token. Only Redis knows whether a token is valid. */
export const userIdInToken = (token: string) => TOKEN.exec(token)?.[1] as UserId | undefined;

/** Whether a text has the form of a session's token. */
export const hasTokenForm = (text: string) => TOKEN.test(text);

/** The caller: the user of a session that was valid when the operation began. */
export interface Viewer {
  id: UserId;
  /** SHA-256 of the session's token, hexadecimal. */
  tokenHash: string;
  sessionId: string;
  /** A guest has no account, so no password, and cannot log in again. */
  guest: boolean;
}

/** The watch over the session behind one socket or stream, so that what the session carries ends with it. */
export interface SessionWatch {
  /** The viewer of the session; has another token after a refresh. */
  readonly viewer: Viewer;
  /** Resolves once no end can be missed any more; rejects if Redis refuses the subscription. */
  readonly ready: Promise<void>;
  /** Uses the session for an operation; false if it has ended. */
  use(): Promise<boolean>;
  /** Continues with the session that `move` returns instead of this one, which `move` ends. */
  move<T extends { viewer: Viewer }>(move: () => Promise<T>): Promise<T>;
  /** Stops watching. */
  stop(): void;
}

/** What transports ask the features about their clients. */
export interface Doorkeeper {
  /** The viewer with this token; null if the token is malformed, unknown or expired. The call prolongs the session. */
  viewer(token: string): Promise<Viewer | null>;
  /**
   * Watches the viewer's session, which was used a moment ago.
   * @param onEnd called once, when the session has ended
   * @param isInUse whether something is running that counts as use, such as a subscription
   */
  watch(viewer: Viewer, onEnd: () => void, isInUse?: () => boolean): SessionWatch;
  /** Counts one more connection of a user to this server. */
  opened(userId: UserId): Promise<void>;
  /** Counts one connection less. */
  closed(userId: UserId): Promise<void>;
  /** An upper bound of the number of a user's rooms. */
  roomsOf(userId: UserId): Promise<number>;
}
