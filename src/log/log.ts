import type { RoomId } from "../util/ids.js";
import type { Entry, LogRange, RoomEvent } from "./entry.js";
import { logChannels } from "./keys.js";
import type { Position } from "./position.js";
import type { RecentRanges } from "./recent-ranges.js";
import type { RoomScripts } from "./room-scripts.js";

/** Turns an event into the value that subscribers get; undefined if they do not get the event. */
export type ReadEvent<V> = (event: RoomEvent, position: Position) => V | undefined;

/** How the features replay past events. */
export interface Hindsight<V> {
  /** The values that subscribers get for these events if they resume now; the same objects where nothing has changed since. */
  now(values: readonly V[]): Promise<V[]>;
  /** Whether this event changes the replay of earlier ones. */
  alters(value: V): boolean;
}

const MOST_EVENTS = 100; // per read from Redis: with the entries' current state, that takes about 5 ms
const MOST_BYTES = 64 * 1024; // the same limit, in bytes

/** Reads the event log of a room. */
export class RoomLog<V> {
  readonly #scripts: RoomScripts;
  readonly #readEvent: ReadEvent<V>;
  readonly #hindsight: Hindsight<V>;
  readonly channel: string;
  readonly #recent: RecentRanges<V>;

  constructor(
    readonly roomId: RoomId,
    scripts: RoomScripts,
    readEvent: ReadEvent<V>,
    hindsight: Hindsight<V>,
    recent: RecentRanges<V>,
  ) {
    this.#scripts = scripts;
    this.#readEvent = readEvent;
    this.#hindsight = hindsight;
    this.#recent = recent;
    this.channel = logChannels.room(roomId);
  }

  /** The current end of the log. Reads no events. */
  async end(): Promise<Position> {
    const { end } = await this.#read("", 0);
    return { roomId: this.roomId, ...end };
  }

  /** The newest events, at most `count`. */
  newest(count: number): Promise<LogRange<V>> {
    return this.#read("", count);
  }

  /** Events from a seq on: at most `MOST_EVENTS`, fewer if they are long. */
  async from(seq: number): Promise<LogRange<V>> {
    const range = await this.#read(seq, MOST_EVENTS);
    this.#recent.add(this.roomId, range);
    return range;
  }

  /** A range that was read a moment ago, whose first event is at this seq or before, and whose last event is after it. */
  lately(seq: number): LogRange<V> | undefined {
    return this.#recent.find(this.roomId, seq);
  }

  /** These entries with the values that subscribers get if they resume now. */
  async withCurrentValues(entries: Entry<V>[]): Promise<Entry<V>[]> {
    const values = await this.#hindsight.now(entries.flatMap(({ value }) => (value === undefined ? [] : [value])));
    let next = 0;
    return entries.map((entry) => (entry.value === undefined ? entry : { ...entry, value: values[next++] }));
  }

  /** Whether this event changes the replay of earlier ones. */
  alters({ value }: Entry<V>): boolean {
    return value !== undefined && this.#hindsight.alters(value);
  }

  /** Forgets what was read before the log was restarted. */
  forget(): void {
    this.#recent.forget(this.roomId);
  }

  /**
   * The entry of an event that arrived on the channel; undefined for anything else that was published there.
   * @param size characters of its JSON
   */
  entry(payload: unknown, size: number): Entry<V> | undefined {
    return isRoomEvent(payload) ? this.#entry(payload, size) : undefined;
  }

  async #read(from: number | "", count: number): Promise<LogRange<V>> {
    const { roomId } = this;
    const [seq, epoch, at, events] = await this.#scripts.onRoom("log_read", roomId, { from, count, size: MOST_BYTES });
    return { end: { seq, epoch, at }, entries: events.map((json) => this.#entry(JSON.parse(json) as RoomEvent, json.length)) };
  }

  #entry(event: RoomEvent, size: number): Entry<V> {
    const { seq, epoch, at } = event;
    const position = { roomId: this.roomId, epoch, seq, at };
    return { position, value: this.#readEvent(event, position), size };
  }
}

function isRoomEvent(payload: unknown): payload is RoomEvent {
  const { seq, epoch, kind, at } = (payload ?? {}) as Partial<RoomEvent>;
  return typeof seq === "number" && typeof epoch === "string" && typeof kind === "string" && typeof at === "number";
}
