import type { Feed, Sink } from "./feed.js";
import type { Position } from "./position.js";
import { RoomsFeed } from "./rooms-feed.js";

/** Where the frames of one client go. */
export interface Outlet {
  /** Whether so much waits to be sent already that nothing may be added. */
  readonly congested: boolean;
  /** Writes a frame: its own beginning, and the rest that it shares with others. */
  write(head: Buffer, tail: Buffer): void;
  /** Calls this once when nothing waits any more. */
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

/**
 * Live subscribers for whom each event means the same: the same operation, the same variables as far as they show in an
 * answer, and nothing in it that depends on who looks. Each event is executed and serialised once for all of them.
 */
export class Group<T extends object> {
  readonly #execute: (value: T) => Promise<Payload>;
  readonly #frames = new WeakMap<T, Frame>();
  /** Subscribers now. */
  size = 0;

  constructor(execute: (value: T) => Promise<Payload>) {
    this.#execute = execute;
  }

  frame(value: T): Frame {
    const known = this.#frames.get(value);
    const now = performance.now();
    if (known && now - known.madeAt < FRESH) return known;
    const frame: Frame = { madeAt: now, payload: undefined, waiting: [] };
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
 * One subscription of one client. Live, it writes what its group makes of each event, in order. When its client's
 * outlet is congested it lags: it lets go of everything but its positions, and goes on from them once the outlet has
 * drained.
 */
export class Subscriber<T extends object> implements Sink<T> {
  readonly #feed: Feed<T>;
  readonly #group: Group<T>;
  readonly #outlet: Outlet;
  readonly #head: Buffer;
  readonly #onEnd: (failure: unknown) => void;
  #queue: { frame: Frame; position: Position | undefined }[] = [];
  #lagging = false;
  #end: { failure: unknown } | undefined;
  #over = false;

  /**
   * @param head what each of its frames begins with
   * @param onEnd called once, when the feed has ended and all that came before is written
   */
  constructor(feed: Feed<T>, group: Group<T>, outlet: Outlet, head: string, onEnd: (failure: unknown) => void) {
    this.#feed = feed;
    this.#group = group;
    this.#outlet = outlet;
    this.#head = Buffer.from(head);
    this.#onEnd = onEnd;
    group.size++;
    feed.attach(this);
  }

  value(value: T, position: Position | undefined): void {
    if (this.#lagging || this.#over) return; // it will come again, or is no longer wanted
    if (this.#outlet.congested) {
      this.#lag();
      return;
    }
    const frame = this.#group.frame(value);
    this.#queue.push({ frame, position });
    if (frame.payload) this.flush();
    else frame.waiting.push(this);
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

  /** Writes what is ready, in order. */
  flush(): void {
    for (;;) {
      const next = this.#queue[0];
      if (!next?.frame.payload || this.#over) break;
      this.#queue.shift();
      this.#outlet.write(this.#head, next.frame.payload.text);
      if (next.position && this.#feed instanceof RoomsFeed) this.#feed.taken(next.position);
      if (next.frame.payload.last) {
        this.#queue = [];
        this.#feed.end();
      }
    }
    if (this.#end && this.#queue.length === 0 && !this.#over) {
      this.#over = true;
      this.#group.size--;
      this.#onEnd(this.#end.failure);
    }
  }

  #lag(): void {
    const feed = this.#feed;
    if (!(feed instanceof RoomsFeed)) {
      this.#outlet.giveUp();
      return;
    }
    this.#lagging = true;
    this.#queue = [];
    feed.suspend();
    this.#outlet.onDrained(() => {
      this.#lagging = false;
      feed.resume();
    });
  }
}
