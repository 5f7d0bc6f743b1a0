import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { refusal } from "../errors.js";
import { isRedisAway, onceRedisAnswers } from "../redis/connect.js";
import type { Channels } from "./channels.js";
import { after, type Entry, follows, isKnown, isSamePlace, type Place, type RoomLog, type Stretch } from "./log.js";
import type { NewestOfRoom } from "./newest.js";
import type { Position } from "./position.js";

/** What a follower is told, in order: each event once, then at most one reason why there will be no more. */
export interface Follower<V> {
  /** @param value what the event means, @param position where it stands: the same objects for every follower */
  event(value: V, position: Position): void;
  over(reason: unknown): void;
  /** That many events of the past were read for it, with that many characters, whether it is told of them or not. */
  replayed(events: number, characters: number): void;
}

export interface Following {
  /**
   * Resolves once Redis listens and the first events after the position have been told.
   * @throws ChatError HISTORY_RESET where the position cannot be continued; the error of a Redis that is away
   */
  started: Promise<void>;
  /** Ends it, at any time; the follower hears nothing after that. */
  stop: () => void;
}

const NEWEST = 100; // events read when a room is opened
const PAUSE = 100; // ms between two tries while Redis is away
const FRESH = 1_000; // ms for which those who come back share what is told of events of the past

/**
 * One followed room. The order in which it starts is the argument that nothing is missed: subscribe to the channel and
 * wait for Redis's acknowledgement, then read where the log stands, then follow. An event with the next seq passes on;
 * a later one, or a new connection to Redis, makes it read the log from where it is; an earlier one is dropped.
 */
export class RoomFeed<V> {
  readonly #log: RoomLog<V>;
  readonly #newest: NewestOfRoom<V>;
  readonly #logger: Logger;
  readonly #on: { onRead: () => void; onEmpty: () => void };
  readonly #opened: Promise<() => void>;
  #closed = false;
  /** Where the feed stands: everything before has been passed on. Unknown until it is open. */
  #place: Place | undefined;

  /** Followers that stand where the feed stands. */
  readonly #live = new Set<Cursor<V>>();
  /** Followers that are brought there from older places. */
  readonly #replaying = new Set<Cursor<V>>();
  #bringing = false;
  /** Followers that wait for the feed to open. */
  #joining = 0;

  /** Grows with each event that changes what is to be told of earlier ones. */
  #alterations = 0;
  /** What is told of the newest events to those who come back. */
  #recent: Standing<V> | undefined;
  /** The same of what was read from the log. */
  readonly #fromLog = new WeakMap<Stretch<V>, Standing<V>>();

  #missed = false; // there may be events that were neither heard nor read
  #catchingUp = false;
  /** When the log was last looked at, or an event was passed on (ms, as of `performance.now`). */
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
    this.#opened.catch(() => {}); // those who asked to follow are told
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

  /** Reads what the channel did not bring and passes it on; tries until Redis answers. */
  catchUp(): void {
    this.#missed = true;
    if (!this.#place) return; // opening looks again
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
      // Only what leads up to where the log stands: after a loss there may be other things in it.
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
    // A read that is under way may have been made before this event: it has to look again.
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
        if (entries) for (const entry of entries) this.#pass(entry);
        else this.#reset(stretch.end);
        place = entries ? (entries.at(-1)?.position ?? place) : stretch.end;
        if (place.seq < stretch.end.seq) this.#missed = true;
      }
    } catch (err) {
      this.#logger.error({ err, room: this.#log.roomId }, "could not read the room's log");
    } finally {
      this.#catchingUp = false; // in the same breath as the last look at what is missed
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

  /** Resolves when the cursor has been told the first events after its place. */
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
   * Brings all that replay to where the feed stands, from memory or, in sweeps from older events to newer ones, from the
   * log: each stretch is read once for everyone whose place is in it. So a thousand who come back at once cost what one does.
   */
  async #bringAll(): Promise<void> {
    this.#bringing = true;
    try {
      for (let from = 0; this.#replaying.size > 0; ) {
        const waiting = [...this.#replaying];
        await this.#bringFromMemory();
        // Who has come since then may need no log.
        if (waiting.some((cursor) => this.#replaying.has(cursor)))
          from = await this.#bringFromLog(this.#oldestFrom(from) ?? this.#oldestFrom(0) ?? 0);
      }
    } catch (err) {
      this.#logger.error({ err, room: this.#log.roomId }, "could not bring followers to where the room stands");
      for (const cursor of this.#replaying) this.#fail(cursor, err);
    } finally {
      this.#bringing = false; // in the same breath as the last look at who replays
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

  /** The newest events from a seq on, those of the past as they stand; undefined where they have been forgotten meanwhile. */
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
    // What was heard since then is news, and as it stands.
    const news = this.#newest.from(end.seq)?.slice(1);
    return news ? { end: this.#place, entries: [...entries, ...news] } : { end, entries };
  }

  /** A stretch of the log as followers are told of it now. */
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

  /** Brings those on who stand at `start` or within the stretch that begins there; gives the seq with which it ends. */
  async #bringFromLog(start: number): Promise<number> {
    try {
      const stretch = await this.#asItStands(this.#log.lately(start) ?? (await this.#readBeside(start)));
      const last = stretch.entries.at(-1)?.position.seq ?? stretch.end.seq;
      for (const cursor of this.#replaying) {
        const { seq } = cursor.place;
        // Whoever stands where the stretch ends, or has come from further on since it was read, needs another one.
        if (seq === start || (seq > start && seq < last)) this.#advance(cursor, stretch);
      }
      return last;
    } catch (error) {
      await this.#failed(error);
      return start;
    }
  }

  /** Those who have just come are refused; those on their way wait for Redis. */
  async #failed(error: unknown): Promise<void> {
    for (const cursor of this.#replaying) if (!cursor.moving || !isRedisAway(error)) this.#fail(cursor, error);
    await delay(PAUSE);
  }

  /** Reads for those who replay; should the log not be the one that the feed follows, the feed looks for itself. */
  async #readBeside(start: number): Promise<Stretch<V>> {
    const place = this.#place;
    const stretch = await this.#read(() => this.#log.from(start));
    if (place && (place.epoch !== stretch.end.epoch || place.seq > stretch.end.seq)) this.catchUp();
    return stretch;
  }

  /** The lowest seq that a replaying cursor stands at, of those from a seq on. */
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
    // The log may be ahead of the channel: what is heard later, the cursor drops.
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
      () => {}, // those who asked to follow were told
    );
  }
}

/** A stretch as it is told to those who come back. */
interface Standing<V> {
  stretch: Stretch<V>;
  /** Of the room when it was looked at, and when that was. */
  alterations: number;
  madeAt: number;
}

/** Where one follower is in the room's events. */
class Cursor<V> {
  over = false;
  /** It has been told the first events after its place. */
  moving = false;
  begun: () => void = () => {};
  failed: (error: unknown) => void = () => {};

  constructor(
    public place: Place,
    readonly follower: Follower<V>,
  ) {}

  /** Tells the event, unless it has been told. */
  tell({ value, position }: Entry<V>): void {
    if (this.over || position.seq <= this.place.seq) return;
    this.place = position;
    if (value !== undefined) this.follower.event(value, position);
  }

  end(reason: unknown): void {
    if (!this.over) this.follower.over(reason);
    this.over = true;
  }
}
