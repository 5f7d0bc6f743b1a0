import { setTimeout as delay } from "node:timers/promises";
import calculateSlot from "cluster-key-slot";
import { Cluster, type Redis } from "ioredis";
import type { Logger } from "pino";
import type { RedisClient } from "./client.js";
import { reasonOf } from "./inspect.js";
import { redisKeys } from "./keys.js";

/** Whether this server can currently write to Redis and hear what is published there. */
export interface Readiness {
  ready: boolean;
  /** Why not, one sentence each. */
  problems: string[];
  /** Settings that work now and can lose data later. */
  warnings: string[];
}

const BEAT = 1_000; // ms between two probes
const SECOND_LOOK = 250; // ms until the next probe after one that contradicts the last state
const FRESH = 200; // ms for which callers get the last outcome again: probes cost Redis work
const DEADLINE = 800; // ms for one probe: callers get an answer within a second
const LASTING = 2; // probes in a row that fail, or succeed, before the state changes
const MOST_UNHEARD = 3; // probes in a row that do not arrive, until the listening connection is reopened
const LIFE = 60_000; // ms until a probe's key expires
const EVICTION_CHECK = 60_000; // ms between two checks of the eviction policy
const MOST_TAGS = 20_000; // hash tags to try until each node of a cluster has one

const REPLICATION = 400; // ms that replicas get to confirm a probe
const NOT_REPLICATED = "Fewer replicas than ACK_REPLICAS requires confirm writes: sends fail.";
const UNHEARD = "Published messages do not arrive: the listening connection leads to another Redis than the command connection.";

/** Asks replicas to confirm writes. */
interface Confirms {
  follow(key: string, patience: number): Promise<boolean>;
}

/** A probe of one node: a key and a channel with the same name, in a slot of that node. */
interface Probe {
  name: string;
  /** Called with each payload that arrives on the channel. */
  heard: (payload: string) => void;
}

/**
 * Checks whether Redis can be used, with the same steps as a send: a write, a publication, its arrival on the listening connection, and
 * the confirmation by replicas, on each node of a cluster. Logs one line when that stops working and one when it works again.
 *
 * The probes also detect dead connections: each probe makes Redis owe an answer on every connection, and a connection that stays silent
 * is closed and reopened (`client.ts`).
 */
export class RedisHealth {
  readonly #commands: RedisClient;
  readonly #subscriber: RedisClient;
  readonly #replicas: Confirms;
  readonly #server: string;
  readonly #log: Logger;
  readonly #probes = new Map<string, Probe>();
  #timer: NodeJS.Timeout;
  readonly #evictionTimer: NodeJS.Timeout;
  #probing: Promise<string[]> | undefined;
  #last: { problems: string[]; at: number } | undefined;
  #count = 0;
  /** Probes in a row that did not arrive. */
  #unheard = 0;
  /** Outcomes in a row that contradict the last logged state. */
  #contradictions = 0;
  #downSince: number | undefined;
  #eviction: string | undefined;
  #stopping = false;
  #closed = false;

  /**
   * @param replicas on a separate connection, so that sends that wait for replicas do not delay a probe
   * @param server this server's unique name
   */
  constructor(commands: RedisClient, subscriber: RedisClient, replicas: Confirms, server: string, log: Logger) {
    this.#commands = commands;
    this.#subscriber = subscriber;
    this.#replicas = replicas;
    this.#server = server;
    this.#log = log;
    subscriber.on("ready", () => this.#probes.clear()); // a new connection has no subscriptions yet
    subscriber.on("smessage", (channel: string, payload: string) => this.#probes.get(channel)?.heard(payload));
    this.#timer = setTimeout(() => this.#beat(), BEAT).unref();
    this.#evictionTimer = setInterval(() => void this.#checkEviction(), EVICTION_CHECK).unref();
  }

  /** Runs the first check, so that the log warns of an eviction policy at the start. */
  async start(): Promise<void> {
    await this.#checkEviction();
  }

  /** The server is about to end; from now on it is not ready. */
  announceStop(): void {
    this.#stopping = true;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#evictionTimer);
  }

  /** Probes now, and answers within a second even if Redis hangs. */
  async check(): Promise<Readiness> {
    const isFresh = this.#last && performance.now() - this.#last.at < FRESH;
    const problems = this.#stopping ? ["The server is stopping."] : isFresh && this.#last ? this.#last.problems : await this.#probe();
    return { ready: problems.length === 0, problems, warnings: this.#eviction === undefined ? [] : [this.#eviction] };
  }

  /** Whether Redis was usable at the last check. */
  get up(): boolean {
    return this.#downSince === undefined;
  }

  /** Whether Redis may evict keys. */
  get evicts(): boolean {
    return this.#eviction !== undefined;
  }

  async #beat(): Promise<void> {
    const problems = await this.#probe();
    this.#listenWhereWePublish(problems.includes(UNHEARD));
    this.#judge(problems);
    if (!this.#closed) this.#timer = setTimeout(() => this.#beat(), this.#contradictions > 0 ? SECOND_LOOK : BEAT).unref();
  }

  /** Logs a change of state, once it has lasted. */
  #judge(problems: string[]): void {
    const down = this.#downSince !== undefined;
    if (problems.length > 0 === down) {
      this.#contradictions = 0;
      return;
    }
    this.#contradictions++;
    if (this.#contradictions < LASTING) return;
    this.#contradictions = 0;
    if (down) {
      const seconds = Math.round((performance.now() - (this.#downSince ?? 0)) / 1_000);
      this.#downSince = undefined;
      this.#log.info({ seconds }, "Redis can be used again");
    } else {
      this.#downSince = performance.now() - BEAT;
      this.#log.error({ problems }, "Redis cannot be used; trying again until it can");
    }
  }

  /** Runs one probe at a time; concurrent callers share it. */
  #probe(): Promise<string[]> {
    this.#probing ??= this.#probeAll().then((problems) => {
      this.#probing = undefined;
      this.#last = { problems, at: performance.now() };
      return problems;
    });
    return this.#probing;
  }

  async #probeAll(): Promise<string[]> {
    const names = this.#names();
    for (const name of this.#probes.keys()) {
      if (names.includes(name)) continue; // its node has lost its slots
      this.#probes.delete(name);
      this.#subscriber.sunsubscribe(name).catch(() => {}); // a lost connection loses the subscription too
    }
    if (names.length === 0) return ["No node of the cluster can be reached."];
    const found = await Promise.all(names.map((name) => this.#probeOne(name)));
    return [...new Set(found.flatMap((problem) => problem ?? []))];
  }

  /** After a failover the listening connection may still lead to the former primary, which is alive but cut off from the others. */
  #listenWhereWePublish(unheard: boolean): void {
    this.#unheard = unheard ? this.#unheard + 1 : 0;
    if (this.#unheard < MOST_UNHEARD) return;
    this.#unheard = 0;
    if (this.#subscriber.status === "ready") this.#subscriber.disconnect(true); // `disconnect` would end a connecting client for good
  }

  /** The problem of one node; undefined if it works. */
  async #probeOne(name: string): Promise<string | undefined> {
    const payload = String(++this.#count);
    let heard = () => {};
    const arrival = new Promise<undefined>((resolve) => {
      heard = () => resolve(undefined);
    });
    const known = this.#probes.get(name);
    const probe = known ?? { name, heard: () => {} };
    probe.heard = (arrived) => arrived === payload && heard();
    this.#probes.set(name, probe);

    let step = "It does not answer.";
    const steps = async () => {
      // Makes Redis owe an answer on the listening connection, too. Unsubscribing from an unknown channel has no effect.
      const listens = known ? this.#subscriber.sunsubscribe(`${name}:none`) : this.#subscriber.ssubscribe(name);
      listens.catch(() => this.#probes.delete(name));
      await this.#commands.set(name, payload, "PX", LIFE);
      step = "The connection that listens to Redis does not answer.";
      await listens;
      step = UNHEARD;
      await this.#commands.spublish(name, payload);
      await arrival;
      step = NOT_REPLICATED;
      return (await this.#replicas.follow(name, REPLICATION)) ? undefined : NOT_REPLICATED;
    };
    const timeout = new AbortController();
    const tooLate = delay(DEADLINE, undefined, { signal: timeout.signal }).then(
      () => step,
      () => undefined,
    );
    const outcome = steps().catch(reasonOf);
    return Promise.race([outcome, tooLate]).finally(() => timeout.abort());
  }

  /** The names of the probes: a single one, or in a cluster one for each node that has slots. */
  #names(): string[] {
    if (!(this.#commands instanceof Cluster)) return [redisKeys.probe("", this.#server)];
    const { slots } = this.#commands as Cluster & { slots: string[][] };
    const masters = new Set(slots.map(([master]) => master));
    const names: string[] = [];
    for (let tag = 0; masters.size > 0 && tag < MOST_TAGS; tag++) {
      const master = slots[slotOf(tag)]?.[0];
      if (masters.delete(master)) names.push(redisKeys.probe(`{${tag}}`, this.#server));
    }
    return names;
  }

  async #checkEviction(): Promise<void> {
    try {
      const nodes = this.#commands instanceof Cluster ? this.#commands.nodes("master") : [this.#commands as Redis];
      const policies = await Promise.all(nodes.map(evictionPolicy));
      const evicting = policies.find((policy) => policy !== undefined);
      const warning =
        evicting &&
        `Redis evicts keys when it is full (maxmemory-policy ${evicting}): accounts, sessions and history can vanish. Set maxmemory-policy to noeviction.`;
      if (warning && warning !== this.#eviction) this.#log.warn(warning);
      if (!warning && this.#eviction) this.#log.info("Redis no longer evicts keys");
      this.#eviction = warning;
    } catch (error) {
      this.#log.debug({ error: String(error) }, "could not read the eviction policy; trying again later");
    }
  }
}

/** A node's eviction policy; undefined if it does not evict, or if the Redis user may not run INFO. */
async function evictionPolicy(node: Redis): Promise<string | undefined> {
  const info = await node.info("memory").catch((error: Error) => {
    if (error.message.startsWith("NOPERM")) return "";
    throw error;
  });
  const [, most = "0"] = /^maxmemory:(\d+)/m.exec(info) ?? [];
  const [, policy = "noeviction"] = /^maxmemory_policy:([\w-]+)/m.exec(info) ?? [];
  return most === "0" || policy === "noeviction" ? undefined : policy;
}

const slotsOfTags: number[] = [];

/** The slot of a hash tag, cached. */
function slotOf(tag: number): number {
  slotsOfTags[tag] ??= calculateSlot(String(tag));
  return slotsOfTags[tag];
}
