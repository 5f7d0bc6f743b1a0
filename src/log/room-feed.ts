import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { isRedisAway, onceRedisAnswers } from "../redis/connect.js";
import { refusal } from "../util/errors.js";
import type { Channels } from "./channels.js";
import { after, type Entry, follows, isKnown, isSamePlace, type Place, type Stretch } from "./entry.js";
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
const PAUSE = 100; // ms between two attempts while Redis is unavailable
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
  #closed = false;
  /** The feed's place: all events up to it have been passed on. Undefined until the feed is open. */
  #place: Place | undefined;

  /** Subscribers at the feed's place. */
  readonly #live = new Set<Cursor<V>>();
  /** Subscribers that catch up from older places. */
  readonly #replaying = new Set<Cursor<V>>();
  #bringing = false;
  /** The number of subscribers that wait for the feed to open. */
  #joining = 0;

  /** Increases with each event that changes the replay of earlier ones. */
  #alterations = 0;
  /** The newest events with their current values, for subscribers that resume. */
  #recent: Standing<V> | undefined;
  /** The same for ranges read from the log. */
  readonly #fromLog = new WeakMap<Stretch<V>, Standing<V>>();

  #missed = false; // whether there may be events that were neither received nor read
  #catchingUp = false;
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
    const cursor = new Cursor(after, follower);
    const stop = () => {
      cursor.over = true;
      this.#live.delete(cursor);
      this.#replaying.delete(cursor);
      cursor.begun();
      this.#closeIfEmpty();
    };
    return { started: this.#start(cursor), stop };
  }

  /** Reads the events that the channel did not deliver, and passes them on; retries until Redis answers. */
  catchUp(): void {
    this.#missed = true;
    if (!this.#place) return; // `#open` checks again
    if (!this.#catchingUp) void this.#readOn(this.#place);
  }

  async #open(channels: Channels): Promise<() => void> {
    const unsubscribe = await channels.subscribe(this.#log.channel, (payload, size) => {
      const entry = this.#log.entry(payload, size);
      if (entry) this.#heard(entry);
    });
    try {
      const { end, entries } = await this.#read(() => this.#log.newest(NEWEST));
      this.#place = end;
      // Kept only if they lead up to the end of the log: after a loss the log may contain other events.
      if (entries.at(-1)?.position.seq === end.seq && entries.every(({ position }) => position.epoch === end.epoch)) {
        for (const entry of entries) this.#newest.add(entry);
      }
      if (this.#missed) this.catchUp();
      return unsubscribe;
    } catch (error) {
      unsubscribe();
      throw error;
    }
  }

  async #start(cursor: Cursor<V>): Promise<void> {
    this.#joining++;
    try {
      await this.#opened;
      if (cursor.over) return;
      if (this.#place && isSamePlace(cursor.place, this.#place)) this.#live.add(cursor);
      else await this.#bring(cursor);
    } finally {
      this.#joining--;
      this.#closeIfEmpty();
    }
  }

  #heard(entry: Entry<V>): void {
    const place = this.#place;
    // A read in progress may have happened before this event, so it has to be repeated.
    if (!place || this.#catchingUp) this.#missed = true;
    else if (follows(entry.position, place)) this.#pass(entry);
    else if (!isKnown(entry.position, place)) this.catchUp();
  }

  async #readOn(from: Place): Promise<void> {
    let place = from;
    this.#catchingUp = true;
    try {
      while (this.#missed && !this.#closed) {
        this.#missed = false;
        const { seq } = place;
        const stretch = await onceRedisAnswers(
          async () => this.#asItStands(await this.#read(() => this.#log.from(seq))),
          () => !this.#closed,
        );
        if (!stretch) return;
        const entries = after(place, stretch);
        if (entries) this.#passAll(entries);
        else this.#reset(stretch.end);
        place = entries ? (entries.at(-1)?.position ?? place) : stretch.end;
        if (place.seq < stretch.end.seq) this.#missed = true;
      }
    } catch (err) {
      this.#logger.error({ err, room: this.#log.roomId }, "could not read the room's log");
    } finally {
      this.#catchingUp = false; // no `await` after the last check of `#missed`, so that no event is overlooked
    }
  }

  #passAll(entries: Entry<V>[]): void {
    for (const entry of entries) {
      if (this.#closed) return; // its last subscriber has left with an event
      this.#pass(entry);
    }
  }

  #pass(entry: Entry<V>): void {
    this.#place = entry.position;
    this.lookedAt = performance.now();
    if (this.#log.alters(entry)) this.#alterations++;
    this.#newest.add(entry);
    for (const cursor of this.#live) cursor.tell(entry);
  }

  #reset(end: Place): void {
    this.#place = end;
    this.#newest.clear();
    this.#alterations++;
    this.#log.forget();
    const lost = [...this.#live];
    this.#live.clear();
    for (const cursor of lost) cursor.end(refusal("HISTORY_RESET", this.#log.roomId));
    this.#closeIfEmpty();
  }

  /** Resolves when the cursor has got the first events after its place. */
  #bring(cursor: Cursor<V>): Promise<void> {
    this.#replaying.add(cursor);
    const begun = new Promise<void>((resolve, reject) => {
      cursor.begun = resolve;
      cursor.failed = reject;
    });
    if (!this.#bringing) void this.#bringAll();
    return begun;
  }

  /**
   * Brings all replaying cursors up to the feed's place, from memory or from the log. The log is read in passes from older events to newer
   * ones: each range is read once for all cursors in it, so a thousand clients that resume at once cost as much as one.
   */
  async #bringAll(): Promise<void> {
    this.#bringing = true;
    try {
      for (let from = 0; this.#replaying.size > 0; ) {
        const waiting = [...this.#replaying];
        await this.#bringFromMemory();
        // Cursors that were added since then may not need the log.
        if (waiting.some((cursor) => this.#replaying.has(cursor)))
          from = await this.#bringFromLog(this.#oldestFrom(from) ?? this.#oldestFrom(0) ?? 0);
      }
    } catch (err) {
      this.#logger.error({ err, room: this.#log.roomId }, "could not replay events to subscribers; ending their subscriptions");
      for (const cursor of this.#replaying) this.#fail(cursor, err);
    } finally {
      this.#bringing = false; // no `await` after the last check of `#replaying`, so that no cursor is overlooked
    }
  }

  async #bringFromMemory(): Promise<void> {
    const isThere = (seq: number) => seq <= (this.#place?.seq ?? -1) && this.#newest.from(seq) !== undefined;
    const seqs = [...this.#replaying].map(({ place }) => place.seq).filter(isThere);
    if (seqs.length === 0) return;
    const from = Math.min(...seqs);
    try {
      const stretch = await this.#remembered(from);
      for (const cursor of this.#replaying) {
        const { seq } = cursor.place;
        if (stretch && seq >= from && seq <= stretch.end.seq) this.#advance(cursor, stretch);
      }
    } catch (error) {
      await this.#failed(error);
    }
  }

  /** The newest events from a seq on, past ones with their current values; undefined if they are no longer in memory. */
  async #remembered(from: number): Promise<Stretch<V> | undefined> {
    let known = this.#recent;
    if (!known || (known.stretch.entries[0]?.position.seq ?? 0) > from || !this.#isFresh(known)) {
      const entries = this.#newest.from(from);
      if (!entries || !this.#place) return undefined;
      const recent = await this.#look({ end: this.#place, entries });
      this.#recent = recent;
      setTimeout(() => {
        if (this.#recent === recent) this.#recent = undefined;
      }, FRESH).unref();
      known = recent;
    }
    const { end, entries } = known.stretch;
    if (!this.#place || this.#place.seq === end.seq) return { end, entries };
    // Events that arrived since then are new, so their values are current.
    const news = this.#newest.from(end.seq)?.slice(1);
    return news ? { end: this.#place, entries: [...entries, ...news] } : { end, entries };
  }

  /** A range of the log with its current values. */
  async #asItStands(stretch: Stretch<V>): Promise<Stretch<V>> {
    const known = this.#fromLog.get(stretch);
    if (known && this.#isFresh(known)) return known.stretch;
    const standing = await this.#look(stretch);
    this.#fromLog.set(stretch, standing);
    return standing.stretch;
  }

  async #look({ end, entries }: Stretch<V>): Promise<Standing<V>> {
    const [alterations, madeAt] = [this.#alterations, performance.now()];
    return { alterations, madeAt, stretch: { end, entries: await this.#log.asTheyStand(entries) } };
  }

  #isFresh({ alterations, madeAt }: Standing<V>): boolean {
    return alterations === this.#alterations && performance.now() - madeAt < FRESH;
  }

  /** Advances the cursors at `start` or within the range that begins there. @returns the seq at which the range ends */
  async #bringFromLog(start: number): Promise<number> {
    try {
      const stretch = await this.#asItStands(this.#log.lately(start) ?? (await this.#readBeside(start)));
      const last = stretch.entries.at(-1)?.position.seq ?? stretch.end.seq;
      for (const cursor of this.#replaying) {
        const { seq } = cursor.place;
        // A cursor at the end of the range, or one past it that was added since the read, needs another range.
        if (seq === start || (seq > start && seq < last)) this.#advance(cursor, stretch);
      }
      return last;
    } catch (error) {
      await this.#failed(error);
      return start;
    }
  }

  /** Fails cursors that have not advanced yet; the others wait if Redis is unavailable. */
  async #failed(error: unknown): Promise<void> {
    for (const cursor of this.#replaying) if (!cursor.moving || !isRedisAway(error)) this.#fail(cursor, error);
    await delay(PAUSE);
  }

  /** Reads for replaying cursors. If the log is not the one that the feed follows, the feed reads it as well. */
  async #readBeside(start: number): Promise<Stretch<V>> {
    const place = this.#place;
    const stretch = await this.#read(() => this.#log.from(start));
    if (place && (place.epoch !== stretch.end.epoch || place.seq > stretch.end.seq)) this.catchUp();
    return stretch;
  }

  /** The lowest seq of all replaying cursors that are at or after `from`. */
  #oldestFrom(from: number): number | undefined {
    let oldest: number | undefined;
    for (const { place } of this.#replaying) if (place.seq >= from && place.seq < (oldest ?? Number.POSITIVE_INFINITY)) oldest = place.seq;
    return oldest;
  }

  #advance(cursor: Cursor<V>, stretch: Stretch<V>): void {
    const entries = after(cursor.place, stretch);
    if (!entries) {
      this.#fail(cursor, refusal("HISTORY_RESET", this.#log.roomId));
      return;
    }
    for (const entry of entries) cursor.tell(entry);
    cursor.follower.replayed(
      entries.length,
      entries.reduce((sum, { size }) => sum + size, 0),
    );
    // The log may be ahead of the channel: the cursor drops the events that the channel delivers later.
    if (cursor.place.seq >= Math.max(stretch.end.seq, this.#place?.seq ?? 0) && this.#replaying.delete(cursor)) this.#live.add(cursor);
    cursor.begun();
    cursor.moving = true;
  }

  #fail(cursor: Cursor<V>, error: unknown): void {
    this.#replaying.delete(cursor);
    if (cursor.moving) cursor.end(error);
    else cursor.failed(error);
    this.#closeIfEmpty();
  }

  #read(read: () => Promise<Stretch<V>>): Promise<Stretch<V>> {
    this.lookedAt = performance.now();
    this.#on.onRead();
    return read();
  }

  #closeIfEmpty(): void {
    if (this.#closed || this.#joining > 0 || this.#live.size > 0 || this.#replaying.size > 0) return;
    this.#closed = true;
    this.#newest.clear();
    this.#on.onEmpty();
    this.#opened.then(
      (unsubscribe) => unsubscribe(),
      () => {}, // `follow` has passed the error to its callers
    );
  }
}

/** A range with the values that subscribers get when they resume. */
interface Standing<V> {
  stretch: Stretch<V>;
  /** The room's alterations when the values were read, and the time of that. */
  alterations: number;
  madeAt: number;
}

/** One subscriber's place in the room's events. */
class Cursor<V> {
  over = false;
  /** Whether it has got the first events after its place. */
  moving = false;
  begun: () => void = () => {};
  failed: (error: unknown) => void = () => {};

  constructor(
    public place: Place,
    readonly follower: Follower<V>,
  ) {}

  /** Delivers the event, unless it has been delivered. Ends if the log lost events that were delivered, and reuses their numbers. */
  tell({ value, position }: Entry<V>): void {
    if (this.over) return;
    if (position.seq <= this.place.seq) {
      if (!isKnown(position, this.place)) this.end(refusal("HISTORY_RESET", position.roomId));
      return;
    }
    this.place = position;
    if (value !== undefined) this.follower.event(value, position);
  }

  end(reason: unknown): void {
    if (!this.over) this.follower.over(reason);
    this.over = true;
  }
}
