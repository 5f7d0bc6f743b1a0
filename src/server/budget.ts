import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { rateLimited, refusal } from "../errors.js";
import { type Cost, MOST_TEXTS, MOST_VALUES } from "./cost.js";

/** What one payer may take of the server. */
interface Allowance {
  /** Milliseconds of the server's time that can be taken at once. */
  burst: number;
  /** Milliseconds that come back in a second. */
  perSecond: number;
  /** How many of the largest operations may be under way together. */
  largest: number;
}

const USER: Allowance = { burst: 500, perSecond: 100, largest: 1 };
const USERS_OF_ADDRESS: Allowance = { burst: 4_000, perSecond: 400, largest: 4 }; // an office, whose people all come back at once
const STRANGER: Allowance = { burst: 200, perSecond: 20, largest: 1 }; // a connection without a session
const STRANGERS_OF_ADDRESS: Allowance = { burst: 1_000, perSecond: 50, largest: 2 };

const UNLIMITED: Allowance = { burst: 1e12, perSecond: 1e12, largest: 1e9 };

const LONG = 3; // ms; a task this long costs double, because everyone else waits for its end
const HIGHEST_PRICE = 2_000; // ms
const RESUME_PAUSE = 2; // ms from one that resumes to the next: after that what it took is charged, also what Redis had to be asked for
const BEGIN_AT_ONCE = 2; // subscriptions of one payer that begin together: each asks Redis about each of its rooms
const LONGEST_BEGINNING = 1_000; // ms until the next one begins in any case
const MOST_IN_LINE = 100; // operations of one payer that wait to begin; over a socket the client is not listened to long before

/** The price, in ms, of a task that takes `ms`. The time others wait for it grows with the square of its length. */
export const priceOf = (ms: number): number => Math.min(ms + ms ** 2 / LONG, HIGHEST_PRICE);

/** What is under way. */
type UnderWay = Pick<Cost, "values" | "texts">;

/** Resumes those that wait one by one, each when there is something to pay with: all at once they would take much more than that. */
class Line {
  readonly #waiting: { wait: () => number; resume: () => void }[] = [];

  /** @param wait ms until there is something to pay with @param resume called once, later */
  add(wait: () => number, resume: () => void): void {
    this.#waiting.push({ wait, resume });
    if (this.#waiting.length === 1) void this.#resumeAll();
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

/** What one user, one address or one connection takes of the server. */
class Account {
  readonly #allowance: Allowance;
  #balance: number;
  #at = performance.now();
  readonly #underWay: UnderWay = { values: 0, texts: 0 };
  #entered = false;
  readonly #line: (() => void)[] = [];
  readonly #forRoom: (() => void)[] = [];
  #beginning = 0;
  readonly #toBegin: (() => void)[] = [];
  /** Sockets, and subscriptions, that wait until there is something to pay with. */
  readonly sockets = new Line();
  readonly subscriptions = new Line();

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
    this.#balance = allowance.burst;
  }

  /** Milliseconds until something is left again; 0 while something is. */
  get wait(): number {
    this.#refill();
    return this.#balance > 0 ? 0 : ((1 - this.#balance) / this.#allowance.perSecond) * 1_000;
  }

  charge(ms: number): void {
    this.#refill();
    this.#balance -= ms;
  }

  /** Nothing of it needs to be remembered. */
  get idle(): boolean {
    this.#refill();
    return this.#balance >= this.#allowance.burst && !this.#entered && this.#underWay.values === 0 && this.#underWay.texts === 0;
  }

  get inLine(): number {
    return this.#line.length;
  }

  /** Lets its operations begin one after the other, in order; each one leaves. */
  enter(): Promise<void> | undefined {
    if (this.#entered) return new Promise((resolve) => this.#line.push(resolve));
    this.#entered = true;
    return undefined;
  }

  leave(): void {
    const next = this.#line.shift();
    if (next) next();
    else this.#entered = false;
  }

  hasRoom({ values, texts }: UnderWay): boolean {
    const { largest } = this.#allowance;
    return this.#underWay.values + values <= largest * MOST_VALUES && this.#underWay.texts + texts <= largest * MOST_TEXTS;
  }

  /** Resolves when something that was under way is over. */
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

  /** Runs this, of which only some may run at once. */
  async begin<T>(work: () => Promise<T>): Promise<T> {
    if (this.#allowance === UNLIMITED) return work();
    while (this.#beginning >= BEGIN_AT_ONCE) await new Promise<void>((resolve) => this.#toBegin.push(resolve));
    this.#beginning++;
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      this.#beginning--;
      this.#toBegin.shift()?.();
    };
    const late = setTimeout(over, LONGEST_BEGINNING).unref();
    try {
      return await work();
    } finally {
      clearTimeout(late);
      over();
    }
  }

  #refill(): void {
    const now = performance.now();
    const { burst, perSecond } = this.#allowance;
    this.#balance = Math.min(burst, this.#balance + ((now - this.#at) / 1_000) * perSecond);
    this.#at = now;
  }
}

/** Who pays for an operation: its user, or without a session its connection; and the address from which it comes. */
export class Payer {
  /** The user's own, or the connection's. */
  readonly #own: Account;
  readonly #accounts: readonly Account[];

  constructor(own: Account, ofAddress: Account | undefined) {
    this.#own = own;
    this.#accounts = ofAddress ? [own, ofAddress] : [own];
  }

  /** Milliseconds until all accounts have something left; 0 while they have. */
  get wait(): number {
    return this.#accounts.reduce((longest, account) => Math.max(longest, account.wait), 0);
  }

  /** @param price in ms, see `priceOf` */
  charge(price: number): void {
    for (const account of this.#accounts) account.charge(price);
  }

  /**
   * Does a piece of work that it pays for by the time that it takes.
   * @param most ms that it can take: on a crowded machine the clock runs on while others have the processor
   */
  pay<T>(work: () => T, most: number): T {
    const began = performance.now();
    try {
      return work();
    } finally {
      this.charge(priceOf(Math.min(performance.now() - began, most)));
    }
  }

  /** Calls this once, later, when all accounts have something left and the other sockets of the user have resumed that waited before. */
  onSolvent(listener: () => void): void {
    this.#own.sockets.add(() => this.wait, listener);
  }

  /**
   * Begins a subscription once there is something to pay with, and not many of them together.
   * @param isGone whether the client is gone, and it need not begin
   * @throws ChatError UNAVAILABLE where the client is gone, or what `work` throws
   */
  begin<T>(work: () => Promise<T>, isGone: () => boolean): Promise<T> {
    return this.#own.begin(async () => {
      await this.#solvent(Number.POSITIVE_INFINITY, isGone);
      return work();
    });
  }

  /** The same for a subscription. */
  resumeInTurn(listener: () => void): void {
    this.#own.subscriptions.add(() => this.wait, listener);
  }

  /**
   * Waits for its turn among the payer's operations, and until there is something to pay with; `leave` lets the next one in.
   * @param patience ms after which it is refused instead
   * @param isGone whether the client is gone, and it need not begin
   * @throws ChatError RATE_LIMITED, UNAVAILABLE
   */
  async enter(patience: number, isGone = () => false): Promise<void> {
    if (this.#own.inLine >= MOST_IN_LINE && patience < Number.POSITIVE_INFINITY) throw this.#refusal();
    const deadline = performance.now() + patience;
    await this.#own.enter();
    try {
      await this.#solvent(deadline, isGone);
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  leave(): void {
    this.#own.leave();
  }

  /**
   * Waits until so much more may be under way, and takes it; and until there is something to pay with, as what was under way before may
   * have taken all.
   * @param patience ms after which it is refused instead
   * @param isGone whether the client is gone, and it need not begin
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

  /** @throws ChatError RATE_LIMITED where it would last too long, UNAVAILABLE where the client is gone */
  async #solvent(deadline: number, isGone: () => boolean): Promise<void> {
    for (let wait = this.wait; !isGone(); wait = this.wait) {
      if (wait === 0) return;
      if (performance.now() + wait > deadline) throw this.#refusal();
      await delay(wait, undefined, { ref: false });
    }
    throw refusal("UNAVAILABLE");
  }

  #refusal() {
    return rateLimited(Math.max(1, Math.ceil(this.wait / 1_000)), "You have much under way already, or took much of the server's time.");
  }
}

/** What one operation has under way. */
export class Share {
  readonly #accounts: readonly Account[];
  #size: UnderWay;

  constructor(accounts: readonly Account[], size: UnderWay) {
    this.#accounts = accounts;
    this.#size = size;
    for (const account of accounts) account.take(size);
  }

  /** Gives back what the operation turned out not to need. */
  shrink(size: UnderWay): void {
    const before = this.#size;
    this.#size = size;
    for (const account of this.#accounts) account.giveBack({ values: before.values - size.values, texts: before.texts - size.texts });
  }

  release(): void {
    this.shrink({ values: 0, texts: 0 });
  }
}

const FEW = 1_000; // accounts up to which none is looked at to be forgotten

/**
 * Keeps anyone from taking more than their share of this server: of its time, in ms of its one thread, and of what is under way at once.
 * Each server counts for itself.
 */
export class Budgets {
  readonly #on: boolean;
  readonly #accounts = new Map<string, Account>();
  readonly #untouched = new Map<string, WeakRef<Account>>();
  readonly #connections = new WeakMap<object, Account>();
  #tidyAt = FEW;

  /** @param on false for no budgets at all */
  constructor(on: boolean) {
    this.#on = on;
  }

  /**
   * Who pays for what a client asks.
   * @param userId undefined without a session
   * @param address undefined for this very machine, whose users and connections pay for themselves alone
   * @param connection its socket; undefined where others may use the same one, as HTTP's from a proxy: then a stranger's address pays alone
   */
  payerOf(userId: string | undefined, address: string | undefined, connection: object | undefined): Payer {
    if (!this.#on) return new Payer(connection ? this.#ofConnection(connection) : new Account(UNLIMITED), undefined);
    if (userId !== undefined)
      return new Payer(
        this.#of(`user ${userId}`, USER),
        address === undefined ? undefined : this.#of(`users of ${address}`, USERS_OF_ADDRESS),
      );
    const ofAddress = address === undefined ? undefined : this.#of(`strangers of ${address}`, STRANGERS_OF_ADDRESS);
    if (connection) return new Payer(this.#ofConnection(connection), ofAddress);
    return new Payer(ofAddress ?? new Account(STRANGER), undefined);
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

  /** Forgets accounts of which nothing is taken, unless a connection holds them. */
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
