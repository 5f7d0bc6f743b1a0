import type { RoomEvent } from "../log/entry.js";
import type { RoomId } from "../util/ids.js";

/** An event that a consumer handles, in a room that this process holds. */
export interface TakenEvent {
  roomId: RoomId;
  /** The event as the log has it. Anyone who can write to this Redis may have written it. */
  event: RoomEvent & Readonly<Record<string, unknown>>;
  /** Proves to the scripts that this process still holds the room. */
  fence: string;
}

/** How a consumer ended with an event. LOST: another process holds the room. STOPPED: the event is left to another process. */
export type Handled = "OK" | "LOST" | "STOPPED";

/** When a consumer has to end its work in a room. */
export interface Signals {
  /** Before it begins with the next event. */
  stopping: AbortSignal;
  /** At once. What it was at is left to another process. */
  abandoning: AbortSignal;
}

/**
 * Something that follows from events of rooms. It gets the events that name it, each at least once, in the order of the room's log, one at
 * a time; rooms run in parallel.
 */
export interface Consumer {
  /** Names it in events, in keys and in the log: letters, digits and `_`. */
  readonly name: string;
  /**
   * Handles an event, then moves its place in the log behind the event, in one step with what it writes: `pass` of the shared part
   * `consumer`, or the script `consumer_pass` if it writes elsewhere. If it takes longer than the lease, it has to renew the lease.
   * @throws the errors of Redis, with which the try does not count; other errors, with which it does
   */
  handle(taken: TakenEvent, signals: Signals): Promise<Handled>;
  /** Gives up an event that was tried too often: keeps it as a dead letter, then moves its place behind it. */
  giveUp(taken: TakenEvent, problem: string): Promise<Handled>;
  /**
   * Makes good for events that the log no longer has, from the room's history.
   * @param since time of the first of them, in µs
   */
  catchUp(roomId: RoomId, since: number): Promise<void>;
}
