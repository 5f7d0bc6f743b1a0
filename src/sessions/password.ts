import { availableParallelism } from "node:os";
import bcrypt from "bcrypt";
import { badInput, rateLimited } from "../errors.js";

const SHORTEST = 8; // characters; NIST SP 800-63B, section 5.1.1.1
const LONGEST = 72; // bytes; bcrypt looks at no more

const POOL = 4; // threads of Node's pool, which files and names of hosts need too
/** Hashes at once: a core and a thread stay free for everything else. */
const AT_ONCE = Math.max(1, Math.min(availableParallelism(), POOL) - 1);
const MOST_WAITING = 200;

/** @throws ChatError BAD_USER_INPUT unless this may be someone's password */
export function checkNewPassword(password: string, argument: string): void {
  if ([...password].length < SHORTEST) throw badInput(argument, `must be at least ${SHORTEST} characters long.`);
  if (Buffer.byteLength(password) > LONGEST) throw badInput(argument, `must be at most ${LONGEST} bytes long in UTF-8.`);
  if (password.includes("\0")) throw badInput(argument, "must not contain a NUL character.");
}

/** The passwords' hashes, made and checked with bcrypt on the thread pool, some at a time. */
export class Passwords {
  readonly #cost: number;
  readonly #nobodysHash: Promise<string>;
  readonly #waiting: (() => void)[] = [];
  #free = AT_ONCE;
  #took = 0; // ms, the last time

  constructor(cost: number) {
    this.#cost = cost;
    this.#nobodysHash = bcrypt.hash("nobody's password", cost);
  }

  /** @throws ChatError RATE_LIMITED when too many wait already, as does `matches` */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => bcrypt.hash(password, this.#cost));
  }

  /** Whether the password is the account's. Without an account it takes as long, so that the time does not tell which names exist. */
  async matches(password: string, account: { passwordHash: string; cutAt72: boolean } | undefined): Promise<boolean> {
    // bcrypt compares the first 72 bytes alone. Our passwords are no longer than that, so a longer one is another.
    const tooLong = Buffer.byteLength(password) > LONGEST && !account?.cutAt72;
    const hash = account?.passwordHash ?? (await this.#nobodysHash);
    const equal = await this.#inTurn(() => bcrypt.compare(password, hash));
    return equal && account !== undefined && !tooLong;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else {
      if (this.#waiting.length >= MOST_WAITING) {
        throw rateLimited(Math.max(1, Math.ceil((this.#waiting.length * this.#took) / AT_ONCE / 1_000)));
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#took = performance.now() - start;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
