import { setTimeout as delay } from "node:timers/promises";
import { isRedisAway } from "../redis/connect.js";

/** How a room stands for who writes in it. */
export type Standing = "OK" | "CANCELLED" | "EDITED" | "LOST";

const SPREAD = 50; // ms, at most, that are added at random: answers that began together are not to come to a server all in one moment

/**
 * Writes an answer as it grows: its first piece at once, then what has come since, some times a second. While nothing comes it asks
 * regularly whether it may go on, which keeps the room's lease too.
 */
export class Writer {
  readonly #write: (written: number, delta: string, isAnew: boolean) => Promise<Standing>;
  readonly #hold: number;
  readonly #pause: () => number;
  readonly #lease: number;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  #text = "";
  /** How much of the text was written: in UTF-16 units, and in bytes. */
  #sent = 0;
  #bytes = 0;
  /** How often the text began again, and how often that was written. */
  #begun = 0;
  #begunWritten = 0;
  #wake = () => {};

  /**
   * @param write writes what comes behind so many bytes, or instead of all that was written; with nothing it only asks
   * @param pause ms from one write to the next, at least
   * @param hold ms without a write after which it is asked
   * @param lease ms after which the room may be another's, if nothing could be written
   * @param onEnd is told, once, when it may not go on; with an error where Redis is away for too long
   */
  constructor(
    write: (written: number, delta: string, isAnew: boolean) => Promise<Standing>,
    { pause, hold, lease }: { pause: () => number; hold: number; lease: number },
    onEnd: (why: Exclude<Standing, "OK"> | Error) => void,
  ) {
    this.#write = write;
    this.#hold = hold;
    this.#pause = pause;
    this.#lease = lease;
    this.#running = this.#run()
      .catch(onEnd)
      .then((standing) => {
        if (standing) onEnd(standing);
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

  /** Begins the text again, without what it was so far. */
  beginAnew(): void {
    this.#text = "";
    this.#begun++;
    this.#wake();
  }

  /** Resolves when nothing is being written any more. What was not written yet stays so. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<Exclude<Standing, "OK"> | undefined> {
    const { signal } = this.#stopped;
    let heard = performance.now();
    while (!signal.aborted) {
      if (this.#next() === "" && this.#begun === this.#begunWritten) await this.#somethingNew();
      if (signal.aborted) break;
      const begun = this.#begun;
      const isAnew = begun !== this.#begunWritten;
      if (isAnew) [this.#sent, this.#bytes] = [0, 0];
      const delta = this.#next();
      try {
        const standing = await this.#write(this.#bytes, delta, isAnew);
        if (standing !== "OK") return standing;
        if (begun !== this.#begun) continue; // it began again while this was written
        this.#begunWritten = begun;
        this.#sent += delta.length;
        this.#bytes += Buffer.byteLength(delta);
        heard = performance.now();
      } catch (error) {
        // Redis may be back within the lease. It does not write twice what it wrote without being able to say so.
        if (!isRedisAway(error) || performance.now() - heard > this.#lease) throw error;
      }
      await delay(this.#pause() + Math.random() * SPREAD, undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  /** What is to be written next. Half a character waits for its other half. */
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
