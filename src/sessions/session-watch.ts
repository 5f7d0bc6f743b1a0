import type { Logger } from "pino";
import type { Channels } from "../delivery/channels.js";
import { channels } from "../redis/keys.js";
import type { SessionStore, Viewer } from "./session.store.js";

const SWEEP = 250; // ms between two looks for sessions that have run out, or are over for no reason that was heard
const ROUND = 1_000; // ms in which all sessions are looked at, as far as the next bound allows
const MOST_LOOKS = 75; // in one sweep without a reason, 300 a second: about 0.3 % of what Redis can do

/** Those whose sessions are watched here, by user, who share one subscription to the user's channel. */
interface Watched {
  watches: Set<SessionWatch>;
  /** Resolves, once Redis has acknowledged, to what ends it. */
  subscribed: Promise<() => void>;
}

/**
 * Watches the sessions behind what lasts, sockets and streams, so that what a session carried ends with it. What ends a
 * session says so on the user's channel; one that runs out is found by its time. Either is only a reason to look: what
 * counts is what Redis then says, and while Redis is away everything stays. What goes on is use: it prolongs its session, now and then.
 *
 * Some sessions end without a word: the database is emptied, an account is deleted by hand, or this server does not hear. So
 * all are looked at in turn, a bounded number at a time; a server that knows that it does not hear looks at all each second.
 */
export class SessionWatches {
  readonly #sessions: SessionStore;
  readonly #channels: Channels;
  readonly #hears: () => boolean;
  readonly #log: Logger;
  #turns: Iterator<SessionWatch> | undefined;
  readonly #users = new Map<string, Watched>();
  readonly #sweep: NodeJS.Timeout;
  readonly #stopHearing: () => void;

  /** @param hears whether what is published arrives here, as far as is known */
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
    // What was published while the connection was down was not heard.
    this.#stopHearing = channels.onReconnect(() => this.#each(() => true));
  }

  /**
   * Watches the viewer's session, which was used a moment ago.
   * @param onEnd called once, when it is over
   * @param isInUse whether something goes on that counts as use, such as a subscription
   */
  start(viewer: Viewer, onEnd: () => void, isInUse: () => boolean = () => false): SessionWatch {
    const { id } = viewer;
    const watched = this.#users.get(id) ?? { watches: new Set(), subscribed: this.#subscribe(id) };
    this.#users.set(id, watched);
    // First hear of what ends, then look whether it has: nothing can fall in between.
    const watch: SessionWatch = new SessionWatch(viewer, this.#sessions, watched.subscribed, { onEnd, isInUse }, this.#log, () => {
      watched.watches.delete(watch);
      if (watched.watches.size > 0) return;
      this.#users.delete(id);
      watched.subscribed.then(
        (stop) => stop(),
        () => {}, // who waited for it was told
      );
    });
    watched.watches.add(watch);
    return watch;
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#stopHearing();
  }

  #subscribe(userId: string): Promise<() => void> {
    return this.#channels.subscribe(channels.user(userId), (payload) => {
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

  /** All watches in turn. Some may be added or removed on the way: iterators of maps and sets go on. */
  *#all(): Generator<SessionWatch, undefined> {
    for (const { watches } of this.#users.values()) yield* watches;
    return undefined;
  }

  #each(concerned: (watch: SessionWatch) => boolean): void {
    for (const { watches } of this.#users.values()) for (const watch of watches) if (concerned(watch)) watch.look();
  }
}

/** The session behind one socket or stream. */
export class SessionWatch {
  /** Whose session it is now; another token's after a refresh. */
  viewer: Viewer;
  /** When to look whether it has run out, by `performance.now()`. */
  deadline = Number.POSITIVE_INFINITY;
  /** Resolves once nothing can end unnoticed any more; rejects where Redis does not let us listen. */
  readonly ready: Promise<void>;
  readonly #sessions: SessionStore;
  readonly #onEnd: () => void;
  readonly #isInUse: () => boolean;
  /** When to use the session for what goes on, by `performance.now()`. */
  #useAt: number;
  readonly #onStop: () => void;
  readonly #log: Logger;
  #stopped = false;
  #moving: Promise<unknown> = Promise.resolve();
  #looking: Promise<void> | undefined;
  /** What the last look saw may have changed since. */
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
    // Those who came together, as after a restart, are not used together.
    this.#useAt = performance.now() + (sessions.usedEvery(viewer) * (1 + Math.random())) / 2;
    this.#log = log;
    this.#onStop = onStop;
    this.ready = subscribed.then(() => this.look());
    this.ready.catch(() => {}); // for those who do not wait for it
  }

  /** Looks whether the session is over. */
  look(): Promise<void> {
    this.#stale = true;
    this.#looking ??= this.#look();
    return this.#looking;
  }

  /** Uses the session for an operation; false if it is over. */
  async use(): Promise<boolean> {
    for (;;) {
      await this.#moving;
      const { viewer } = this;
      if (await this.#sessions.use(viewer)) return true;
      await this.#moving; // a refresh may have overtaken us
      if (this.viewer === viewer) return false;
    }
  }

  /** Whether it is time to use the session for what goes on. */
  isUseDue(now: number): boolean {
    return this.#useAt <= now && this.#isInUse();
  }

  /** Goes on with the session that `move` gives instead of this one, which ends by that; until then nobody looks. */
  async move<T extends { viewer: Viewer }>(move: () => Promise<T>): Promise<T> {
    const moving = this.#moving.then(move).then((moved) => {
      this.viewer = moved.viewer;
      return moved;
    });
    this.#moving = moving.catch(() => {});
    void moving.catch(() => {}).then(() => this.look());
    return moving;
  }

  /** Watches no more. */
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
        await this.#moving; // a refresh may have overtaken us
        if (viewer !== this.viewer) this.#stale = true;
        else if (left !== undefined) this.deadline = performance.now() + left;
        else if (!this.#stopped) {
          this.stop();
          this.#onEnd();
        }
      }
    } catch (error) {
      this.#log.debug({ error: String(error) }, "could not look whether a session is over; trying again");
      this.deadline = performance.now() + ROUND;
      this.#useAt = Math.min(this.#useAt, this.deadline); // it may have been this that failed
    } finally {
      this.#looking = undefined; // in the same step in which nothing was stale, so that no look is lost
    }
  }
}
