import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { isRedisAway, onceRedisAnswers } from "../redis/connect.js";
import { refusal } from "../util/errors.js";
import type { Channels } from "./channels.js";
import { after, type Entry, isKnown, isSamePlace, type LogRange, type Place } from "./entry.js";
import { type FeedInputs, type FeedState, feedAfter, type SubscriberInput, type SubscriberState, subscriberAfter } from "./feed-state.js";
import type { RoomLog } from "./log.js";
import type { NewestOfRoom } from "./newest.js";
import type { Position } from "./position.js";

/** A subscriber to a room. It gets each event once, in order, then at most one reason why there will be no more. */
export interface Follower<V> {
  /** @param value the event's value @param position its position; both are the same objects for every subscriber */
  event(value: V, position: Position): void;
  over(reason: unknown): void;
  /** Called when past events were read for it, with their number and characters, whether it gets them or not. */
  replayed(events: number, characters: number): void;
}

export interface Following {
  /**
   * Resolves once Redis has acknowledged the subscription and the first events after the position are delivered.
   * @throws ChatError HISTORY_RESET if the position cannot be resumed; the error of the connection if Redis is unavailable
   */
  started: Promise<void>;
  /** Ends it, at any time; the subscriber gets nothing after that. */
  stop: () => void;
}

const NEWEST = 100; // events read when a room is opened
const RETRY_PAUSE = 100; // ms between two attempts while Redis is unavailable
const FRESH = 1_000; // ms for which subscribers that resume share the values read for past events

/**
 * One followed room. The order of its start ensures that nothing is missed: it subscribes to the channel and waits for Redis's
 * acknowledgement, then reads the end of the log, then follows. It passes on an event with the next seq. After a later one, or a new
 * connection to Redis, it reads the log from its own place. It drops earlier ones.
 */
export class RoomFeed<V> {
  readonly #log: RoomLog<V>;
  readonly #newest: NewestOfRoom<V>;
  readonly #logger: Logger;
  readonly #on: { onRead: () => void; onEmpty: () => void };
  readonly #opened: Promise<() => void>;
  #state: FeedState = { name: "opening", missed: false };

  readonly #joining = new Set<Subscriber<V>>();
  /** Subscribers that get past events, from older places than the feed's. */
  readonly #behind = new Set<Subscriber<V>>();
  /** Subscribers at the feed's place. */
  readonly #live = new Set<Subscriber<V>>();
  /** Where subscribers are kept, by state. */
  readonly #sets = { joining: this.#joining, waiting: this.#behind, replaying: this.#behind, live: this.#live, over: undefined };
  #bringing = false;

  /** Increases with each event that changes the replay of earlier ones. */
  #alterations = 0;
  /** The newest events with their current values, for subscribers that resume. */
  #recent: Snapshot<V> | undefined;
  /** The same for ranges read from the log. */
  readonly #fromLog = new WeakMap<LogRange<V>, Snapshot<V>>();

  /** When the log was last read, or an event was last passed on (ms, by `performance.now`). */
  lookedAt = performance.now();

  constructor(
    log: RoomLog<V>,
    channels: Channels,
    newest: NewestOfRoom<V>,
    logger: Logger,
    on: { onRead: () => void; onEmpty: () => void },
  ) {
    this.#log = log;
    this.#newest = newest;
    this.#logger = logger;
    this.#on = on;
    this.#opened = this.#open(channels);
    this.#opened.catch(() => {}); // `follow` passes the error to its callers
  }

  follow(after: Position, follower: Follower<V>): Following {
    const subscriber = new Subscriber(after, follower);
    this.#joining.add(subscriber);
    const stop = () => {
      this.#move(subscriber, "stop");
      subscriber.begun();
    };
    return { started: this.#start(subscriber), stop };
  }

  /** Reads the events that the channel did not deliver, and passes them on; retries until Redis answers. */
  catchUp(): void {
    this.#put("gap", {});
  }

  async #open(channels: Channels): Promise<() => void> {
    const unsubscribe = await channels.subscribe(this.#log.channel, (payload, size) => {
      const entry = this.#log.entry(payload, size);
      if (entry) this.#put("heard", entry, [entry]);
    });
    try {
      const { end, entries } = await this.#read(() => this.#log.newest(NEWEST));
      // Kept only if they lead up to the end of the log: after a loss the log may contain other events.
      if (entries.at(-1)?.position.seq === end.seq && entries.every(({ position }) => position.epoch === end.epoch)) {
        for (const entry of entries) this.#newest.add(entry);
      }
      this.#put("opened", { end });
      return unsubscribe;
    } catch (error) {
      unsubscribe();
      throw error;
    }
  }

  async #start(subscriber: Subscriber<V>): Promise<void> {
    try {
      await this.#opened;
    } catch (error) {
      this.#move(subscriber, "lost");
      throw error;
    }
    if (subscriber.state !== "joining") return;
    if (this.#place && isSamePlace(subscriber.place, this.#place)) this.#move(subscriber, "caughtUp");
    else await this.#bring(subscriber);
  }

  /** All events up to here have been passed on. Undefined unless the feed is open. */
  get #place(): Place | undefined {
    return "place" in this.#state ? this.#state.place : undefined;
  }

  /** @param entries the events of the input */
  #put<Input extends keyof FeedInputs>(name: Input, input: FeedInputs[Input], entries: readonly Entry<V>[] = []): void {
    const { state, effects } = feedAfter(this.#state, name, input);
    this.#state = state;
    for (const effect of effects) {
      if (effect.do === "pass") this.#pass(entries);
      else if (effect.do === "read") void this.#readFrom(effect.from);
      else if (effect.do === "reset") this.#reset();
      else this.#unsubscribe();
    }
  }

  async #readFrom(seq: number): Promise<void> {
    try {
      const range = await onceRedisAnswers(
        async () => this.#withCurrentValues(await this.#read(() => this.#log.from(seq))),
        () => this.#state.name === "reading",
      );
      if (!range || !this.#place) return;
      const next = after(this.#place, range);
      this.#put("read", { next, end: range.end }, next);
    } catch (err) {
      this.#logger.error({ err, room: this.#log.roomId }, "could not read the room's log");
      this.#put("failed", {});
    }
  }

  #pass(entries: readonly Entry<V>[]): void {
    for (const entry of entries) {
      if (this.#state.name === "closed") return; // its last subscriber has left with an event
      this.lookedAt = performance.now();
      if (this.#log.alters(entry)) this.#alterations++;
      this.#newest.add(entry);
      for (const subscriber of this.#live) this.#deliver(subscriber, entry);
    }
  }

  #reset(): void {
    this.#newest.clear();
    this.#alterations++;
    this.#log.forget();
    for (const subscriber of [...this.#live]) this.#end(subscriber, refusal("HISTORY_RESET", this.#log.roomId));
  }

  #unsubscribe(): void {
    this.#newest.clear();
    this.#on.onEmpty();
    this.#opened.then(
      (unsubscribe) => unsubscribe(),
      () => {}, // `follow` has passed the error to its callers
    );
  }

  #move(subscriber: Subscriber<V>, input: SubscriberInput): void {
    const [before, now] = [this.#sets[subscriber.state], this.#sets[subscriberAfter(subscriber.state, input)]];
    subscriber.state = subscriberAfter(subscriber.state, input);
    if (before === now) return;
    before?.delete(subscriber);
    now?.add(subscriber);
    if (this.#joining.size + this.#behind.size + this.#live.size === 0) this.#put("close", {});
  }

  /** Delivers an event, unless it was delivered. Ends if the log lost events that were delivered, and reuses their numbers. */
  #deliver(subscriber: Subscriber<V>, { value, position }: Entry<V>): void {
    if (subscriber.state === "over") return;
    if (position.seq <= subscriber.place.seq) {
      if (!isKnown(position, subscriber.place)) this.#end(subscriber, refusal("HISTORY_RESET", position.roomId));
      return;
    }
    subscriber.place = position;
    if (value !== undefined) subscriber.follower.event(value, position);
  }

  #end(subscriber: Subscriber<V>, reason: unknown): void {
    const { state } = subscriber;
    this.#move(subscriber, "lost");
    if (state === "waiting") subscriber.failed(reason);
    else if (state !== "over") subscriber.follower.over(reason);
  }

  /** Resolves when the subscriber has got the first events after its place. */
  #bring(subscriber: Subscriber<V>): Promise<void> {
    this.#move(subscriber, "behind");
    const begun = new Promise<void>((resolve, reject) => {
      subscriber.begun = resolve;
      subscriber.failed = reject;
    });
    if (!this.#bringing) void this.#bringAll();
    return begun;
  }

  /**
   * Brings all replaying subscribers up to the feed's place, from memory or from the log. The log is read in passes from older events to newer
   * ones: each range is read once for all subscribers in it, so a thousand clients that resume at once cost as much as one.
   */
  async #bringAll(): Promise<void> {
    this.#bringing = true;
    try {
      for (let from = 0; this.#behind.size > 0; ) {
        const waiting = [...this.#behind];
        await this.#bringFromMemory();
        // Subscribers that were added since then may not need the log.
        if (waiting.some((subscriber) => this.#behind.has(subscriber)))
          from = await this.#bringFromLog(this.#oldestFrom(from) ?? this.#oldestFrom(0) ?? 0);
      }
    } catch (err) {
      this.#logger.error({ err, room: this.#log.roomId }, "could not replay events to subscribers; ending their subscriptions");
      for (const subscriber of this.#behind) this.#end(subscriber, err);
    } finally {
      this.#bringing = false; // no `await` after the last check of `#behind`, so that no subscriber is overlooked
    }
  }

  async #bringFromMemory(): Promise<void> {
    const isThere = (seq: number) => seq <= (this.#place?.seq ?? -1) && this.#newest.from(seq) !== undefined;
    const seqs = [...this.#behind].map(({ place }) => place.seq).filter(isThere);
    if (seqs.length === 0) return;
    const from = Math.min(...seqs);
    try {
      const range = await this.#remembered(from);
      for (const subscriber of this.#behind) {
        const { seq } = subscriber.place;
        if (range && seq >= from && seq <= range.end.seq) this.#advance(subscriber, range);
      }
    } catch (error) {
      await this.#failed(error);
    }
  }

  /** The newest events from a seq on, past ones with their current values; undefined if they are no longer in memory. */
  async #remembered(from: number): Promise<LogRange<V> | undefined> {
    let known = this.#recent;
    if (!known || (known.range.entries[0]?.position.seq ?? 0) > from || !this.#isFresh(known)) {
      const entries = this.#newest.from(from);
      if (!entries || !this.#place) return undefined;
      const recent = await this.#look({ end: this.#place, entries });
      this.#recent = recent;
      setTimeout(() => {
        if (this.#recent === recent) this.#recent = undefined;
      }, FRESH).unref();
      known = recent;
    }
    const { end, entries } = known.range;
    if (!this.#place || this.#place.seq === end.seq) return { end, entries };
    // Events that arrived since then are new, so their values are current.
    const news = this.#newest.from(end.seq)?.slice(1);
    return news ? { end: this.#place, entries: [...entries, ...news] } : { end, entries };
  }

  /** A range of the log with its current values. */
  async #withCurrentValues(range: LogRange<V>): Promise<LogRange<V>> {
    const known = this.#fromLog.get(range);
    if (known && this.#isFresh(known)) return known.range;
    const snapshot = await this.#look(range);
    this.#fromLog.set(range, snapshot);
    return snapshot.range;
  }

  async #look({ end, entries }: LogRange<V>): Promise<Snapshot<V>> {
    const [alterations, madeAt] = [this.#alterations, performance.now()];
    return { alterations, madeAt, range: { end, entries: await this.#log.withCurrentValues(entries) } };
  }

  #isFresh({ alterations, madeAt }: Snapshot<V>): boolean {
    return alterations === this.#alterations && performance.now() - madeAt < FRESH;
  }

  /** Advances the subscribers at `start` or within the range that begins there. @returns the seq at which the range ends */
  async #bringFromLog(start: number): Promise<number> {
    try {
      const range = await this.#withCurrentValues(this.#log.lately(start) ?? (await this.#readBeside(start)));
      const last = range.entries.at(-1)?.position.seq ?? range.end.seq;
      for (const subscriber of this.#behind) {
        const { seq } = subscriber.place;
        // A subscriber at the end of the range, or one past it that was added since the read, needs another range.
        if (seq === start || (seq > start && seq < last)) this.#advance(subscriber, range);
      }
      return last;
    } catch (error) {
      await this.#failed(error);
      return start;
    }
  }

  /** Fails subscribers that have not advanced yet; the others wait if Redis is unavailable. */
  async #failed(error: unknown): Promise<void> {
    for (const subscriber of this.#behind) if (subscriber.state === "waiting" || !isRedisAway(error)) this.#end(subscriber, error);
    await delay(RETRY_PAUSE);
  }

  /** Reads for replaying subscribers. If the log is not the one that the feed follows, the feed reads it as well. */
  async #readBeside(start: number): Promise<LogRange<V>> {
    const place = this.#place;
    const range = await this.#read(() => this.#log.from(start));
    if (place && (place.epoch !== range.end.epoch || place.seq > range.end.seq)) this.catchUp();
    return range;
  }

  /** The lowest seq of all replaying subscribers that are at or after `from`. */
  #oldestFrom(from: number): number | undefined {
    let oldest: number | undefined;
    for (const { place } of this.#behind) if (place.seq >= from && place.seq < (oldest ?? Number.POSITIVE_INFINITY)) oldest = place.seq;
    return oldest;
  }

  #advance(subscriber: Subscriber<V>, range: LogRange<V>): void {
    const entries = after(subscriber.place, range);
    if (!entries) {
      this.#end(subscriber, refusal("HISTORY_RESET", this.#log.roomId));
      return;
    }
    for (const entry of entries) this.#deliver(subscriber, entry);
    subscriber.follower.replayed(
      entries.length,
      entries.reduce((sum, { size }) => sum + size, 0),
    );
    // The log may be ahead of the channel: the subscriber drops the events that the channel delivers later.
    const isThere = subscriber.place.seq >= Math.max(range.end.seq, this.#place?.seq ?? 0);
    this.#move(subscriber, isThere ? "caughtUp" : "advanced");
    subscriber.begun();
  }

  #read(read: () => Promise<LogRange<V>>): Promise<LogRange<V>> {
    this.lookedAt = performance.now();
    this.#on.onRead();
    return read();
  }
}

/** A range with the values that subscribers get when they resume. */
interface Snapshot<V> {
  range: LogRange<V>;
  /** The room's alterations when the values were read, and the time of that. */
  alterations: number;
  madeAt: number;
}

/** One subscriber, and its place in the room's events. */
class Subscriber<V> {
  state: SubscriberState = "joining";
  begun: () => void = () => {};
  failed: (error: unknown) => void = () => {};

  constructor(
    public place: Place,
    readonly follower: Follower<V>,
  ) {}
}
