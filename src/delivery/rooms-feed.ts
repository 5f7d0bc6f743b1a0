import { onceRedisAnswers } from "../redis/connect.js";
import { Feed } from "./feed.js";
import type { FollowedRooms } from "./followed-rooms.js";
import type { Position } from "./position.js";

/**
 * A feed of the events of some rooms. It can be suspended, which costs nothing but a position per room, and goes on
 * from there when it is resumed.
 */
export class RoomsFeed<V, T extends object> extends Feed<T> {
  readonly #followed: FollowedRooms<V>;
  readonly #select: (value: V) => T | undefined;
  /** For each room, where the follower is: after what was taken last. */
  readonly #positions = new Map<string, Position>();
  readonly #rooms = new Set<string>();
  readonly #stops = new Map<string, () => void>();
  #suspended = false;

  /** @param select gives the part of an event that is wanted, the same object for the same event; undefined leaves it out */
  constructor(followed: FollowedRooms<V>, select: (value: V) => T | undefined) {
    super();
    this.#followed = followed;
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
    this.#positions.set(roomId, after ?? (await this.#followed.position(roomId)));
    await this.#begin(roomId);
  }

  /** Where the follower is in a room; undefined for one that it does not follow. */
  positionIn(roomId: string): Position | undefined {
    return this.#positions.get(roomId);
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
    this.#suspended = false;
    for (const roomId of this.#positions.keys()) this.#begin(roomId).catch((error) => this.end(error));
  }

  /** Follows a room from where the follower is, once Redis can be asked for what was missed. */
  async #begin(roomId: string): Promise<void> {
    await onceRedisAnswers(
      () => this.#follow(roomId),
      () => !this.#suspended && !this.ended,
    );
  }

  async #follow(roomId: string): Promise<void> {
    if (this.#stops.has(roomId)) return; // suspended and resumed meanwhile
    const { started, stop } = this.#followed.follow(roomId, this.#positions.get(roomId) as Position, {
      event: (value, position) => {
        const selected = this.#select(value);
        if (selected) this.push(selected, position);
      },
      over: (reason) => this.end(reason),
    });
    this.#stops.set(roomId, stop);
    try {
      await started;
    } catch (error) {
      if (this.#stops.get(roomId) === stop) this.#stops.delete(roomId);
      throw error;
    }
  }

  #stopAll(): void {
    for (const stop of this.#stops.values()) stop();
    this.#stops.clear();
  }
}
