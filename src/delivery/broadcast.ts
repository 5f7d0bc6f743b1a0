import type { Feed, Sink } from "./feed.js";
import type { Position } from "./position.js";
import { RoomsFeed } from "./rooms-feed.js";

/** Where the frames of one client go. */
export interface Outlet {
  /** Whether so much waits to be sent already that nothing may be added. */
  readonly congested: boolean;
  /** Writes a frame: its own beginning, and the rest that it shares with others. */
  write(head: Buffer, tail: Buffer): void;
  /** Calls this once, later, when nothing waits any more. */
  onDrained(listener: () => void): void;
  /** The client reads too slowly for what cannot be brought again: it has to come back. */
  giveUp(): void;
}

/** What becomes of one event for everyone of a group: the text that their frames share. */
export interface Payload {
  text: Buffer;
  /** Nothing may come after it: it tells that an event could not be told. */
  last: boolean;
}

const FRESH = 1_000; // ms for which followers that replay an event share what was made of it for others
const MOST_WAITING = 1_000; // events that one subscription holds before their turn to be written comes

/**
 * Live subscribers for whom each event means the same: the same operation, the same variables as far as they show in an
 * answer, and nothing in it that depends on who looks. Each event is executed and serialised once for all of them.
 */
export class Group<T extends object> {
  readonly #execute: (value: T) => Promise<Payload>;
  /** What was made of late, the oldest first. */
  readonly #frames = new Map<T, Frame>();
  /** Subscribers now. */
  size = 0;

  constructor(execute: (value: T) => Promise<Payload>) {
    this.#execute = execute;
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
    void this.#execute(value).then((payload) => {
      frame.payload = payload;
      for (const subscriber of frame.waiting.splice(0)) subscriber.flush();
    });
    return frame;
  }
}

/** One event for one group; those who came before its payload was made wait for it. */
interface Frame {
  madeAt: number;
  payload: Payload | undefined;
  waiting: { flush(): void }[];
}

/**
 * One subscription of one client. Live, it writes what its group makes of each event, in order. While its client's outlet
 * is congested it lags: events of a log it lets go of, and brings them from there once the outlet has drained; events
 * that are not kept wait, and if there are too many of them, the client has to come back.
 */
export class Subscriber<T extends object> implements Sink<T> {
  readonly #feed: Feed<T>;
  /** The feed, where its events can be brought again. */
  readonly #log: RoomsFeed<unknown, T> | undefined;
  readonly #group: Group<T>;
  readonly #outlet: Outlet;
  readonly #head: Buffer;
  readonly #onEnd: (failure: unknown) => void;
  #queue: { frame: Frame; position: Position | undefined }[] = [];
  #state: "live" | "lagging" | "over" = "live";
  #end: { failure: unknown } | undefined;

  /**
   * @param head what each of its frames begins with
   * @param onEnd called once, when the feed has ended and all that came before is written
   */
  constructor(feed: Feed<T>, group: Group<T>, outlet: Outlet, head: string, onEnd: (failure: unknown) => void) {
    this.#feed = feed;
    this.#log = feed instanceof RoomsFeed ? feed : undefined;
    this.#group = group;
    this.#outlet = outlet;
    this.#head = Buffer.from(head);
    this.#onEnd = onEnd;
    group.size++;
    feed.attach(this);
  }

  value(value: T, position: Position | undefined): void {
    if (this.#state === "over" || (this.#state === "lagging" && this.#log)) return; // no longer wanted, or it will come again
    const frame = this.#group.frame(value);
    this.#queue.push({ frame, position });
    if (!frame.payload) frame.waiting.push(this);
    if (this.#queue.length > MOST_WAITING) this.#fallBehind();
    else if (frame.payload) this.flush();
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
    for (const { frame, position } of this.#queue) {
      if (!frame.payload || this.#state !== "live") break;
      if (this.#outlet.congested) {
        this.#lag();
        break;
      }
      this.#outlet.write(this.#head, frame.payload.text);
      written++;
      if (position) this.#log?.taken(position);
      if (frame.payload.last) this.leave();
    }
    if (written === this.#queue.length) this.#queue.length = 0;
    else this.#queue.splice(0, written);
    if (this.#end && (this.#queue.length === 0 || this.#state === "lagging")) this.#finish(this.#end.failure);
  }

  /** More wait than are held. */
  #fallBehind(): void {
    if (!this.#log) this.#outlet.giveUp();
    this.#lag();
  }

  #lag(): void {
    this.#state = "lagging";
    if (this.#log) {
      this.#queue = [];
      this.#log.suspend();
    }
    this.#outlet.onDrained(() => {
      if (this.#state !== "lagging") return;
      this.#state = "live";
      this.#log?.resume();
      this.flush();
    });
  }

  #finish(failure: unknown): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#queue = [];
    this.#group.size--;
    this.#onEnd(failure);
  }
}
