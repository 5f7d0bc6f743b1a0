import type { Entry } from "./entry.js";

const PER_ROOM = 200; // events kept of a room, at least; at most twice as many

/**
 * The newest events of the followed rooms, so that a subscriber that was away briefly resumes without a read from Redis. Their size is
 * limited over all rooms: above the limit, the events of the room that was silent longest are dropped, and read again when needed.
 */
export class NewestEvents<V> {
  readonly #budget: number;
  /** Ordered by the last event, oldest first. */
  readonly #rooms = new Set<NewestOfRoom<V>>();
  #size = 0;

  /** @param budget characters of JSON */
  constructor(budget: number) {
    this.#budget = budget;
  }

  /** Characters of JSON kept now. */
  get size(): number {
    return this.#size;
  }

  room(): NewestOfRoom<V> {
    return new NewestOfRoom((room, grownBy) => {
      this.#size += grownBy;
      this.#rooms.delete(room);
      if (room.size > 0) this.#rooms.add(room);
      for (const silent of this.#rooms) {
        if (this.#size <= this.#budget) break;
        silent.clear();
      }
    });
  }
}

/** The newest events of one room, without gaps. */
export class NewestOfRoom<V> {
  readonly #onChange: (room: this, grownBy: number) => void;
  #entries: Entry<V>[] = [];
  size = 0;

  constructor(onChange: (room: NewestOfRoom<V>, grownBy: number) => void) {
    this.#onChange = onChange;
  }

  /** Adds the event that directly follows the last one. */
  add(entry: Entry<V>): void {
    this.#entries.push(entry);
    const dropped = this.#entries.length > 2 * PER_ROOM ? this.#entries.splice(0, PER_ROOM) : [];
    this.#resize(entry.size - sizeOf(dropped));
  }

  clear(): void {
    this.#entries = [];
    this.#resize(-this.size);
  }

  /** The entries from a seq on; undefined if they do not reach back to it. */
  from(seq: number): Entry<V>[] | undefined {
    const first = this.#entries[0]?.position.seq;
    return first === undefined || seq < first ? undefined : this.#entries.slice(seq - first);
  }

  #resize(by: number): void {
    this.size += by;
    this.#onChange(this, by);
  }
}

const sizeOf = (entries: Entry<unknown>[]) => entries.reduce((sum, { size }) => sum + size, 0);
