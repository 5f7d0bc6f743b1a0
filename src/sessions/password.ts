import { availableParallelism } from "node:os";
import { dictionary } from "@zxcvbn-ts/language-common";
import bcrypt from "bcrypt";
import { badInput, rateLimited } from "../util/errors.js";

const SHORTEST = 8; // characters; NIST SP 800-63B, section 5.1.1.1
const LONGEST = 72; // bytes; bcrypt ignores the rest
const LONGEST_PATTERN = 4; // characters; a password that only repeats at most this many is refused

const POOL = 4; // threads of Node's pool, which file access and DNS lookups need too
/** Concurrent hashes: a core and a thread stay free for everything else. */
const AT_ONCE = Math.max(1, Math.min(availableParallelism(), POOL) - 1);
const MOST_WAITING = 200;

/** The owner of a password, as far as a guesser may know them. */
export interface Owner {
  username: string;
  name?: string | null | undefined;
  email?: string | null | undefined;
}

/** @throws ChatError BAD_USER_INPUT unless the password can be used */
export function checkNewPassword(password: string, argument: string, owner: Owner): void {
  const normal = normalized(password);
  if ([...normal].length < SHORTEST) throw badInput(argument, `must be at least ${SHORTEST} characters long.`);
  if (Buffer.byteLength(normal) > LONGEST) throw badInput(argument, `must be at most ${LONGEST} bytes long in UTF-8.`);
  if (password.includes("\0")) throw badInput(argument, "must not contain a NUL character.");
  if (isCommon(normal)) throw badInput(argument, "is too easy to guess: it is a common password. Choose another.");
  if (isPattern(normal)) throw badInput(argument, "is too easy to guess: it repeats a few characters, or is a sequence. Choose another.");
  if (isAbout(normal, owner)) throw badInput(argument, "is too easy to guess: it is your name or this service's name. Choose another.");
}

/** The one form in which new passwords are hashed; RFC 8265, section 4.2.2. */
const normalized = (password: string) => password.normalize("NFC");

const folded = (text: string) => text.normalize("NFKC").toLowerCase();

let common: Set<string> | undefined;

/** Whether it is one of the 18,000 most frequent passwords in leaks that are long enough. */
function isCommon(password: string): boolean {
  common ??= new Set(dictionary["passwords-common"].filter((one) => one.length >= SHORTEST));
  return common.has(folded(password));
}

function isPattern(password: string): boolean {
  const characters = [...folded(password)];
  const repeats = (length: number) => characters.every((character, at) => character === characters[at % length]);
  if (Array.from({ length: LONGEST_PATTERN }, (_, index) => index + 1).some(repeats)) return true;
  const steps = new Set(
    characters.slice(1).map((character, at) => Number(character.codePointAt(0)) - Number(characters[at]?.codePointAt(0))),
  );
  return steps.size === 1 && (steps.has(1) || steps.has(-1));
}

/** Whether it consists of something that a guesser knows and at most digits and signs around it. */
function isAbout(password: string, { username, name, email }: Owner): boolean {
  const core = (text: string) => folded(text).replace(/^\P{L}+|\P{L}+$/gu, "") || folded(text);
  const known = [username, name ?? "", email ?? "", email?.split("@")[0] ?? "", "palaver"];
  return known.some((word) => word !== "" && core(word) === core(password));
}

/** Makes and checks hashes of passwords with bcrypt on the thread pool, a few at a time. */
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

  /** @throws ChatError RATE_LIMITED if too many calls wait already; so do the other methods */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => bcrypt.hash(normalized(password), this.#cost));
  }

  /**
   * Checks a password against the account's, in the Unicode form in which it was typed and in others: older versions and demo apps hashed
   * passwords as they were typed. Without an account it takes the same time, so that the time does not reveal which names exist.
   * @returns the form that was hashed; undefined if the password is wrong
   */
  async match(password: string, account: { passwordHash: string; cutAt72: boolean } | undefined): Promise<string | undefined> {
    const nobodys = await this.#nobodysHash;
    const cost = account ? costOf(account.passwordHash) : undefined;
    const hash = cost === undefined ? nobodys : (account?.passwordHash ?? nobodys);
    const forms = [...new Set([normalized(password), password, password.normalize("NFD")])];
    for (const form of forms) {
      // bcrypt compares only the first 72 bytes. Passwords set here are not longer, so a longer one is wrong.
      const isTooLong = Buffer.byteLength(form) > LONGEST && !account?.cutAt72;
      const isEqual = await this.#inTurn(() => bcrypt.compare(form, hash));
      if (isEqual && cost !== undefined && !isTooLong) return form;
    }
    for (const missing of missingCosts(cost ?? this.#cost, this.#cost)) {
      for (const form of forms) await this.#inTurn(() => bcrypt.compare(form, withCost(nobodys, missing)));
    }
    return undefined;
  }

  /** Whether the password is the account's. */
  async matches(password: string, account: { passwordHash: string; cutAt72: boolean } | undefined): Promise<boolean> {
    return (await this.match(password, account)) !== undefined;
  }

  /**
   * A new hash in place of one that was made at a lower cost than the current one; undefined if the hash is good enough.
   * @param form of the password, as `match` returned it
   */
  async renewed(form: string, passwordHash: string): Promise<string | undefined> {
    if ((costOf(passwordHash) ?? 0) >= this.#cost) return undefined;
    return this.#inTurn(() => bcrypt.hash(form, this.#cost));
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

/** The cost of a bcrypt hash; each step doubles the time. Undefined for any other text. */
function costOf(hash: string): number | undefined {
  const [, cost] = /^\$2[aby]\$(\d\d)\$.{53}$/s.exec(hash) ?? [];
  return cost === undefined ? undefined : Number(cost);
}

const withCost = (hash: string, cost: number) => hash.replace(/^(\$2b\$)\d\d/, `$1${String(cost).padStart(2, "0")}`);

/** The costs of hashes that together take as long as the difference between hashes of cost `wanted` and `cost`: each step doubles it. */
export function missingCosts(cost: number, wanted: number): number[] {
  return Array.from({ length: Math.max(0, wanted - cost) }, (_, step) => cost + step);
}
