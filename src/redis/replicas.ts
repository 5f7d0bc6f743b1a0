import calculateSlot from "cluster-key-slot";
import { Cluster } from "ioredis";
import { refusal } from "../errors.js";
import type { RedisClient, RedisConnections } from "./connect.js";
import { keys } from "./keys.js";

const PATIENCE = 1_000; // ms that replicas get to confirm
const MARK_LIFE = 10_000; // ms
const PAUSE = 1_000; // ms after a connection could not be had, until it is tried again

/** An event that was stored, by its room's log: the log's epoch, its number there and its time in µs. */
export interface StoredEvent {
  epoch: string;
  seq: number;
  at: number;
}

/** A question that waits for its turn. */
interface Waiting {
  roomId: string;
  event: StoredEvent;
  answer: (isConfirmed: boolean) => void;
  fail: (error: unknown) => void;
}

/**
 * Waits until replicas have what was written to a room, so that a failover to one of them does not lose it.
 *
 * Redis confirms writes per connection (WAIT). So a mark is written on a connection of its own and waited for: replicas receive
 * writes in one order, and have the message when they have the mark. The room's log is looked at in the same step, as the
 * failover may have been between the two: then the mark is safe and the message is not.
 *
 * While a connection waits, Redis does nothing else on it. So all who ask meanwhile are answered together, by the next round.
 */
export class Replicas {
  readonly #connections: Pick<RedisConnections, "connectWaiting">;
  readonly #count: number;
  #connection: Promise<RedisClient> | undefined;
  /** Who waits for the next round, by the node of a cluster that has the room. */
  readonly #waiting = new Map<string, Waiting[]>();

  /** @param count how many replicas have to confirm; 0 asks none */
  constructor(connections: Pick<RedisConnections, "connectWaiting">, count: number) {
    this.#connections = connections;
    this.#count = count;
  }

  /**
   * Resolves once enough replicas have an event.
   * @throws ChatError UNAVAILABLE if they have not confirmed in time; the event may be stored all the same
   */
  async confirm(roomId: string, event: StoredEvent): Promise<void> {
    if (this.#count === 0) return;
    const redis = await this.#connect();
    const isConfirmed = await new Promise<boolean>((answer, fail) => {
      const node = nodeOf(redis, keys.meta(roomId));
      const waiting = this.#waiting.get(node);
      if (waiting) return waiting.push({ roomId, event, answer, fail });
      this.#waiting.set(node, [{ roomId, event, answer, fail }]);
      void this.#rounds(redis, node);
    });
    if (!isConfirmed) throw refusal("UNAVAILABLE");
  }

  /** Whether enough replicas of the node that has a key take what is written there. @param patience ms that they get */
  async follow(key: string, patience: number): Promise<boolean> {
    if (this.#count === 0) return true;
    const redis = await this.#connect();
    const [, confirmed] = valuesOf(await redis.pipeline().set(key, 1, "PX", MARK_LIFE).wait(this.#count, patience).exec());
    return Number(confirmed) >= this.#count;
  }

  /** Answers who waits at a node, until nobody does. */
  async #rounds(redis: RedisClient, node: string): Promise<void> {
    for (let round = this.#waiting.get(node) ?? []; round.length > 0; round = this.#waiting.get(node) ?? []) {
      this.#waiting.set(node, []);
      try {
        const answers = await this.#ask(redis, round);
        for (const [n, { answer }] of round.entries()) answer(answers[n] === true);
      } catch (error) {
        for (const { fail } of round) fail(error);
      }
    }
    this.#waiting.delete(node);
  }

  /** Whether each event is there, and replicas have it. */
  async #ask(redis: RedisClient, round: Waiting[]): Promise<boolean[]> {
    const pipeline = redis.pipeline();
    for (const { roomId, event } of round) {
      pipeline.set(keys.confirmed(roomId), 1, "PX", MARK_LIFE).hmget(keys.meta(roomId), "epoch", "seq");
      pipeline.xrange(keys.log(roomId), `${event.seq}-0`, "+", "COUNT", 1);
      const score = scoreOf(event.at);
      pipeline.zcount(keys.room(roomId), score, score);
    }
    const values = valuesOf(await pipeline.wait(this.#count, PATIENCE).exec());
    const enough = Number(values.at(-1)) >= this.#count;
    return round.map(({ event }, n) => {
      const [epoch, seq] = values[4 * n + 1] as [string | null, string | null];
      const [entry] = values[4 * n + 2] as [id: string, fields: string[]][];
      const isInRoom = Number(values[4 * n + 3]) > 0;
      // Deleted by now, its place in the log still tells.
      return enough && (isInRoom || (epoch === event.epoch && Number(seq) >= event.seq && isOf(event, entry)));
    });
  }

  #connect(): Promise<RedisClient> {
    if (!this.#connection) {
      const connection = this.#connections.connectWaiting(PATIENCE);
      this.#connection = connection;
      connection.catch(() => setTimeout(() => (this.#connection = undefined), PAUSE).unref());
    }
    return this.#connection;
  }
}

/** Whether the entry of a log at an event's place, or behind it, leaves it open that the event is this one. */
function isOf({ seq, at }: StoredEvent, entry: [id: string, fields: string[]] | undefined): boolean {
  if (entry?.[0] !== `${seq}-0`) return true; // trimmed since
  return Number(/"at":(\d+)/.exec(entry[1][1] ?? "")?.[1]) === at;
}

/** A message's score in its room: seconds, to the microsecond. */
const scoreOf = (at: number) => `${Math.floor(at / 1e6)}.${String(at % 1e6).padStart(6, "0")}`;

/** The node of a cluster that has a key; one name for all where there is one node. */
function nodeOf(redis: RedisClient, key: string): string {
  if (!(redis instanceof Cluster)) return "";
  const { slots } = redis as Cluster & { slots: string[][] };
  return slots[calculateSlot(key)]?.[0] ?? "";
}

/** What a pipeline's commands gave. @throws the error of the first that failed */
function valuesOf(results: [Error | null, unknown][] | null): unknown[] {
  return (results ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}
