import { Feed } from "./feed.js";
import type { Position } from "./position.js";
import type { RoomEvent, RoomFeeds } from "./room-feed.js";

/**
 * A feed of the events of some rooms. It can be suspended, which costs nothing but a position per room, and goes on
 * from there when it is resumed.
 */
export class RoomsFeed<T extends object> extends Feed<T> {
  readonly #feeds: RoomFeeds;
  readonly #select: (event: RoomEvent, position: Position) => T | undefined;
  /** For each room, where the follower is: after what was taken last. */
  readonly #positions = new Map<string, Position>();
  readonly #rooms = new Set<string>();
  readonly #stops = new Map<string, () => void>();
  #suspended = false;

  /** @param select makes the value of an event, the same object for the same event; undefined leaves the event out */
  constructor(feeds: RoomFeeds, select: (event: RoomEvent, position: Position) => T | undefined) {
    super();
    this.#feeds = feeds;
    this.#select = select;
    this.onEnd(() => this.#stopAll());
  }

  /**
   * Follows a room from a position, or from now on; one that is followed already stays as it is.
   * @throws ChatError HISTORY_RESET
   */
  async add(roomId: string, after?: Position): Promise<void> {
    if (this.#rooms.has(roomId) || this.ended) return;
    this.#rooms.add(roomId);
    if (after) this.#positions.set(roomId, after);
    if (!this.#suspended) await this.#follow(roomId, after);
  }

  /** The follower has this value now: it will not be told again. */
  taken(position: Position): void {
    this.#positions.set(position.roomId, position);
  }

  /** Stops following; values that were not taken will come again. */
  suspend(): void {
    this.#suspended = true;
    this.#stopAll();
  }

  /** Follows all rooms again, each from where the follower is; ends the feed where that cannot be. */
  resume(): void {
    if (this.ended) return; // the follower has left meanwhile
    this.#suspended = false;
    for (const [roomId, position] of this.#positions) this.#follow(roomId, position).catch((error) => this.end(error));
    // A room without a position was just being joined, which looks after itself.
  }

  async #follow(roomId: string, after: Position | undefined): Promise<void> {
    let wanted = true;
    this.#stops.set(roomId, () => {
      wanted = false;
    });
    const { stop, from } = await this.#feeds.follow(roomId, after, {
      event: (event, position) => {
        const value = wanted ? this.#select(event, position) : undefined;
        if (value) this.push(value, position);
      },
      over: (reason) => wanted && this.end(reason),
    });
    if (!after) this.#positions.set(roomId, from);
    if (wanted) {
      this.#stops.set(roomId, stop);
      return;
    }
    stop(); // suspended, or ended, while it began
    const resumed = !this.#suspended && !this.ended && !this.#stops.has(roomId);
    if (resumed) await this.#follow(roomId, this.#positions.get(roomId));
  }

  #stopAll(): void {
    for (const stop of this.#stops.values()) stop();
    this.#stops.clear();
  }
}
