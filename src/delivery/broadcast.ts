import type { Turns } from "../turns.js";
import type { Feed, Sink } from "./feed.js";
import type { Position } from "./position.js";
import { RoomsFeed } from "./rooms-feed.js";

/** Where the frames of one client go. */
export interface Outlet {
  /** Whether so much waits to be sent already that nothing may be added. */
  readonly congested: boolean;
  /** Writes a frame: its own beginning, and the rest that it shares with others. */
  write(head: Buffer, tail: Buffer): void;
  /** Calls this once, later, when nothing waits any more, or the client is gone. */
  onDrained(listener: () => void): void;
  /** The client reads too slowly for what cannot be brought again: it has to come back. */
  giveUp(): void;
}

/** Who pays for what is made for a client. */
export interface Debtor {
  /** Milliseconds until something is left to pay with; 0 while something is. */
  readonly wait: number;
  charge(ms: number): void;
  /** Calls this once, later, when something is left again and those that asked before have resumed. */
  resumeInTurn(listener: () => void): void;
}

/** What becomes of one event for everyone of a group: the text that their frames share. */
export interface Payload {
  text: Buffer;
  /** What it costs those for whom it was made, in ms. */
  price: number;
  /** Nothing may come after it: it tells that an event could not be told. */
  last: boolean;
}

const FRESH = 1_000; // ms for which followers that replay an event share what was made of it for others
const EVENT_OF_THE_PAST = 0.03; // ms to read one, and to look up what it says now
const CHARACTER_OF_THE_PAST = 1e-5; // ms for each character of such events
export const ROOM = 0.04; // ms for each room that a subscription begins to follow, and stops following
const AHEAD = 4; // events of one subscription that are made at once
const SMALLEST_CHARGE = 0.05; // ms for each subscriber: charging a thousand subscribers for each event would cost more than the event
const MOST_WAITING = 1_000; // events that one subscription holds before their turn to be written comes

/**
 * Live subscribers for whom each event means the same: the same operation, the same variables as far as they show in an
 * answer, and nothing in it that depends on who looks. Each event is executed and serialised once for all of them.
 */
export class Group<T extends object> {
  readonly #execute: (value: T) => Promise<Payload>;
  readonly #turns: Turns;
  /** What was made of late, the oldest first. */
  readonly #frames = new Map<T, Frame>();
  readonly #subscribers = new Set<{ charge(ms: number): void }>();
  /** What they have not been charged for yet, in ms. */
  #owed = 0;

  /** @param turns shared by all groups, so that executing one event for many groups does not hold up everything else */
  constructor(execute: (value: T) => Promise<Payload>, turns: Turns) {
    this.#execute = execute;
    this.#turns = turns;
  }

  /** Subscribers now. */
  get size(): number {
    return this.#subscribers.size;
  }

  add(subscriber: { charge(ms: number): void }): void {
    this.#subscribers.add(subscriber);
  }

  delete(subscriber: { charge(ms: number): void }): void {
    this.#subscribers.delete(subscriber);
  }

  frame(value: T): Frame {
    const known = this.#frames.get(value);
    if (known && (!known.payload || performance.now() - known.madeAt < FRESH)) return known;
    return this.#make(value);
  }

  #make(value: T): Frame {
    const frame: Frame = { madeAt: performance.now(), payload: undefined, waiting: [] };
    for (const [old, { madeAt, payload }] of this.#frames) {
      if (!payload || frame.madeAt - madeAt < FRESH) break;
      this.#frames.delete(old);
    }
    this.#frames.delete(value); // to go to the end
    this.#frames.set(value, frame);
    void Promise.resolve(this.#turns.run(() => this.#execute(value))).then((payload) => {
      frame.payload = payload;
      this.#charge(payload.price);
      for (const subscriber of frame.waiting.splice(0)) subscriber.flush();
    });
    return frame;
  }

  /** Shares a price out among all. */
  #charge(price: number): void {
    this.#owed += price;
    if (this.#owed < this.size * SMALLEST_CHARGE) return;
    for (const subscriber of this.#subscribers) subscriber.charge(this.#owed / this.size);
    this.#owed = 0;
  }
}

/** One event for one group; those who came before its payload was made wait for it. */
interface Frame {
  madeAt: number;
  payload: Payload | undefined;
  waiting: { flush(): void }[];
}

/** An event that waits to be written for one subscriber. */
interface Waiting<T> {
  value: T;
  /** Where it stands in the log, of what is kept in one. */
  position: Position | undefined;
  /** Once it is being made. */
  frame: Frame | undefined;
}

/**
 * One subscription of one client. Live, it writes what its group makes of each event, in order. While its client's outlet
 * is congested it lags: events of a log it lets go of, and brings them from there once the outlet has drained; events
 * that are not kept wait, and if there are too many of them, the client has to come back. It lags in the same way after an event
 * that left nothing to pay with.
 */
export class Subscriber<T extends object> implements Sink<T> {
  readonly #feed: Feed<T>;
  /** The feed, where its events can be brought again. */
  readonly #log: RoomsFeed<unknown, T> | undefined;
  readonly #group: Group<T>;
  readonly #outlet: Outlet;
  readonly #debtor: Debtor;
  readonly #head: Buffer;
  readonly #onEnd: (failure: unknown) => void;
  #queue: Waiting<T>[] = [];
  #state: "live" | "lagging" | "over" = "live";
  #charged = false;
  #end: { failure: unknown } | undefined;

  /**
   * @param debtor who pays for its events
   * @param head what each of its frames begins with
   * @param onEnd called once, when the feed has ended and all that came before is written
   */
  constructor(
    feed: Feed<T>,
    group: Group<T>,
    { outlet, debtor }: { outlet: Outlet; debtor: Debtor },
    head: string,
    onEnd: (failure: unknown) => void,
  ) {
    this.#feed = feed;
    this.#log = feed instanceof RoomsFeed ? feed : undefined;
    this.#group = group;
    this.#outlet = outlet;
    this.#debtor = debtor;
    this.#head = Buffer.from(head);
    this.#onEnd = onEnd;
    group.add(this);
    feed.attach(this);
  }

  value(value: T, position: Position | undefined): void {
    if (this.#state === "over" || (this.#state === "lagging" && this.#log)) return; // no longer wanted, or it will come again
    this.#queue.push({ value, position, frame: undefined });
    if (this.#queue.length > MOST_WAITING) this.#fallBehind();
    else this.#makeAhead();
    if (this.#queue[0]?.frame?.payload) this.flush();
  }

  replayed(events: number, characters: number): void {
    this.#debtor.charge(events * EVENT_OF_THE_PAST + characters * CHARACTER_OF_THE_PAST);
  }

  charge(ms: number): void {
    this.#debtor.charge(ms);
    this.#charged = true;
  }

  /** The client has left: nothing more is written for it. */
  leave(): void {
    this.#queue = [];
    this.#feed.end();
  }

  end(failure: unknown): void {
    this.#end ??= { failure };
    this.flush();
  }

  /** Writes what is ready, in order, as long as the client reads. */
  flush(): void {
    let written = 0;
    for (const event of this.#queue) {
      if (this.#state !== "live") break;
      const { payload } = this.#frameOf(event);
      if (!payload) break;
      if (this.#outlet.congested) {
        this.#lag((listener) => this.#outlet.onDrained(listener));
        break;
      }
      this.#outlet.write(this.#head, payload.text);
      written++;
      if (event.position) this.#log?.taken(event.position);
      if (payload.last) this.leave();
      // After an event and never before one, so that each time some come.
      if (this.#charged && this.#debtor.wait > 0) this.#lag((listener) => this.#debtor.resumeInTurn(listener));
      this.#charged = false;
    }
    if (written === this.#queue.length) this.#queue.length = 0;
    else this.#queue.splice(0, written);
    this.#makeAhead();
    if (this.#end && (this.#queue.length === 0 || this.#state === "lagging")) this.#finish(this.#end.failure);
  }

  /** Has the next events made while the one before them is; not all at once, as they have to be paid for. */
  #makeAhead(): void {
    if (this.#state !== "live") return;
    for (let n = 0; n < Math.min(AHEAD, this.#queue.length); n++) this.#frameOf(this.#queue[n] as Waiting<T>);
  }

  #frameOf(event: Waiting<T>): Frame {
    if (event.frame) return event.frame;
    event.frame = this.#group.frame(event.value);
    if (!event.frame.payload) event.frame.waiting.push(this);
    return event.frame;
  }

  /** More wait than are held. */
  #fallBehind(): void {
    if (!this.#log) this.#outlet.giveUp();
    this.#lag((listener) => this.#outlet.onDrained(listener));
  }

  /** @param until calls its listener when it may go on */
  #lag(until: (listener: () => void) => void): void {
    this.#state = "lagging";
    if (this.#log) {
      this.#queue = [];
      this.#log.suspend();
    }
    until(() => {
      if (this.#state !== "lagging") return;
      this.#state = "live";
      if (this.#log) this.#debtor.charge(this.#log.resume() * ROOM);
      this.flush();
    });
  }

  #finish(failure: unknown): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#queue = [];
    this.#group.delete(this);
    this.#onEnd(failure);
  }
}
