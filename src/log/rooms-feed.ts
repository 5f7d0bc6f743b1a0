import { onceRedisAnswers } from "../redis/connect.js";
import type { RoomId } from "../util/ids.js";
import { startInPortions } from "../util/portions.js";
import { Feed, type Sink } from "./feed.js";
import type { FollowedRooms } from "./followed-rooms.js";
import type { Position } from "./position.js";
import { type RoomInputs, type RoomState, roomAfter } from "./room-state.js";

const MOST_UNTAKEN = 1_000; // events that are kept while the feed starts to follow its rooms
export const ROOMS_AT_ONCE = 20; // rooms that one feed starts to follow at a time

/** When the viewer is in a room. The subscriber does not get the events between the viewer's leaving and rejoining. */
export interface Membership<V> {
  /** Whether the viewer leaves with this event: the last one that the subscriber gets. */
  leaves(value: V): boolean;
  /** Whether the viewer rejoins with this event: the first one that the subscriber gets. */
  comesIn(value: V): boolean;
  /** Called when the viewer has left, and is not known to have rejoined. */
  left(roomId: RoomId): void;
}

/** A room in the feed, and what ends following it. */
interface FollowedRoom {
  state: RoomState;
  stop: (() => void) | undefined;
}

/**
 * A feed of the events of some rooms. While it is suspended, it holds no events, only a position per room, from which it continues when it
 * is resumed. What happens to each room is in `room-state.ts`.
 */
export class RoomsFeed<V, T extends object> extends Feed<T> {
  readonly #followed: FollowedRooms<V>;
  readonly #select: (value: V) => T | undefined;
  readonly #membership: Membership<V> | undefined;
  readonly #rooms = new Map<RoomId, FollowedRoom>();
  #suspended = false;
  /** Whether events were dropped because nothing took them yet. */
  #overflowed = false;

  /** @param select returns the part of an event to push, the same object for the same event; undefined skips the event */
  constructor(followed: FollowedRooms<V>, select: (value: V) => T | undefined, membership?: Membership<V>) {
    super();
    this.#followed = followed;
    this.#select = select;
    this.#membership = membership;
    this.onEnd(() => {
      for (const room of this.#rooms.values()) halt(room);
    });
  }

  /**
   * Follows a room from a position, or from now on. Does not change a room that is already followed.
   * @param entrance where the viewer last joined; a room that the viewer had left is followed again from there
   * @throws ChatError HISTORY_RESET
   */
  async add(roomId: RoomId, after?: Position, entrance?: Position): Promise<void> {
    if (this.ended) return;
    const known = this.#rooms.get(roomId);
    if (known) {
      if (entrance) await this.#begin(roomId, known, this.#put(roomId, known, "entered", { entrance, suspended: this.#suspended }));
      return;
    }
    const room: FollowedRoom = { state: { name: "opening", entrances: entrance ? [entrance] : [] }, stop: undefined };
    this.#rooms.set(roomId, room);
    const position = after ? await this.#whereIn(after, entrance) : await this.#followed.position(roomId);
    await this.#begin(roomId, room, this.#put(roomId, room, "located", { position, suspended: this.#suspended }));
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
  positionIn(roomId: RoomId): Position | undefined {
    const state = this.#rooms.get(roomId)?.state;
    if (!state || state.name === "opening" || state.name === "away" || ("out" in state && state.out)) return undefined;
    return state.told;
  }

  /** The subscriber has taken the value at this position, and does not get it again. */
  taken(position: Position): void {
    const room = this.#rooms.get(position.roomId);
    if (room) this.#put(position.roomId, room, "taken", { position });
  }

  /**
   * Stops pushing; values that were not taken are pushed again after `resume`. Rooms without events stay followed: a user may be in
   * hundreds, and following all of them again would cost more than the events.
   */
  suspend(): void {
    this.#suspended = true;
    for (const [roomId, room] of this.#rooms) this.#put(roomId, room, "suspend", { followed: room.stop !== undefined });
  }

  /**
   * Follows the rooms with events again, each from the subscriber's position; ends the feed if one cannot be resumed.
   * @returns the number of these rooms
   */
  resume(): number {
    this.#suspended = false;
    if (this.ended) return 0;
    const again: [RoomId, FollowedRoom, Position][] = [];
    for (const [roomId, room] of this.#rooms) {
      const from = this.#put(roomId, room, "resume", {});
      if (from) again.push([roomId, room, from]);
    }
    startInPortions(again, ROOMS_AT_ONCE, (one) => this.#begin(...one)).catch((error) => this.end(error));
    return again.length;
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

  /**
   * Applies an input to a room, and does what follows from it except following it.
   * @param value the event to push
   * @returns the position from which it is to be followed
   */
  #put<Input extends keyof RoomInputs>(
    roomId: RoomId,
    room: FollowedRoom,
    name: Input,
    input: RoomInputs[Input],
    value?: T,
  ): Position | undefined {
    const { state, effects } = roomAfter(room.state, name, input);
    room.state = state;
    let from: Position | undefined;
    for (const effect of effects) {
      if (effect.do === "follow") from = effect.from;
      else if (effect.do === "stop") halt(room);
      else if (effect.do === "forget") this.#rooms.delete(roomId);
      else if (effect.do === "leave") this.#membership?.left(roomId);
      else if (value && "position" in input) this.push(value, input.position);
    }
    return from;
  }

  /** Follows a room, once Redis can return the missed events. */
  async #begin(roomId: RoomId, room: FollowedRoom, from: Position | undefined): Promise<void> {
    if (!from) return;
    await onceRedisAnswers(
      () => this.#follow(roomId, room, from),
      () => !this.#suspended && !this.ended,
    );
  }

  async #follow(roomId: RoomId, room: FollowedRoom, from: Position): Promise<void> {
    if (room.stop || room.state.name !== "following") return; // suspended in between
    const { started, stop } = this.#followed.follow(roomId, from, {
      event: (value, position) => this.#heard(roomId, room, value, position),
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

  #heard(roomId: RoomId, room: FollowedRoom, value: V, position: Position): void {
    const selected = this.#select(value);
    const [enters, leaves] = [this.#membership?.comesIn(value) === true, this.#membership?.leaves(value) === true];
    const wasOut = "out" in room.state && room.state.out && !enters;
    this.#put(roomId, room, "event", { position, selected: selected !== undefined, enters, leaves }, selected);
    if (leaves && !wasOut && !this.ended) this.#put(roomId, room, "left", { position });
  }
}

function halt(room: FollowedRoom): void {
  room.stop?.();
  room.stop = undefined;
}
