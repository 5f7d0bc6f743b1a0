import { refusal } from "../errors.js";
import type { RedisConnections } from "./connect.js";
import { keys } from "./keys.js";

const PATIENCE = 1_000; // ms that replicas get to confirm
const MARK_LIFE = 10_000; // ms

/**
 * Waits until replicas have what was written to a room, so that a failover to one of them does not lose it.
 *
 * Redis confirms writes per connection (WAIT). So a mark is written on a connection of its own and waited for: replicas receive
 * writes in one order, and have the message when they have the mark. The room's log is looked at in the same step, as the
 * failover may have been between the two: then the mark is safe and the message is not.
 */
export class Replicas {
  readonly #connections: Pick<RedisConnections, "connectWaiting">;
  readonly #count: number;
  #waiting: ReturnType<RedisConnections["connectWaiting"]> | undefined;

  /** @param count how many replicas have to confirm; 0 asks none */
  constructor(connections: Pick<RedisConnections, "connectWaiting">, count: number) {
    this.#connections = connections;
    this.#count = count;
  }

  /**
   * Resolves once enough replicas have what is in the room.
   * @param stored the event that was written a moment ago, by its log's epoch and its time in µs; none where nothing was
   * @throws ChatError UNAVAILABLE if they have not confirmed in time; the event may be stored all the same
   */
  async confirm(roomId: string, stored: { epoch: string; at: number } | undefined): Promise<void> {
    if (this.#count === 0) return;
    const redis = await this.#connection();
    const results = await redis
      .pipeline()
      .set(keys.confirmed(roomId), 1, "PX", MARK_LIFE)
      .hmget(keys.meta(roomId), "epoch", "time")
      .wait(this.#count, PATIENCE)
      .exec();
    const [, log, confirmed] = valuesOf(results);
    const [epoch, time] = log as [string | null, string | null];
    const isThere = !stored || (epoch === stored.epoch && Number(time) >= stored.at);
    if (!isThere || Number(confirmed) < this.#count) throw refusal("UNAVAILABLE");
  }

  /** Whether enough replicas of the node that has a key take what is written there. @param patience ms that they get */
  async follow(key: string, patience: number): Promise<boolean> {
    if (this.#count === 0) return true;
    const redis = await this.#connection();
    const results = await redis.pipeline().set(key, 1, "PX", MARK_LIFE).wait(this.#count, patience).exec();
    return Number(valuesOf(results)[1]) >= this.#count;
  }

  #connection(): ReturnType<RedisConnections["connectWaiting"]> {
    this.#waiting ??= this.#connections.connectWaiting(PATIENCE).catch((error: unknown) => {
      this.#waiting = undefined; // the next one tries again
      throw error;
    });
    return this.#waiting;
  }
}

/** What a pipeline's commands gave. @throws the error of the first that failed */
function valuesOf(results: [Error | null, unknown][] | null): unknown[] {
  return (results ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}
