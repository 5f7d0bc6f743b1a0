import { onceRedisAnswers } from "../redis/connect.js";
import { startInPortions } from "../util/portions.js";
import { isSamePlace } from "./entry.js";
import { Feed, type Sink } from "./feed.js";
import type { FollowedRooms } from "./followed-rooms.js";
import type { Position } from "./position.js";

const MOST_UNTAKEN = 1_000; // events that are kept while the feed starts to follow its rooms
export const ROOMS_AT_ONCE = 20; // rooms that one feed starts to follow at a time

/** When the viewer is in a room. The subscriber does not get the events between the viewer's leaving and rejoining. */
export interface Membership<V> {
  /** Whether the viewer leaves with this event: the last one that the subscriber gets. */
  leaves(value: V): boolean;
  /** Whether the viewer rejoins with this event: the first one that the subscriber gets. */
  comesIn(value: V): boolean;
  /** Called when the viewer has left, and is not known to have rejoined. */
  left(roomId: string): void;
}

/** A room in the feed. */
interface Room {
  /** The subscriber's position: after the last event that it took. Undefined until the position is known. */
  taken: Position | undefined;
  /** The position of the last event pushed. The subscriber may not have taken it yet. */
  told: Position | undefined;
  /** The position from which it is followed the next time. */
  from: Position | undefined;
  /** The positions at which the viewer joined, as far as known, oldest first. */
  entrances: Position[];
  /** The positions of the pushed events with which the viewer left. */
  leavings: Position[];
  /** Whether the viewer has left, as of the last event pushed. */
  out: boolean;
  stop: (() => void) | undefined;
}

/**
 * A feed of the events of some rooms. While it is suspended, it holds no events, only a position per room, from which it continues when it
 * is resumed.
 */
export class RoomsFeed<V, T extends object> extends Feed<T> {
  readonly #followed: FollowedRooms<V>;
  readonly #select: (value: V) => T | undefined;
  readonly #membership: Membership<V> | undefined;
  readonly #rooms = new Map<string, Room>();
  #suspended = false;
  /** Whether events were dropped because nobody took them yet. */
  #overflowed = false;

  /** @param select returns the part of an event to push, the same object for the same event; undefined skips the event */
  constructor(followed: FollowedRooms<V>, select: (value: V) => T | undefined, membership?: Membership<V>) {
    super();
    this.#followed = followed;
    this.#select = select;
    this.#membership = membership;
    this.onEnd(() => this.#stopAll());
  }

  /**
   * Follows a room from a position, or from now on. Does not change a room that is already followed.
   * @param entrance where the viewer last joined; a room that the viewer had left is followed again from there
   * @throws ChatError HISTORY_RESET
   */
  async add(roomId: string, after?: Position, entrance?: Position): Promise<void> {
    if (this.ended) return;
    const known = this.#rooms.get(roomId);
    if (known) {
      if (entrance && !known.entrances.some((other) => isSamePlace(other, entrance))) known.entrances.push(entrance);
      const back = known.out && !known.stop && entranceAfterLeaving(known);
      if (back) await this.#comeIn(roomId, known, back);
      return;
    }
    const room: Room = {
      taken: undefined,
      told: undefined,
      from: undefined,
      entrances: entrance ? [entrance] : [],
      leavings: [],
      out: false,
      stop: undefined,
    };
    this.#rooms.set(roomId, room);
    room.taken = after ? await this.#whereIn(after, entrance) : await this.#followed.position(roomId);
    room.from = room.taken;
    await this.#begin(roomId, room);
  }

  override push(value: T, position?: Position): void {
    super.push(value, position);
    if (this.untaken <= MOST_UNTAKEN) return;
    this.#overflowed = true;
    this.suspend();
    this.dropUntaken();
  }

  override attach(sink: Sink<T>): void {
    super.attach(sink);
    if (!this.#overflowed) return;
    this.#overflowed = false;
    this.resume();
  }

  /** The number of rooms that it follows. */
  get rooms(): number {
    return this.#rooms.size;
  }

  /**
   * The room's position after the last event pushed, taken or not: events pushed from now on come after it. Undefined for a room that the
   * feed does not follow.
   */
  positionIn(roomId: string): Position | undefined {
    const room = this.#rooms.get(roomId);
    return room?.out ? undefined : (room?.told ?? room?.taken);
  }

  /** The subscriber has taken the value at this position, and does not get it again. */
  taken(position: Position): void {
    const room = this.#rooms.get(position.roomId);
    if (room) room.taken = position;
  }

  /**
   * Stops pushing; values that were not taken are pushed again after `resume`. Rooms without events stay followed: a user may be in
   * hundreds, and following all of them again would cost more than the events.
   */
  suspend(): void {
    this.#suspended = true;
    for (const room of this.#rooms.values()) if (!hasAll(room)) halt(room);
  }

  /**
   * Follows the rooms with events again, each from the subscriber's position; ends the feed if one cannot be resumed.
   * @returns the number of these rooms
   */
  resume(): number {
    this.#suspended = false;
    if (this.ended) return 0;
    const rooms: [string, Room][] = [];
    for (const [roomId, room] of this.#rooms) {
      if (room.stop) continue;
      if (room.out && !entranceAfterLeaving(room) && hasAll(room)) this.#rooms.delete(roomId);
      else {
        room.from = room.taken;
        room.told = room.taken; // later events are pushed again
        room.out = room.leavings.some((leaving) => leaving === room.taken);
        rooms.push([roomId, room]);
      }
    }
    startInPortions(rooms, ROOMS_AT_ONCE, ([roomId, room]) => this.#begin(roomId, room)).catch((error) => this.end(error));
    return rooms.length;
  }

  /**
   * The position from which a subscriber with all events up to `after` continues. The viewer's next leave or join in the log shows whether
   * the viewer was in the room there: if not, the subscriber continues with the join.
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

  /** Follows a room from the subscriber's position, once Redis can return the missed events. */
  async #begin(roomId: string, room: Room): Promise<void> {
    await onceRedisAnswers(
      () => this.#follow(roomId, room),
      () => !this.#suspended && !this.ended,
    );
  }

  async #follow(roomId: string, room: Room): Promise<void> {
    const { from } = room;
    if (room.stop || !from) return; // suspended and resumed in between
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
    } else if (hasAll(room)) {
      room.taken = position; // so that it is not replayed
      room.told = position;
    }
    // A subscriber that could not take the event gets it again, and leaves the room then.
    const isTaken = !this.#suspended || room.taken === position;
    if (this.#membership?.leaves(value) && isTaken && !this.ended) this.#leave(roomId, room, position);
  }

  #leave(roomId: string, room: Room, position: Position): void {
    room.leavings.push(position);
    room.out = true;
    if (entranceAfterLeaving(room)) return; // a later event says so
    halt(room);
    this.#membership?.left(roomId);
  }

  /** Follows a room again that the viewer had left. */
  async #comeIn(roomId: string, room: Room, entrance: Position): Promise<void> {
    if (hasAll(room)) {
      room.taken = entrance;
      room.leavings = room.leavings.slice(-1);
      room.entrances = room.entrances.slice(room.entrances.indexOf(entrance));
    }
    room.from = entrance;
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

/** Where the viewer first joined after leaving last; undefined if not known to have joined again. */
function entranceAfterLeaving({ leavings, entrances }: Room): Position | undefined {
  const left = leavings.at(-1);
  return left && entrances.find(({ epoch, seq }) => epoch === left.epoch && seq >= left.seq);
}

/** Whether the subscriber has taken everything that was pushed. */
const hasAll = ({ told, taken }: Room) => told === undefined || taken === told;
