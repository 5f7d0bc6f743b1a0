import type { Feed, Sink } from "./feed.js";
import type { Position } from "./position.js";
import { RoomsFeed } from "./rooms-feed.js";

/** The outgoing side of one client's connection. */
export interface Outlet {
  /** Whether so much data waits to be sent that no more may be added. */
  readonly congested: boolean;
  /** Writes a frame: a head for this client, and a tail shared with other clients. */
  write(head: Buffer, tail: Buffer): void;
  /** Calls the listener once, asynchronously, when the waiting data has been sent or the client is gone. */
  onDrained(listener: () => void): void;
  /** Closes the connection, as the client reads too slowly and its waiting events cannot be replayed. It has to reconnect. */
  giveUp(): void;
}

/** When events are executed: not all at once, as that would block all other work. */
export interface Execution {
  run(work: () => Promise<Payload>): Promise<Payload> | Promise<Promise<Payload>>;
}

/** Pays for the events that are prepared for a client. */
export interface Debtor {
  /** Milliseconds until the balance is positive; 0 if it is. */
  readonly wait: number;
  charge(ms: number): void;
  /** Calls the listener once, asynchronously, when the balance is positive and earlier callers have resumed. */
  resumeInTurn(listener: () => void): void;
}

/** The result of one event for a group: the text that the frames of all its subscribers share. */
export interface Payload {
  text: Buffer;
  /** Its cost in ms, which the group's subscribers share. */
  price: number;
  /** Whether nothing may follow it, because it reports that an event could not be delivered. */
  last: boolean;
}

const FRESH = 1_000; // ms for which subscribers that replay an event share the result made for others
const EVENT_OF_THE_PAST = 0.03; // ms to read a past event and look up its current state
const CHARACTER_OF_THE_PAST = 1e-5; // ms per character of such events
export const ROOM = 0.04; // ms per room that a subscription follows: to start and to stop
const AHEAD = 4; // events of one subscription that are prepared at a time
const SMALLEST_CHARGE = 0.05; // ms per subscriber: charging a thousand subscribers for each event would cost more than the event
const MOST_WAITING = 1_000; // events that one subscription holds until they can be written

/**
 * Live subscribers that get the same result for each event: they have the same operation, the same values of all variables that affect the
 * result, and the same viewer if a field depends on the viewer. Each event is executed and serialised once for all of them.
 */
export class Group<T extends object> {
  readonly #execute: (value: T) => Promise<Payload>;
  readonly #turns: Execution;
  /** Frames of recent events, oldest first. */
  readonly #frames = new Map<T, Frame>();
  readonly #subscribers = new Set<{ charge(ms: number): void }>();
  /** Cost that the subscribers have not been charged for yet, in ms. */
  #owed = 0;

  /** @param turns shared by all groups, so that executing one event for many groups does not block all other work */
  constructor(execute: (value: T) => Promise<Payload>, turns: Execution) {
    this.#execute = execute;
    this.#turns = turns;
  }

  /** The current number of subscribers. */
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
    this.#frames.delete(value); // so that `set` moves it to the end
    this.#frames.set(value, frame);
    void Promise.resolve(this.#turns.run(() => this.#execute(value))).then((payload) => {
      frame.payload = payload;
      this.#charge(payload.price);
      for (const subscriber of frame.waiting.splice(0)) subscriber.flush();
    });
    return frame;
  }

  /** Splits a price among all subscribers. */
  #charge(price: number): void {
    this.#owed += price;
    if (this.#owed < this.size * SMALLEST_CHARGE) return;
    for (const subscriber of this.#subscribers) subscriber.charge(this.#owed / this.size);
    this.#owed = 0;
  }
}

/** One event for one group, and the subscribers that wait for its payload. */
interface Frame {
  madeAt: number;
  payload: Payload | undefined;
  waiting: { flush(): void }[];
}

/** An event that waits to be written to one subscriber. */
interface Waiting<T> {
  value: T;
  /** Its position, if it comes from a log. */
  position: Position | undefined;
  /** Undefined until its preparation starts. */
  frame: Frame | undefined;
}

/**
 * One subscription of one client. While it is live, it writes its group's payload of each event, in order. While the client's outlet is
 * congested, it lags: it drops events that come from a log, and replays them once the outlet has drained. Other events wait; if too many
 * wait, the client has to reconnect. It lags in the same way after an event that used up the client's budget.
 */
export class Subscriber<T extends object> implements Sink<T> {
  readonly #feed: Feed<T>;
  /** The feed, if its events can be replayed. */
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
   * @param debtor pays for its events
   * @param head the beginning of each of its frames
   * @param onEnd called once, when the feed has ended and all earlier events are written
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
    if (this.#state === "over" || (this.#state === "lagging" && this.#log)) return; // no longer wanted, or replayed later
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

  /** Ends the subscription. No more events are written. */
  leave(): void {
    this.#queue = [];
    this.#feed.end();
  }

  end(failure: unknown): void {
    this.#end ??= { failure };
    if (failure === undefined) this.#queue = []; // the client has left
    this.flush();
  }

  /** Writes the events that are ready, in order, as long as the client reads. */
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
      // Checked after an event, never before one, so that at least one is written each time.
      if (this.#charged && this.#debtor.wait > 0) this.#lag((listener) => this.#debtor.resumeInTurn(listener));
      this.#charged = false;
    }
    if (written === this.#queue.length) this.#queue.length = 0;
    else this.#queue.splice(0, written);
    this.#makeAhead();
    if (this.#end && this.#queue.length === 0) this.#finish(this.#end.failure);
  }

  /** Prepares the next events while earlier ones are in progress; not all at once, because the client pays for them. */
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

  /** Called when more events wait than a subscription may hold. */
  #fallBehind(): void {
    if (!this.#log) this.#outlet.giveUp();
    const head = this.#queue[0]?.frame;
    // What waits for the execution of the first event is replayed after that: until then, it would only pile up again.
    if (head && !head.payload) this.#lag((listener) => head.waiting.push({ flush: listener }));
    else this.#lag((listener) => this.#outlet.onDrained(listener));
  }

  /** @param until calls its listener when the subscription may continue */
  #lag(until: (listener: () => void) => void): void {
    this.#state = "lagging";
    // A feed that has ended is not replayed: the subscriber may have left the room.
    if (this.#log && !this.#end) {
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
