import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { LimitedLog } from "../limited-log.js";
import { isRedisAway, type RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import type { Replying } from "./replying.js";

const GROUP = "workers";
export const LONGEST_WAIT = 5_000; // ms that one reading of the stream waits for a request
const PAUSE = 200; // ms until something is tried again while Redis is away

/** A request of a room, as the stream has it. */
type Entry = [id: string, fields: string[]];

/**
 * Sees to requests: of some rooms at once, each with the others of the consumer group having their own. A request is done once nothing
 * is asked in its room any more; before that it is pending, and goes over to another worker should this one die.
 */
export class AssistantWorker {
  readonly #redis: RedisClient;
  readonly #reader: RedisClient;
  readonly #scripts: Scripts;
  readonly #replying: Replying;
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
  /** Called when a room is done with. */
  #onFree = () => {};

  /**
   * @param reader a connection of its own, on which commands wait in Redis
   * @param name that no other worker has
   * @param rooms in which it answers at once @param lease of a room, in ms
   */
  constructor(
    redis: RedisClient,
    reader: RedisClient,
    scripts: Scripts,
    replying: Replying,
    { name, rooms, lease }: { name: string; rooms: number; lease: number },
    log: LimitedLog,
  ) {
    this.#redis = redis;
    this.#reader = reader;
    this.#scripts = scripts;
    this.#replying = replying;
    this.#name = name;
    this.#rooms = rooms;
    this.#lease = lease;
    this.#log = log;
    setMaxListeners(0, this.#abandoning.signal); // each room listens
  }

  /** Resolves when requests will be seen to. */
  async start(): Promise<void> {
    await this.#makeGroup();
    this.#reading = this.#read();
    this.#timer = setInterval(() => {
      this.#beating ??= this.#beat()
        .catch((error: unknown) => this.#complain("looking after requests", error))
        .finally(() => {
          this.#beating = undefined;
        });
    }, this.#lease / 5);
  }

  /**
   * Takes nothing more, lets what is being written be finished within the patience, and leaves the rest to the others at once.
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
    await this.#scripts.run("request_hand_over", [keys.requests], [GROUP, this.#name]);
  }

  async #makeGroup(): Promise<void> {
    try {
      await this.#redis.xgroup("CREATE", keys.requests, GROUP, "0", "MKSTREAM");
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
          keys.requests,
          ">",
        )) as [string, Entry[]][] | null;
        for (const [id, fields] of streams?.[0]?.[1] ?? []) this.#begin(id, fields, true);
      } catch (error) {
        if (signal.aborted) return;
        if (String(error).includes("NOGROUP"))
          await this.#makeGroup().catch(() => {}); // Redis lost its data
        else this.#complain("waiting for requests", error);
        await delay(PAUSE);
      }
    }
  }

  #begin(id: string, fields: string[], isNew: boolean): void {
    if (this.#active.has(id)) return;
    const [, roomId = ""] = fields;
    const seeing = this.#see(id, roomId, isNew).finally(() => {
      this.#active.delete(id);
      this.#onFree();
    });
    this.#active.set(id, seeing);
  }

  /** Sees to a request, again and again while Redis is away. */
  async #see(id: string, roomId: string, isNew: boolean): Promise<void> {
    const signals = { stopping: this.#stopping.signal, abandoning: this.#abandoning.signal };
    for (let first = isNew; ; first = false) {
      let pause = PAUSE;
      try {
        // Before the look: whatever is asked after that makes a request of its own.
        await this.#redis.hdel(keys.waiting, roomId);
        const outcome = await this.#replying.room(roomId, signals);
        // Who holds the room has a request of it, which stays pending until they have let go, in one step with a look that finds
        // nothing asked. So what this request tells of is seen to, by them or by who takes theirs over, and it can go. One that was
        // taken over may be the very one that the holder has: it stays.
        if (outcome.state === "done" || (outcome.state === "held" && first)) {
          await this.#scripts.run("request_end", [keys.requests], [GROUP, id]);
          return;
        }
        // Lost: whoever has the room by now has a request of it. This one, untouched from here on, goes to who finds it.
        if (outcome.state === "lost")
          this.#log.warn("lost", { roomId }, "another worker has taken a room over, as this one was silent for too long");
        if (outcome.state === "lost" || outcome.state === "stopped") return;
        if (outcome.state === "held") pause = Math.min(outcome.ms, this.#lease) + 1;
      } catch (error) {
        this.#complain("answering", error);
        if (!isRedisAway(error)) pause = this.#lease;
      }
      await delay(pause, undefined, { signal: this.#stopping.signal }).catch(() => {});
      if (this.#stopping.signal.aborted) return;
    }
  }

  /** Keeps the own requests young, as a sign of life, and takes over those of who gives none. */
  async #beat(): Promise<void> {
    const own = [...this.#active.keys()];
    if (own.length > 0) await this.#redis.call("XCLAIM", keys.requests, GROUP, this.#name, 0, ...own, "JUSTID");
    const free = this.#rooms - this.#active.size;
    if (free <= 0 || this.#stopping.signal.aborted) return;
    const taken = (await this.#scripts.run(
      "request_take_over",
      [keys.requests],
      [GROUP, this.#name, this.#lease * 1.6, free],
    )) as (Entry | null)[];
    for (const entry of taken) if (entry) this.#begin(entry[0], entry[1], false);
  }

  #complain(what: string, error: unknown): void {
    if (isRedisAway(error)) return; // the health check logs that, once
    this.#log.error(what, { error: String(error) }, "the assistant met something unforeseen; it tries again");
  }
}
