import { setTimeout as delay } from "node:timers/promises";
import { isRedisAway } from "../redis/connect.js";
import type { ScriptCalls } from "../redis/scripts.js";

/** The state of a room for the worker that writes in it. */
export type WriteOutcome = ScriptCalls["assistant_write"]["result"];

const SPREAD = 50; // ms, at most, added at random, so that answers that began together do not reach a server all at once

/**
 * Writes an answer as it grows: the first piece at once, then the new text several times a second. While there is no new text, it checks
 * regularly whether it may continue, which also renews the room's lease.
 */
export class Writer {
  readonly #write: (written: number, delta: string, restarts: boolean) => Promise<WriteOutcome>;
  readonly #hold: number;
  readonly #pause: () => number;
  readonly #lease: number;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  #text = "";
  /** The length of the written part of the text, in UTF-16 units and in bytes. */
  #sent = 0;
  #bytes = 0;
  /** How often the text restarted, and how many of these restarts were written. */
  #begun = 0;
  #begunWritten = 0;
  #wake = () => {};

  /**
   * @param write writes `delta` after the first `written` bytes, or in place of them if `restarts`; with an empty `delta` it only checks
   * @param pause ms between two writes, at least
   * @param hold ms without new text after which it checks
   * @param lease ms without a successful write after which another worker may hold the room
   * @param onEnd called once, when it may not continue; with an error if Redis is unavailable for too long
   */
  constructor(
    write: (written: number, delta: string, restarts: boolean) => Promise<WriteOutcome>,
    { pause, hold, lease }: { pause: () => number; hold: number; lease: number },
    onEnd: (why: Exclude<WriteOutcome, "OK"> | Error) => void,
  ) {
    this.#write = write;
    this.#hold = hold;
    this.#pause = pause;
    this.#lease = lease;
    this.#running = this.#run()
      .catch(onEnd)
      .then((outcome) => {
        if (outcome) onEnd(outcome);
      });
  }

  /** The text so far. */
  get text(): string {
    return this.#text;
  }

  add(piece: string): void {
    this.#text += piece;
    this.#wake();
  }

  /** Restarts the text, without the text so far. */
  restart(): void {
    this.#text = "";
    this.#begun++;
    this.#wake();
  }

  /** Resolves once no write is in progress. Text that was not written yet is not written later. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<Exclude<WriteOutcome, "OK"> | undefined> {
    const { signal } = this.#stopped;
    let heard = performance.now();
    while (!signal.aborted) {
      if (this.#next() === "" && this.#begun === this.#begunWritten) await this.#somethingNew();
      if (signal.aborted) break;
      const begun = this.#begun;
      const restarts = begun !== this.#begunWritten;
      if (restarts) [this.#sent, this.#bytes] = [0, 0];
      const delta = this.#next();
      try {
        const outcome = await this.#write(this.#bytes, delta, restarts);
        if (outcome !== "OK") return outcome;
        if (begun !== this.#begun) continue; // the text restarted during this write
        this.#begunWritten = begun;
        this.#sent += delta.length;
        this.#bytes += Buffer.byteLength(delta);
        heard = performance.now();
      } catch (error) {
        // Redis may be back within the lease. If it wrote the text but its reply was lost, the retry does not write the text twice.
        if (!isRedisAway(error) || performance.now() - heard > this.#lease) throw error;
      }
      await delay(this.#pause() + Math.random() * SPREAD, undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  /** The text to write next. Half a character waits for its other half. */
  #next(): string {
    const next = this.#text.slice(this.#sent);
    return /[\ud800-\udbff]$/.test(next) ? next.slice(0, -1) : next;
  }

  async #somethingNew(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#hold);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }
}
