import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { isRedisAway, type RedisClient } from "../redis/connect.js";
import type { ScriptCalls, Scripts } from "../redis/scripts.js";
import type { LimitedLog } from "../util/limited-log.js";
import { assistantKeys } from "./keys.js";
import type { Replying } from "./replying.js";

const GROUP = "workers";
export const LONGEST_WAIT = 5_000; // ms that one read of the stream blocks
const PAUSE = 200; // ms between retries while Redis is unavailable

/** A room's request, as stored in the stream. */
type Entry = ScriptCalls["request_take_over"]["result"][number];

/**
 * Handles the requests of several rooms at once; the other workers of the consumer group handle others. A request ends once its room has
 * no open question. Until then it is pending, and another worker takes it over if this one dies.
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
  /** Called when the work on a room ends. */
  #onFree = () => {};

  /**
   * @param reader a dedicated connection, because its commands block in Redis
   * @param name unique to this worker
   * @param rooms how many rooms it answers in at once @param lease of a room, in ms
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
    setMaxListeners(0, this.#abandoning.signal); // each active room adds a listener
  }

  /** Resolves once the worker handles requests. */
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
   * Takes no more requests, waits up to `patience` for the answers in progress, then hands the rest over to other workers.
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
    await this.#scripts.run("request_hand_over", { requests: assistantKeys.requests }, { group: GROUP, consumer: this.#name });
  }

  async #makeGroup(): Promise<void> {
    try {
      await this.#redis.xgroup("CREATE", assistantKeys.requests, GROUP, "0", "MKSTREAM");
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
          assistantKeys.requests,
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

  /** Handles a request; retries after errors, and while another worker holds the room. */
  async #see(id: string, roomId: string, isNew: boolean): Promise<void> {
    const signals = { stopping: this.#stopping.signal, abandoning: this.#abandoning.signal };
    for (let first = isNew; ; first = false) {
      let pause = PAUSE;
      try {
        // First: a question asked from here on adds a request for itself.
        await this.#redis.hdel(assistantKeys.waiting, roomId);
        const outcome = await this.#replying.room(roomId, signals);
        // The worker that holds the room has a request for it. That request stays pending until the worker releases the room, in one
        // step with a check that finds no open question. So the holder, or the worker that takes its request over, also answers the
        // questions behind this request, and this request can end. A request that was taken over may be the holder's own: it stays.
        if (outcome.state === "done" || (outcome.state === "held" && first)) {
          await this.#scripts.run("request_end", { requests: assistantKeys.requests }, { group: GROUP, id });
          return;
        }
        // Lost: the room's new holder has a request for it. This worker no longer renews this request, so another one takes it over.
        if (outcome.state === "lost")
          this.#log.warn("lost", { roomId }, "another worker took over a room because this one was silent; leaving the room to it");
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

  /** Renews this worker's requests as a sign of life, and takes over those that their workers no longer renew. */
  async #beat(): Promise<void> {
    const own = [...this.#active.keys()];
    if (own.length > 0) await this.#redis.call("XCLAIM", assistantKeys.requests, GROUP, this.#name, 0, ...own, "JUSTID");
    const free = this.#rooms - this.#active.size;
    if (free <= 0 || this.#stopping.signal.aborted) return;
    const taken = await this.#scripts.run(
      "request_take_over",
      { requests: assistantKeys.requests },
      { group: GROUP, consumer: this.#name, idle: this.#lease * 1.6, count: free },
    );
    for (const [id, fields] of taken) this.#begin(id, fields, false);
  }

  #complain(what: string, error: unknown): void {
    if (isRedisAway(error)) return; // the health check logs that, once
    this.#log.error(what, { error: String(error) }, "unexpected error in the assistant; retrying");
  }
}
