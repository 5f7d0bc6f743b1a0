import calculateSlot from "cluster-key-slot";
import { Cluster } from "ioredis";
import type { RedisClient, RedisConnections } from "../redis/connect.js";
import { refusal } from "../util/errors.js";
import type { RoomId } from "../util/ids.js";
import { logKeys } from "./keys.js";

const PATIENCE = 1_000; // ms that replicas get to confirm
const MARK_LIFE = 10_000; // ms
const RECONNECT_PAUSE = 1_000; // ms after a failed attempt to connect, until the next one

/** A stored event: its log's epoch, its number in the log, and its time in µs. */
export interface StoredEvent {
  epoch: string;
  seq: number;
  at: number;
}

/** A call of `confirm` that waits for the next round. */
interface Waiting {
  roomId: RoomId;
  event: StoredEvent;
  answer: (isConfirmed: boolean) => void;
  fail: (error: unknown) => void;
}

/**
 * Waits until replicas have the writes to a room, so that a failover to one of them does not lose the writes.
 *
 * Redis confirms writes per connection (WAIT). So this class writes a marker on a separate connection and waits for that: replicas
 * receive writes in one order, so a replica that has the marker also has the event. The same pipeline reads the room's log, because a
 * failover between the two writes would keep the marker and lose the event.
 *
 * While a connection waits, Redis runs nothing else on it. Calls that arrive during a round are answered together, by the next round.
 */
export class Replicas {
  readonly #connections: Pick<RedisConnections, "connectWaiting">;
  readonly #count: number;
  #connection: Promise<RedisClient> | undefined;
  /** The calls that wait for the next round, by the cluster node that has the room. */
  readonly #waiting = new Map<string, Waiting[]>();

  /** @param count number of replicas that have to confirm; with 0, nothing waits */
  constructor(connections: Pick<RedisConnections, "connectWaiting">, count: number) {
    this.#connections = connections;
    this.#count = count;
  }

  /**
   * Resolves once enough replicas have an event.
   * @throws ChatError UNAVAILABLE if they do not confirm in time; the event may be stored nevertheless
   */
  async confirm(roomId: RoomId, event: StoredEvent): Promise<void> {
    if (this.#count === 0) return;
    const redis = await this.#connect();
    const isConfirmed = await new Promise<boolean>((answer, fail) => {
      const node = nodeOf(redis, logKeys.meta(roomId));
      const waiting = this.#waiting.get(node);
      if (waiting) return waiting.push({ roomId, event, answer, fail });
      this.#waiting.set(node, [{ roomId, event, answer, fail }]);
      void this.#rounds(redis, node);
    });
    if (!isConfirmed) throw refusal("UNAVAILABLE");
  }

  /** Whether enough replicas confirm a write to a key's node. @param patience ms to wait for them */
  async follow(key: string, patience: number): Promise<boolean> {
    if (this.#count === 0) return true;
    const redis = await this.#connect();
    const [, confirmed] = valuesOf(await redis.pipeline().set(key, 1, "PX", MARK_LIFE).wait(this.#count, patience).exec());
    return Number(confirmed) >= this.#count;
  }

  /** Answers the waiting calls of a node, round after round, until none are left. */
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

  /** For each event, whether it is stored and enough replicas have it. */
  async #ask(redis: RedisClient, round: Waiting[]): Promise<boolean[]> {
    const pipeline = redis.pipeline();
    for (const { roomId, event } of round) {
      pipeline.set(logKeys.confirmed(roomId), 1, "PX", MARK_LIFE).hmget(logKeys.meta(roomId), "epoch", "seq");
      pipeline.xrange(logKeys.log(roomId), `${event.seq}-0`, "+", "COUNT", 1);
      const score = scoreOf(event.at);
      pipeline.zcount(logKeys.room(roomId), score, score);
    }
    const values = valuesOf(await pipeline.wait(this.#count, PATIENCE).exec());
    const enough = Number(values.at(-1)) >= this.#count;
    return round.map(({ event }, n) => {
      const [epoch, seq] = values[4 * n + 1] as [string | null, string | null];
      const [entry] = values[4 * n + 2] as [id: string, fields: string[]][];
      const isInRoom = Number(values[4 * n + 3]) > 0;
      // If the entry was removed since, the event's place in the log still proves that it was stored.
      return enough && (isInRoom || (epoch === event.epoch && Number(seq) >= event.seq && isOf(event, entry)));
    });
  }

  #connect(): Promise<RedisClient> {
    if (!this.#connection) {
      const connection = this.#connections.connectWaiting(PATIENCE);
      this.#connection = connection;
      connection.catch(() => setTimeout(() => (this.#connection = undefined), RECONNECT_PAUSE).unref());
    }
    return this.#connection;
  }
}

/** Whether a log agrees that it contains an event. @param entry the log's first entry at or after the event's place */
function isOf({ seq, at }: StoredEvent, entry: [id: string, fields: string[]] | undefined): boolean {
  if (entry?.[0] !== `${seq}-0`) return true; // trimmed since
  return Number(/"at":(\d+)/.exec(entry[1][1] ?? "")?.[1]) === at;
}

/** The score of an event's entry in its room: seconds, to the microsecond. */
const scoreOf = (at: number) => `${Math.floor(at / 1e6)}.${String(at % 1e6).padStart(6, "0")}`;

/** The cluster node that has a key; without a cluster, the same name for every key. */
function nodeOf(redis: RedisClient, key: string): string {
  if (!(redis instanceof Cluster)) return "";
  const { slots } = redis as Cluster & { slots: string[][] };
  return slots[calculateSlot(key)]?.[0] ?? "";
}

/** The results of a pipeline's commands. @throws the first error among them */
function valuesOf(results: [Error | null, unknown][] | null): unknown[] {
  return (results ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}
