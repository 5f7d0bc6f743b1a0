import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { isRedisAway, type RedisClient } from "../redis/connect.js";
import type { ScriptCalls, Scripts } from "../redis/scripts.js";
import type { RoomId } from "../util/ids.js";
import type { LimitedLog } from "../util/limited-log.js";
import type { Consumer } from "./consumer.js";
import { consumerKeys } from "./keys.js";
import { RoomEvents } from "./room-events.js";

/** The scripts of consumers. */
export const consumersLua = new URL("./lua/", import.meta.url);

const GROUP = "workers";
export const LONGEST_WAIT = 5_000; // ms that one read of the stream blocks
const RETRY_PAUSE = 200; // ms between retries while Redis is unavailable

/** A hint, as stored in the stream. */
type Entry = ScriptCalls["hint_take_over"]["result"][number];

/**
 * Runs a consumer in this process. It follows the hints of several rooms at once; other processes follow others. A hint ends once nothing
 * waits in its room. Until then it is pending, and another process takes it over if this one dies.
 */
export class ConsumerRunner {
  readonly #redis: RedisClient;
  readonly #reader: RedisClient;
  readonly #scripts: Scripts;
  readonly #consumer: string;
  readonly #events: RoomEvents;
  readonly #name: string;
  readonly #rooms: number;
  readonly #lease: number;
  readonly #log: LimitedLog;
  readonly #active = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #abandoning = new AbortController();
  #reading: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;
  /** Called when the work on a room ends. */
  #onFree = () => {};

  /**
   * @param reader a dedicated connection, because its commands block in Redis
   * @param name unique to this process
   * @param rooms how many rooms it handles at once @param lease of a room, in ms
   */
  constructor(
    redis: RedisClient,
    reader: RedisClient,
    scripts: Scripts,
    consumer: Consumer,
    { name, rooms, lease }: { name: string; rooms: number; lease: number },
    log: LimitedLog,
  ) {
    this.#redis = redis;
    this.#reader = reader;
    this.#scripts = scripts;
    this.#consumer = consumer.name;
    this.#events = new RoomEvents(scripts, consumer, lease);
    this.#name = name;
    this.#rooms = rooms;
    this.#lease = lease;
    this.#log = log;
    setMaxListeners(0, this.#abandoning.signal); // each active room adds a listener
  }

  /** Resolves once it follows hints. */
  async start(): Promise<void> {
    await this.#makeGroup();
    this.#reading = this.#read();
    this.#timer = setInterval(() => {
      this.#beating ??= this.#beat()
        .catch((error: unknown) => this.#complain("looking after hints", error))
        .finally(() => {
          this.#beating = undefined;
        });
    }, this.#lease / 5);
  }

  /**
   * Takes no more hints, waits up to `patience` for the work in progress, then hands the rest over to other processes.
   * @param patience ms
   */
  async stop(patience: number): Promise<void> {
    this.#stopping.abort();
    this.#onFree();
    this.#reader.disconnect();
    await this.#reading;
    const over = setTimeout(() => this.#abandoning.abort(), patience);
    await Promise.all(this.#active.values());
    clearTimeout(over);
    clearInterval(this.#timer);
    await this.#beating;
    await this.#scripts.run("hint_hand_over", { hints: this.#hints }, { group: GROUP, runner: this.#name });
  }

  get #hints(): string {
    return consumerKeys.hints(this.#consumer);
  }

  async #makeGroup(): Promise<void> {
    try {
      await this.#redis.xgroup("CREATE", this.#hints, GROUP, "0", "MKSTREAM");
    } catch (error) {
      if (!String(error).includes("BUSYGROUP")) throw error;
    }
  }

  async #read(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const free = this.#rooms - this.#active.size;
      if (free <= 0) {
        await new Promise<void>((resolve) => {
          this.#onFree = resolve;
        });
        continue;
      }
      try {
        const streams = (await this.#reader.xreadgroup(
          "GROUP",
          GROUP,
          this.#name,
          "COUNT",
          free,
          "BLOCK",
          LONGEST_WAIT,
          "STREAMS",
          this.#hints,
          ">",
        )) as [string, Entry[]][] | null;
        for (const [id, fields] of streams?.[0]?.[1] ?? []) this.#begin(id, fields, true);
      } catch (error) {
        if (signal.aborted) return;
        if (String(error).includes("NOGROUP"))
          await this.#makeGroup().catch(() => {}); // Redis lost its data
        else this.#complain("waiting for hints", error);
        await delay(RETRY_PAUSE);
      }
    }
  }

  #begin(id: string, fields: string[], isNew: boolean): void {
    if (this.#active.has(id)) return;
    const [, roomId = ""] = fields;
    const following = this.#follow(id, roomId as RoomId, isNew).finally(() => {
      this.#active.delete(id);
      this.#onFree();
    });
    this.#active.set(id, following);
  }

  /** Follows a hint; tries again after errors, and while another process holds the room. */
  async #follow(id: string, roomId: RoomId, isNew: boolean): Promise<void> {
    const signals = { stopping: this.#stopping.signal, abandoning: this.#abandoning.signal };
    for (let first = isNew; ; first = false) {
      let pause = RETRY_PAUSE;
      try {
        // First: what comes to wait from here on adds a hint for itself.
        await this.#redis.hdel(consumerKeys.waiting(this.#consumer), roomId);
        const outcome = await this.#events.handle(roomId, signals);
        // The process that holds the room has a hint for it. That hint stays pending until the process releases the room, in one step
        // with a check that nothing waits. So the holder, or the process that takes its hint over, also handles what is behind this hint,
        // and this hint can end. A hint that was taken over may be the holder's own: it stays.
        if (outcome.state === "done" || (outcome.state === "held" && first)) {
          await this.#scripts.run("hint_end", { hints: this.#hints }, { group: GROUP, id });
          return;
        }
        // Lost: the room's new holder has a hint for it. This process no longer renews this hint, so another one takes it over.
        if (outcome.state === "lost")
          this.#log.warn(
            `lost ${this.#consumer}`,
            { roomId, consumer: this.#consumer },
            "another process took over a room because this one was silent; leaving the room to it",
          );
        if (outcome.state === "lost" || outcome.state === "stopped") return;
        if (outcome.state === "held") pause = Math.min(outcome.ms, this.#lease) + 1;
      } catch (error) {
        this.#complain("following a hint", error);
        if (!isRedisAway(error)) pause = this.#lease;
      }
      await delay(pause, undefined, { signal: this.#stopping.signal }).catch(() => {});
      if (this.#stopping.signal.aborted) return;
    }
  }

  /** Renews this process's hints as a sign of life, and takes over those that their processes no longer renew. */
  async #beat(): Promise<void> {
    const own = [...this.#active.keys()];
    if (own.length > 0) await this.#redis.call("XCLAIM", this.#hints, GROUP, this.#name, 0, ...own, "JUSTID");
    const free = this.#rooms - this.#active.size;
    if (free <= 0 || this.#stopping.signal.aborted) return;
    const taken = await this.#scripts.run(
      "hint_take_over",
      { hints: this.#hints },
      { group: GROUP, runner: this.#name, idle: this.#lease * 1.6, count: free },
    );
    for (const [id, fields] of taken) this.#begin(id, fields, false);
  }

  #complain(what: string, error: unknown): void {
    if (isRedisAway(error)) return; // the health check logs that, once
    const name = this.#consumer;
    this.#log.error(`${name}: ${what}`, { error: String(error), consumer: name }, "unexpected error in a consumer; retrying");
  }
}
