import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { rateLimited, refusal } from "../../util/errors.js";
import type { Account, UnderWay } from "./account.js";
import type { Entrance } from "./entrance.js";

const LONG = 3; // ms; a task this long costs double, because all other clients wait for its end
const HIGHEST_PRICE = 2_000; // ms
const MOST_IN_LINE = 100; // operations of one payer that wait to begin; the server stops reading from a socket long before that

/** The error for a client that is gone, which no client receives. One for all: creating thousands at once would take long. */
const GONE = refusal("UNAVAILABLE");

/** The price, in ms, of a task that takes `ms`. The time that others wait for it grows with the square of its length. */
export const priceOf = (ms: number): number => Math.min(ms + ms ** 2 / LONG, HIGHEST_PRICE);

/** Pays for an operation from the accounts of its user, or of its connection without a session, and of its address. */
export class Payer {
  readonly #entrance: Entrance;
  /** That of the user or the connection, or of the address if there is neither; then that of the address as well. */
  readonly #accounts: readonly Account[];

  /** @param address of the client, if `ofAddress` pays as well */
  constructor(own: Account, ofAddress?: Account, address = "") {
    this.#entrance = own.entrance(address);
    this.#accounts = ofAddress ? [own, ofAddress] : [own];
  }

  /** Milliseconds until all balances are positive; 0 if they are. */
  get wait(): number {
    return this.#accounts.reduce((longest, account) => Math.max(longest, account.wait), 0);
  }

  /** @param price in ms, see `priceOf` */
  charge(price: number): void {
    for (const account of this.#accounts) account.charge(price);
  }

  /**
   * Runs a piece of work, and charges for the time that it takes.
   * @param most upper bound of the charged time, in ms: on a busy machine the clock runs while other processes have the processor
   */
  pay<T>(work: () => T, most: number): T {
    const began = performance.now();
    try {
      return work();
    } finally {
      this.charge(priceOf(Math.min(performance.now() - began, most)));
    }
  }

  /** Calls the listener once, asynchronously, when all balances are positive and the user's sockets that waited before have resumed. */
  onSolvent(listener: () => void): void {
    this.#entrance.sockets.add(() => this.wait, listener);
  }

  /**
   * Starts a subscription once all balances are positive, and only few of them at a time.
   * @param isGone whether the client is gone, so that the subscription need not start
   * @throws ChatError UNAVAILABLE if the client is gone; the error of `work`
   */
  begin<T>(work: () => Promise<T>, isGone: () => boolean): Promise<T> {
    return this.#entrance.begin(() => this.#solvent(Number.POSITIVE_INFINITY, isGone), work);
  }

  /** Like `onSolvent`, for a subscription. */
  resumeInTurn(listener: () => void): void {
    this.#entrance.subscriptions.add(() => this.wait, listener);
  }

  /**
   * Waits for the operation's turn among those of the payer, and until all balances are positive; `leave` admits the next operation.
   * @param patience ms after which the operation is refused
   * @param isGone whether the client is gone, so that the operation need not begin
   * @throws ChatError RATE_LIMITED, UNAVAILABLE
   */
  async enter(patience: number, isGone = () => false): Promise<void> {
    if (this.#entrance.inLine >= MOST_IN_LINE && patience < Number.POSITIVE_INFINITY) throw this.#refusal();
    const deadline = performance.now() + patience;
    if (!(await this.#entrance.enter(patience))) throw this.#refusal();
    try {
      await this.#solvent(deadline, isGone);
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  leave(): void {
    this.#entrance.leave();
  }

  /**
   * Waits until an operation of this size may be in progress, and reserves the size. Then waits until all balances are positive, because
   * earlier operations may have used them up.
   * @param patience ms after which the operation is refused
   * @param isGone whether the client is gone, so that the operation need not begin
   * @throws ChatError RATE_LIMITED, UNAVAILABLE
   */
  async reserve(size: UnderWay, patience: number, isGone = () => false): Promise<Share> {
    const deadline = performance.now() + patience;
    while (!isGone()) {
      const full = this.#accounts.find((account) => !account.hasRoom(size));
      if (!full) break;
      const left = deadline - performance.now();
      if (left <= 0) throw this.#refusal();
      await (left < Number.POSITIVE_INFINITY
        ? Promise.race([full.roomChanges(), delay(left, undefined, { ref: false })])
        : full.roomChanges());
    }
    const share = new Share(this.#accounts, size);
    try {
      await this.#solvent(deadline, isGone);
      return share;
    } catch (error) {
      share.release();
      throw error;
    }
  }

  /** @throws ChatError RATE_LIMITED if the wait would exceed the deadline, UNAVAILABLE if the client is gone */
  async #solvent(deadline: number, isGone: () => boolean): Promise<void> {
    for (let wait = this.wait; !isGone(); wait = this.wait) {
      if (wait === 0) return;
      if (performance.now() + wait > deadline) throw this.#refusal();
      await delay(wait, undefined, { ref: false });
    }
    throw GONE;
  }

  #refusal() {
    return rateLimited(Math.max(1, Math.ceil(this.wait / 1_000)), "You have too much in progress, or used too much of the server's time.");
  }
}

/** The size that one operation has reserved. */
export class Share {
  readonly #accounts: readonly Account[];
  #size: UnderWay;

  constructor(accounts: readonly Account[], size: UnderWay) {
    this.#accounts = accounts;
    this.#size = size;
    for (const account of accounts) account.take(size);
  }

  /** Releases what the operation turned out not to need. */
  shrink(size: UnderWay): void {
    const before = this.#size;
    this.#size = size;
    for (const account of this.#accounts) account.giveBack({ values: before.values - size.values, texts: before.texts - size.texts });
  }

  release(): void {
    this.shrink({ values: 0, texts: 0 });
  }
}
