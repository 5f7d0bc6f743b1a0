import type { UserId } from "../../util/ids.js";
import { Account, type Allowance, UNLIMITED } from "./account.js";
import { Payer } from "./payer.js";

const USER: Allowance = { burst: 250, perSecond: 100, largest: 1 };
const USERS_OF_ADDRESS: Allowance = { burst: 2_000, perSecond: 400, largest: 4 }; // an office where all users reconnect at once
const STRANGER: Allowance = { burst: 100, perSecond: 20, largest: 1 }; // a connection without a session
const STRANGERS_OF_ADDRESS: Allowance = { burst: 300, perSecond: 50, largest: 2 };

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
