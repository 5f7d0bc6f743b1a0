import { randomUUID } from "node:crypto";
import { logKeys } from "../log/keys.js";
import { isRedisAway, onceRedisAnswers } from "../redis/connect.js";
import type { Scripts } from "../redis/scripts.js";
import type { RoomId } from "../util/ids.js";
import type { Consumer, Handled, Signals, TakenEvent } from "./consumer.js";

const MOST_TRIES = 3; // per event, because the event may be what kills the process that handles it

/** How a consumer's work in a room ended. */
export type Outcome =
  /** Nothing waits in the room. */
  | { state: "done" }
  /** Another process holds the room, for at least this many ms unless it releases it earlier. */
  | { state: "held"; ms: number }
  /** Another process took the room over because this one was silent for too long. */
  | { state: "lost" }
  /** Something waits in the room, but this process stops. */
  | { state: "stopped" };

/** Takes a consumer through the events of one room after the other, in order, while this process holds the room. */
export class RoomEvents {
  readonly #scripts: Scripts;
  readonly #consumer: Consumer;
  readonly #lease: number;

  /** @param lease of a room, in ms */
  constructor(scripts: Scripts, consumer: Consumer, lease: number) {
    this.#scripts = scripts;
    this.#consumer = consumer;
    this.#lease = lease;
  }

  /**
   * Handles all that waits in a room.
   * @throws the errors of Redis and of the consumer; what waits is then tried again
   */
  async handle(roomId: RoomId, signals: Signals): Promise<Outcome> {
    const { name } = this.#consumer;
    const fence = randomUUID();
    const keys = { consumed: logKeys.consumed(roomId), log: logKeys.log(roomId), meta: logKeys.meta(roomId) };
    for (;;) {
      if (signals.stopping.aborted) return this.#letGo(roomId, fence);
      const taken = await this.#scripts.run("consumer_take", keys, { name, fence, lease: this.#lease });
      let handled: Handled = "OK";
      if (taken[0] === "HELD") return { state: "held", ms: taken[1] };
      if (taken[0] === "NOTHING") return { state: "done" };
      if (taken[0] === "TAKEN") handled = await this.#handle({ roomId, event: JSON.parse(taken[1]), fence }, taken[3], signals);
      if (taken[0] === "BEHIND") {
        await this.#consumer.catchUp(roomId, taken[1]);
        handled = await this.#scripts.run("consumer_pass", keys, { name, fence, event: taken[2], caughtUp: true });
      }
      if (handled === "LOST") return { state: "lost" };
      if (handled === "STOPPED") return this.#letGo(roomId, fence);
    }
  }

  async #handle(taken: TakenEvent, tries: number, signals: Signals): Promise<Handled> {
    try {
      return await (tries > MOST_TRIES ? this.#consumer.giveUp(taken, `tried ${MOST_TRIES} times`) : this.#consumer.handle(taken, signals));
    } catch (error) {
      // Failures of a process and of the consumer count as tries, failures of Redis do not.
      if (isRedisAway(error))
        await onceRedisAnswers(
          () => this.#release(taken.roomId, taken.fence, taken.event.seq),
          () => !signals.stopping.aborted,
        );
      throw error;
    }
  }

  async #letGo(roomId: RoomId, fence: string): Promise<Outcome> {
    await this.#release(roomId, fence, 0);
    return { state: "stopped" };
  }

  async #release(roomId: RoomId, fence: string, event: number): Promise<void> {
    await this.#scripts.run("consumer_release", { consumed: logKeys.consumed(roomId) }, { name: this.#consumer.name, fence, event });
  }
}
