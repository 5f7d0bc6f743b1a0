import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { rateLimited, refusal } from "../../util/errors.js";
import type { UserId } from "../../util/ids.js";
import { type Cost, MOST_TEXTS, MOST_VALUES } from "./cost.js";

/** How much of the server one payer may use. */
interface Allowance {
  /** Milliseconds of the server's time that can be used at once. */
  burst: number;
  /** Milliseconds regained per second. */
  perSecond: number;
  /** How many of the largest operations may be in progress at once. */
  largest: number;
}

const USER: Allowance = { burst: 250, perSecond: 100, largest: 1 };
const USERS_OF_ADDRESS: Allowance = { burst: 2_000, perSecond: 400, largest: 4 }; // an office where all users reconnect at once
const STRANGER: Allowance = { burst: 100, perSecond: 20, largest: 1 }; // a connection without a session
const STRANGERS_OF_ADDRESS: Allowance = { burst: 300, perSecond: 50, largest: 2 };

const UNLIMITED: Allowance = { burst: 1e12, perSecond: 1e12, largest: 1e9 };

const LONG = 3; // ms; a task this long costs double, because all other clients wait for its end
const HIGHEST_PRICE = 2_000; // ms
const RESUME_PAUSE = 2; // ms between two resumptions: by the second, the first is charged for its work, including reads from Redis
const BEGIN_AT_ONCE = 2; // subscriptions of one payer that start at a time: each asks Redis about each of its rooms
const LONGEST_BEGINNING = 1_000; // ms after which the next one starts in any case
const MOST_IN_LINE = 100; // operations of one payer that wait to begin; the server stops reading from a socket long before that

/** The error for a client that is gone, which no client receives. One for all: creating thousands at once would take long. */
const GONE = refusal("UNAVAILABLE");

/** The price, in ms, of a task that takes `ms`. The time that others wait for it grows with the square of its length. */
export const priceOf = (ms: number): number => Math.min(ms + ms ** 2 / LONG, HIGHEST_PRICE);

/** The size of operations in progress. */
type UnderWay = Pick<Cost, "values" | "texts">;

/** Resumes sockets or subscriptions one by one, each when the balance is positive: all at once would use much more than the balance. */
class Line {
  readonly #waiting: { wait: () => number; resume: () => void }[] = [];

  /** @param wait ms until the balance is positive @param resume called once, asynchronously */
  add(wait: () => number, resume: () => void): void {
    this.#waiting.push({ wait, resume });
    if (this.#waiting.length === 1) void this.#resumeAll();
  }

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  async #resumeAll(): Promise<void> {
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      await delay(RESUME_PAUSE, undefined, { ref: false });
      for (let ms = first.wait(); ms > 0; ms = first.wait()) await delay(ms, undefined, { ref: false });
      first.resume();
      this.#waiting.shift();
    }
  }
}

/** How much of the server one user, one address or one connection uses. */
class Account {
  readonly #allowance: Allowance;
  #balance: number;
  #at = performance.now();
  readonly #underWay: UnderWay = { values: 0, texts: 0 };
  readonly #forRoom: (() => void)[] = [];
  readonly #entrances = new Map<string, WeakRef<Entrance>>();

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
    this.#balance = allowance.burst;
  }

  /** Milliseconds until the balance is positive; 0 if it is. */
  get wait(): number {
    this.#refill();
    return this.#balance > 0 ? 0 : ((1 - this.#balance) / this.#allowance.perSecond) * 1_000;
  }

  charge(ms: number): void {
    this.#refill();
    this.#balance -= ms;
  }

  /** Whether the account can be forgotten. */
  get idle(): boolean {
    this.#refill();
    if (this.#balance < this.#allowance.burst || this.#underWay.values > 0 || this.#underWay.texts > 0) return false;
    return [...this.#entrances.values()].every((entrance) => entrance.deref()?.idle ?? true);
  }

  /** Where operations of this account from one address wait: others must not wait for the balance of that address. */
  entrance(address: string): Entrance {
    const known = this.#entrances.get(address)?.deref();
    if (known) return known;
    for (const [other, entrance] of this.#entrances) if (!entrance.deref()) this.#entrances.delete(other);
    const entrance = new Entrance(this.#allowance !== UNLIMITED);
    this.#entrances.set(address, new WeakRef(entrance));
    return entrance;
  }

  hasRoom({ values, texts }: UnderWay): boolean {
    const { largest } = this.#allowance;
    return this.#underWay.values + values <= largest * MOST_VALUES && this.#underWay.texts + texts <= largest * MOST_TEXTS;
  }

  /** Resolves when an operation in progress has ended or shrunk. */
  roomChanges(): Promise<void> {
    return new Promise((resolve) => this.#forRoom.push(resolve));
  }

  take({ values, texts }: UnderWay): void {
    this.#underWay.values += values;
    this.#underWay.texts += texts;
  }

  giveBack({ values, texts }: UnderWay): void {
    this.take({ values: -values, texts: -texts });
    for (const look of this.#forRoom.splice(0)) look();
  }

  #refill(): void {
    const now = performance.now();
    const { burst, perSecond } = this.#allowance;
    this.#balance = Math.min(burst, this.#balance + ((now - this.#at) / 1_000) * perSecond);
    this.#at = now;
  }
}

/** Lets the operations and subscriptions of one payer begin in order, few at a time. */
class Entrance {
  readonly #limited: boolean;
  #entered = false;
  readonly #line = new Set<() => void>();
  #beginning = 0;
  readonly #toBegin: (() => void)[] = [];
  /** Sockets, and subscriptions, that wait for a positive balance. */
  readonly sockets = new Line();
  readonly subscriptions = new Line();

  /** @param limited whether only few subscriptions may start at a time */
  constructor(limited: boolean) {
    this.#limited = limited;
  }

  /** Whether nothing waits or is in progress. */
  get idle(): boolean {
    return !this.#entered && this.#beginning === 0 && this.sockets.empty && this.subscriptions.empty;
  }

  get inLine(): number {
    return this.#line.size;
  }

  /**
   * Lets operations begin one at a time, in order.
   * @param patience ms
   * @returns whether the operation may begin: then the caller has to call `leave`; otherwise its turn did not come in time
   */
  enter(patience: number): true | Promise<boolean> {
    if (!this.#entered) {
      this.#entered = true;
      return true;
    }
    return new Promise((resolve) => {
      let late: NodeJS.Timeout | undefined;
      const turn = () => {
        clearTimeout(late);
        resolve(true);
      };
      this.#line.add(turn);
      if (patience === Number.POSITIVE_INFINITY) return;
      late = setTimeout(() => {
        this.#line.delete(turn);
        resolve(false);
      }, patience).unref();
    });
  }

  leave(): void {
    const [next] = this.#line;
    if (!next) this.#entered = false;
    else {
      this.#line.delete(next);
      next();
    }
  }

  /** Runs the work once `ready` resolves, at most `BEGIN_AT_ONCE` at a time. */
  async begin<T>(ready: () => Promise<void>, work: () => Promise<T>): Promise<T> {
    if (!this.#limited) return work();
    while (this.#beginning >= BEGIN_AT_ONCE) await new Promise<void>((resolve) => this.#toBegin.push(resolve));
    this.#beginning++;
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      this.#beginning--;
      this.#toBegin.shift()?.();
    };
    let late: NodeJS.Timeout | undefined;
    try {
      await ready();
      late = setTimeout(over, LONGEST_BEGINNING).unref();
      return await work();
    } finally {
      clearTimeout(late);
      over();
    }
  }
}

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

const FEW = 1_000; // accounts up to which idle ones are not forgotten

/**
 * Keeps each client from using more than its share of this server: of its time, in ms of its one thread, and of the operations in progress.
 * Each server counts separately.
 */
export class Budgets {
  readonly #on: boolean;
  readonly #accounts = new Map<string, Account>();
  readonly #untouched = new Map<string, WeakRef<Account>>();
  readonly #connections = new WeakMap<object, Account>();
  #tidyAt = FEW;

  /** @param on false to disable all budgets */
  constructor(on: boolean) {
    this.#on = on;
  }

  /**
   * The payer for a client's operations.
   * @param userId undefined without a session
   * @param address undefined for this machine itself, where only users and connections pay
   * @param connection the client's socket; undefined if other clients may share it, as with HTTP through a proxy: then, without a session,
   *   only the address pays
   */
  payerOf(userId: UserId | undefined, address: string | undefined, connection: object | undefined): Payer {
    if (!this.#on) return new Payer(connection ? this.#ofConnection(connection) : new Account(UNLIMITED));
    if (userId !== undefined)
      return new Payer(
        this.#of(`user ${userId}`, USER),
        address === undefined ? undefined : this.#of(`users of ${address}`, USERS_OF_ADDRESS),
        address,
      );
    const ofAddress = address === undefined ? undefined : this.#of(`strangers of ${address}`, STRANGERS_OF_ADDRESS);
    if (connection) return new Payer(this.#ofConnection(connection), ofAddress);
    return new Payer(ofAddress ?? new Account(STRANGER));
  }

  #ofConnection(connection: object): Account {
    const account = this.#connections.get(connection) ?? new Account(this.#on ? STRANGER : UNLIMITED);
    this.#connections.set(connection, account);
    return account;
  }

  #of(name: string, allowance: Allowance): Account {
    const known = this.#accounts.get(name) ?? this.#untouched.get(name)?.deref();
    if (this.#accounts.size >= this.#tidyAt) this.#tidy();
    const account = known ?? new Account(allowance);
    this.#accounts.set(name, account);
    return account;
  }

  /** Forgets idle accounts, unless a connection holds them. */
  #tidy(): void {
    for (const [name, account] of this.#untouched) if (!account.deref()) this.#untouched.delete(name);
    for (const [name, account] of this.#accounts) {
      if (!account.idle) continue;
      this.#accounts.delete(name);
      this.#untouched.set(name, new WeakRef(account));
    }
    this.#tidyAt = Math.max(FEW, 2 * this.#accounts.size);
  }
}
