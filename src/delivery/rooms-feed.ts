import { inPortions } from "../portions.js";
import { onceRedisAnswers } from "../redis/connect.js";
import { Feed } from "./feed.js";
import type { FollowedRooms } from "./followed-rooms.js";
import type { Position } from "./position.js";

export const ROOMS_AT_ONCE = 20; // rooms that one feed begins to follow together
export const PATIENCE = 10; // ms until it begins with the next ones, though Redis has not answered for all of these

/** When a follower is in a room, whose events between its leaving and its coming in again are not for it. */
export interface Membership<V> {
  /** Whether with this event the follower leaves: the last one that it is told. */
  leaves(value: V): boolean;
  /** Whether with this event it comes in again: the first one that it is told. */
  comesIn(value: V): boolean;
  /** It has left, and is not known to have come in again. */
  left(roomId: string): void;
}

/** A room in the feed. */
interface Room {
  /** Where the follower is: after what was taken last; undefined until that has been asked for. */
  taken: Position | undefined;
  /** What the follower was told last, of which it may have taken less. */
  told: Position | undefined;
  /** Where it is followed from, when it is followed anew. */
  from: Position | undefined;
  /** Where the follower came in last, as far as is known. */
  entrance: Position | undefined;
  /** The follower's leavings that it was told of. */
  leavings: Position[];
  /** The follower has left, as of what it was told. */
  out: boolean;
  stop: (() => void) | undefined;
}

/**
 * A feed of the events of some rooms. While it is suspended it holds no events, only a position per room, and continues from there when it
 * is resumed.
 */
export class RoomsFeed<V, T extends object> extends Feed<T> {
  readonly #followed: FollowedRooms<V>;
  readonly #select: (value: V) => T | undefined;
  readonly #membership: Membership<V> | undefined;
  readonly #rooms = new Map<string, Room>();
  #suspended = false;

  /** @param select gives the part of an event that is wanted, the same object for the same event; undefined leaves it out */
  constructor(followed: FollowedRooms<V>, select: (value: V) => T | undefined, membership?: Membership<V>) {
    super();
    this.#followed = followed;
    this.#select = select;
    this.#membership = membership;
    this.onEnd(() => this.#stopAll());
  }

  /**
   * Follows a room from a position, or from now on; one that is followed already stays as it is.
   * @param entrance where the follower came in last: from there a room is followed again that it has left
   * @throws ChatError HISTORY_RESET
   */
  async add(roomId: string, after?: Position, entrance?: Position): Promise<void> {
    if (this.ended) return;
    const known = this.#rooms.get(roomId);
    if (known) {
      known.entrance = entrance ?? known.entrance;
      if (known.out && !known.stop && isBackIn(known)) await this.#comeIn(roomId, known);
      return;
    }
    const room: Room = { taken: undefined, told: undefined, from: undefined, entrance, leavings: [], out: false, stop: undefined };
    this.#rooms.set(roomId, room);
    room.taken = after ? await this.#whereIn(after, entrance) : await this.#followed.position(roomId);
    room.from = room.taken;
    await this.#begin(roomId, room);
  }

  /** How many rooms it follows. */
  get rooms(): number {
    return this.#rooms.size;
  }

  /**
   * Where a room stands for the follower behind what it has been told, taken or not: what is pushed now comes after that.
   * Undefined for one that it does not follow.
   */
  positionIn(roomId: string): Position | undefined {
    const room = this.#rooms.get(roomId);
    return room?.out ? undefined : (room?.told ?? room?.taken);
  }

  /** The follower has this value now: it will not be told again. */
  taken(position: Position): void {
    const room = this.#rooms.get(position.roomId);
    if (room) room.taken = position;
  }

  /**
   * Pushes no more; values that were not taken will come again. Rooms in which nothing happens stay followed: a user may be in hundreds,
   * and following all of them again would cost more than what happened meanwhile.
   */
  suspend(): void {
    this.#suspended = true;
    for (const room of this.#rooms.values()) if (!hasAll(room)) halt(room);
  }

  /** Follows the rooms again in which something happened, each from where the follower is; ends the feed where that cannot be. @returns how many those are */
  resume(): number {
    this.#suspended = false;
    const rooms: [string, Room][] = [];
    for (const [roomId, room] of this.#rooms) {
      if (room.stop) continue;
      if (room.out && !isBackIn(room) && hasAll(room)) this.#rooms.delete(roomId);
      else {
        room.from = room.taken;
        room.told = room.taken; // the rest is told again
        room.out = room.leavings.some((leaving) => leaving === room.taken);
        rooms.push([roomId, room]);
      }
    }
    inPortions(rooms, ROOMS_AT_ONCE, ([roomId, room]) => this.#begin(roomId, room), PATIENCE).catch((error) => this.end(error));
    return rooms.length;
  }

  /**
   * Where a follower goes on that was told everything up to a position. Its own events show whether it was in the room there: had
   * it left, it goes on with its coming in.
   */
  async #whereIn(after: Position, entrance: Position | undefined): Promise<Position> {
    if (!this.#membership || entrance?.epoch !== after.epoch || entrance.seq <= after.seq) return after;
    let before = after;
    for await (const { value, position, size } of this.#followed.eventsAfter(after)) {
      this.replayed(1, size);
      if (value !== undefined && this.#membership.comesIn(value)) return before;
      if (value !== undefined && this.#membership.leaves(value)) return after;
      before = position;
    }
    return after;
  }

  /** Follows a room from where the follower is, once Redis can be asked for what was missed. */
  async #begin(roomId: string, room: Room): Promise<void> {
    await onceRedisAnswers(
      () => this.#follow(roomId, room),
      () => !this.#suspended && !this.ended,
    );
  }

  async #follow(roomId: string, room: Room): Promise<void> {
    const { from } = room;
    if (room.stop || !from) return; // suspended and resumed meanwhile
    const { started, stop } = this.#followed.follow(roomId, from, {
      event: (value, position) => this.#tell(roomId, room, value, position),
      over: (reason) => this.end(reason),
      replayed: (events, characters) => this.replayed(events, characters),
    });
    room.stop = stop;
    try {
      await started;
    } catch (error) {
      if (room.stop === stop) room.stop = undefined;
      throw error;
    }
  }

  #tell(roomId: string, room: Room, value: V, position: Position): void {
    if (this.#suspended) {
      halt(room);
      return;
    }
    if (room.out && this.#membership?.comesIn(value)) room.out = false;
    if (room.out) return;
    const selected = this.#select(value);
    if (selected) {
      room.told = position;
      this.push(selected, position);
    }
    // Who could not take it is told again, and leaves then.
    if (this.#membership?.leaves(value) && !this.#suspended && !this.ended) this.#leave(roomId, room, position);
  }

  #leave(roomId: string, room: Room, position: Position): void {
    room.leavings.push(position);
    room.out = true;
    if (isBackIn(room)) return; // and so it is told so further on
    halt(room);
    this.#membership?.left(roomId);
  }

  /** Follows a room again that was left. */
  async #comeIn(roomId: string, room: Room): Promise<void> {
    if (hasAll(room)) room.taken = room.entrance;
    room.from = room.entrance;
    room.out = false;
    await this.#begin(roomId, room);
  }

  #stopAll(): void {
    for (const room of this.#rooms.values()) halt(room);
  }
}

function halt(room: Room): void {
  room.stop?.();
  room.stop = undefined;
}

/** Whether the follower is known to have come in after it left last. */
function isBackIn({ leavings, entrance }: Room): boolean {
  const left = leavings.at(-1);
  return left !== undefined && entrance !== undefined && left.epoch === entrance.epoch && entrance.seq >= left.seq;
}

/** Whether the follower has taken all that it was told. */
const hasAll = ({ told, taken }: Room) => told === undefined || taken === told;
