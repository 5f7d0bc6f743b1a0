import type { RoomId } from "../util/ids.js";
import type { LogRange } from "./entry.js";

const KEPT_FOR = 2_000; // ms
const MOST_KEPT = 4 * 1024 * 1024; // characters of events' JSON, over all rooms

/**
 * The ranges of logs that were read a moment ago, for other subscribers that catch up on the same events. Their size is limited over all
 * rooms: a client that repeatedly replays many rooms must not fill the memory.
 */
export class RecentRanges<V> {
  readonly #rooms = new Map<string, Set<LogRange<V>>>();
  /** Oldest first. */
  readonly #all = new Map<LogRange<V>, { roomId: RoomId; size: number; expiry: NodeJS.Timeout }>();
  #size = 0;

  add(roomId: RoomId, range: LogRange<V>): void {
    const size = range.entries.reduce((sum, entry) => sum + entry.size, 0);
    const ofRoom = this.#rooms.get(roomId) ?? new Set();
    this.#rooms.set(roomId, ofRoom.add(range));
    this.#all.set(range, { roomId, size, expiry: setTimeout(() => this.#delete(range), KEPT_FOR).unref() });
    this.#size += size;
    for (const oldest of this.#all.keys()) {
      if (this.#size <= MOST_KEPT) break;
      this.#delete(oldest);
    }
  }

  /** A range whose first event is at this seq or before, and whose last event is after it. */
  find(roomId: RoomId, seq: number): LogRange<V> | undefined {
    for (const range of this.#rooms.get(roomId) ?? []) {
      const [first] = range.entries;
      const last = range.entries.at(-1);
      if (first && last && first.position.seq <= seq && last.position.seq > seq) return range;
    }
    return undefined;
  }

  /** Drops the ranges of a room whose log was restarted. */
  forget(roomId: RoomId): void {
    for (const range of this.#rooms.get(roomId) ?? []) this.#delete(range);
  }

  #delete(range: LogRange<V>): void {
    const kept = this.#all.get(range);
    if (!kept) return;
    clearTimeout(kept.expiry); // it holds the range
    this.#all.delete(range);
    this.#size -= kept.size;
    const ofRoom = this.#rooms.get(kept.roomId);
    ofRoom?.delete(range);
    if (ofRoom?.size === 0) this.#rooms.delete(kept.roomId);
  }
}
