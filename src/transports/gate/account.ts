import { performance } from "node:perf_hooks";
import { type Cost, MOST_TEXTS, MOST_VALUES } from "./cost.js";
import { Entrance } from "./entrance.js";

/** How much of the server one payer may use. */
export interface Allowance {
  /** Milliseconds of the server's time that can be used at once. */
  burst: number;
  /** Milliseconds regained per second. */
  perSecond: number;
  /** How many of the largest operations may be in progress at once. */
  largest: number;
}

export const UNLIMITED: Allowance = { burst: 1e12, perSecond: 1e12, largest: 1e9 };

/** The size of operations in progress. */
export type UnderWay = Pick<Cost, "values" | "texts">;

/** How much of the server one user, one address or one connection uses. */
export class Account {
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
