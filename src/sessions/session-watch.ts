import type { Logger } from "pino";
import type { SessionWatch, Viewer } from "../api/sessions.js";
import type { Channels } from "../log/channels.js";
import { userChannels } from "../users/keys.js";
import type { UserId } from "../util/ids.js";
import type { SessionStore } from "./session.store.js";

const SWEEP = 250; // ms between two checks for sessions that have expired, or ended without a notification
const ROUND = 1_000; // ms in which all sessions are checked, as far as the next limit allows
const MOST_LOOKS = 75; // unprompted checks in one sweep, 300 a second: about 0.3 % of what Redis can do

/** The watches of one user's sessions on this server. They share one subscription to the user's channel. */
interface Watched {
  watches: Set<Watch>;
  /** Resolves to the unsubscribe function once Redis has acknowledged the subscription. */
  subscribed: Promise<() => void>;
}

/**
 * Watches the sessions behind sockets and streams, so that what a session carries ends with it. The script that ends a session publishes
 * this on the user's channel; a session that expires is found by its deadline. Both are only reasons to check: the answer of Redis counts,
 * and while Redis is unavailable everything stays open. Running subscriptions count as use: they prolong their session now and then.
 *
 * Some sessions end without a notification: the database is emptied, an account is deleted by hand, or this server receives nothing. So all
 * sessions are checked in turn, a bounded number at a time; a server that knows that it receives nothing checks all of them each second.
 */
export class SessionWatches {
  readonly #sessions: SessionStore;
  readonly #channels: Channels;
  readonly #hears: () => boolean;
  readonly #log: Logger;
  #turns: Iterator<Watch> | undefined;
  readonly #users = new Map<string, Watched>();
  readonly #sweep: NodeJS.Timeout;
  readonly #stopHearing: () => void;

  /** @param hears whether published messages arrive at this server, as far as it knows */
  constructor(sessions: SessionStore, channels: Channels, hears: () => boolean, log: Logger) {
    this.#sessions = sessions;
    this.#channels = channels;
    this.#hears = hears;
    this.#log = log;
    this.#sweep = setInterval(() => {
      const now = performance.now();
      this.#each((watch) => watch.deadline <= now || watch.isUseDue(now));
      this.#lookInTurn();
    }, SWEEP);
    // Messages that were published while the connection was down are lost.
    this.#stopHearing = channels.onReconnect(() => this.#each(() => true));
  }

  /**
   * Watches the viewer's session, which was used a moment ago.
   * @param onEnd called once, when the session has ended
   * @param isInUse whether something is running that counts as use, such as a subscription
   */
  start(viewer: Viewer, onEnd: () => void, isInUse: () => boolean = () => false): SessionWatch {
    const { id } = viewer;
    const watched = this.#users.get(id) ?? { watches: new Set(), subscribed: this.#subscribe(id) };
    this.#users.set(id, watched);
    // Subscribes first, then checks whether the session has ended, so that no end is missed in between.
    const watch: Watch = new Watch(viewer, this.#sessions, watched.subscribed, { onEnd, isInUse }, this.#log, () => {
      watched.watches.delete(watch);
      if (watched.watches.size > 0) return;
      this.#users.delete(id);
      watched.subscribed.then(
        (stop) => stop(),
        () => {}, // its callers got the error
      );
    });
    watched.watches.add(watch);
    return watch;
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#stopHearing();
  }

  #subscribe(userId: UserId): Promise<() => void> {
    return this.#channels.subscribe(userChannels.user(userId), (payload) => {
      if ((payload as { kind?: unknown } | null)?.kind !== "sessions.ended") return;
      for (const watch of this.#users.get(userId)?.watches ?? []) watch.look();
    });
  }

  #lookInTurn(): void {
    let count = 0;
    for (const { watches } of this.#users.values()) count += watches.size;
    const share = Math.ceil((count * SWEEP) / ROUND);
    for (let left = this.#hears() ? Math.min(share, MOST_LOOKS) : share; left > 0; left--) {
      this.#turns ??= this.#all();
      const { value, done } = this.#turns.next();
      if (done) this.#turns = undefined;
      else value.look();
    }
  }

  /** All watches in turn. Watches may be added or removed during this: iterators of maps and sets continue. */
  *#all(): Generator<Watch, undefined> {
    for (const { watches } of this.#users.values()) yield* watches;
    return undefined;
  }

  #each(concerned: (watch: Watch) => boolean): void {
    for (const { watches } of this.#users.values()) for (const watch of watches) if (concerned(watch)) watch.look();
  }
}

class Watch implements SessionWatch {
  viewer: Viewer;
  /** When to check whether it has expired, by `performance.now()`. */
  deadline = Number.POSITIVE_INFINITY;
  readonly ready: Promise<void>;
  readonly #sessions: SessionStore;
  readonly #onEnd: () => void;
  readonly #isInUse: () => boolean;
  /** When to use the session for what is running, by `performance.now()`. */
  #useAt: number;
  readonly #onStop: () => void;
  readonly #log: Logger;
  #stopped = false;
  #moving: Promise<unknown> = Promise.resolve();
  #looking: Promise<void> | undefined;
  /** Whether the result of the last check may be outdated. */
  #stale = false;

  constructor(
    viewer: Viewer,
    sessions: SessionStore,
    subscribed: Promise<unknown>,
    { onEnd, isInUse }: { onEnd: () => void; isInUse: () => boolean },
    log: Logger,
    onStop: () => void,
  ) {
    this.viewer = viewer;
    this.#sessions = sessions;
    this.#onEnd = onEnd;
    this.#isInUse = isInUse;
    // Random, so that sessions that connected together, as after a restart, are not used together.
    this.#useAt = performance.now() + (sessions.usedEvery(viewer) * (1 + Math.random())) / 2;
    this.#log = log;
    this.#onStop = onStop;
    this.ready = subscribed.then(() => this.look());
    this.ready.catch(() => {}); // for callers that do not await it
  }

  /** Checks whether the session has ended. */
  look(): Promise<void> {
    this.#stale = true;
    this.#looking ??= this.#look();
    return this.#looking;
  }

  async use(): Promise<boolean> {
    for (;;) {
      await this.#moving;
      const { viewer } = this;
      if (await this.#sessions.use(viewer)) return true;
      await this.#moving; // a refresh may have happened during the call
      if (this.viewer === viewer) return false;
    }
  }

  /** Whether it is time to use the session for what is running. */
  isUseDue(now: number): boolean {
    return this.#useAt <= now && this.#isInUse();
  }

  /** Checks wait until the move is done. */
  async move<T extends { viewer: Viewer }>(move: () => Promise<T>): Promise<T> {
    const moving = this.#moving.then(move).then((moved) => {
      this.viewer = moved.viewer;
      return moved;
    });
    this.#moving = moving.catch(() => {});
    void moving.catch(() => {}).then(() => this.look());
    return moving;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#onStop();
  }

  async #look(): Promise<void> {
    try {
      await this.#moving;
      while (this.#stale && !this.#stopped) {
        this.#stale = false;
        const { viewer } = this;
        const now = performance.now();
        const isUse = this.isUseDue(now);
        if (isUse) this.#useAt = now + this.#sessions.usedEvery(viewer);
        const left = await (isUse ? this.#sessions.prolong(viewer) : this.#sessions.timeLeft(viewer));
        await this.#moving; // a refresh may have happened during the call
        if (viewer !== this.viewer) this.#stale = true;
        else if (left !== undefined) this.deadline = performance.now() + left;
        else if (!this.#stopped) {
          this.stop();
          this.#onEnd();
        }
      }
    } catch (error) {
      this.#log.debug({ error: String(error) }, "could not check whether a session has ended; trying again");
      this.deadline = performance.now() + ROUND;
      this.#useAt = Math.min(this.#useAt, this.deadline); // the use may be what failed
    } finally {
      this.#looking = undefined; // in the same step as the last test of `#stale`, so that no check is lost
    }
  }
}
