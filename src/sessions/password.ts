import { availableParallelism } from "node:os";
import { dictionary } from "@zxcvbn-ts/language-common";
import bcrypt from "bcrypt";
import { badInput, rateLimited } from "../errors.js";

const SHORTEST = 8; // characters; NIST SP 800-63B, section 5.1.1.1
const LONGEST = 72; // bytes; bcrypt looks at no more
const LONGEST_PATTERN = 4; // characters: a password that is nothing but repetitions of so few is refused

const POOL = 4; // threads of Node's pool, which files and names of hosts need too
/** Hashes at once: a core and a thread stay free for everything else. */
const AT_ONCE = Math.max(1, Math.min(availableParallelism(), POOL) - 1);
const MOST_WAITING = 200;

/** Whose password it is to be, as far as a guesser may know it. */
export interface Owner {
  username: string;
  name?: string | null | undefined;
  email?: string | null | undefined;
}

/** @throws ChatError BAD_USER_INPUT unless this may be someone's password */
export function checkNewPassword(password: string, argument: string, owner: Owner): void {
  const normal = normalized(password);
  if ([...normal].length < SHORTEST) throw badInput(argument, `must be at least ${SHORTEST} characters long.`);
  if (Buffer.byteLength(normal) > LONGEST) throw badInput(argument, `must be at most ${LONGEST} bytes long in UTF-8.`);
  if (password.includes("\0")) throw badInput(argument, "must not contain a NUL character.");
  if (isCommon(normal)) throw badInput(argument, "is too easy to guess: it is among the passwords that are tried first. Choose another.");
  if (isPattern(normal)) throw badInput(argument, "is too easy to guess: it repeats a few characters, or counts them off. Choose another.");
  if (isAbout(normal, owner)) throw badInput(argument, "is too easy to guess: it is a name of yours or of this service. Choose another.");
}

/** The one form in which new passwords are hashed; RFC 8265, section 4.2.2. */
const normalized = (password: string) => password.normalize("NFC");

const folded = (text: string) => text.normalize("NFKC").toLowerCase();

let common: Set<string> | undefined;

/** Whether it is on a list of passwords that were found in leaks, the most frequent 18,000 that are long enough. */
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

/** Whether nothing but digits and signs comes on top of what a guesser knows. */
function isAbout(password: string, { username, name, email }: Owner): boolean {
  const core = (text: string) => folded(text).replace(/^\P{L}+|\P{L}+$/gu, "") || folded(text);
  const known = [username, name ?? "", email ?? "", email?.split("@")[0] ?? "", "palaver"];
  return known.some((word) => word !== "" && core(word) === core(password));
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

  /** @throws ChatError RATE_LIMITED when too many wait already, as do the others */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => bcrypt.hash(normalized(password), this.#cost));
  }

  /**
   * Whether the password is the account's, in the Unicode form in which it is typed or another one: older versions and demo apps
   * hashed it as it was typed. Without an account it takes as long, so that the time does not tell which names exist.
   * @returns the form that was hashed; undefined where it is another password
   */
  async match(password: string, account: { passwordHash: string; cutAt72: boolean } | undefined): Promise<string | undefined> {
    const nobodys = await this.#nobodysHash;
    const cost = account ? costOf(account.passwordHash) : undefined;
    const hash = cost === undefined ? nobodys : (account?.passwordHash ?? nobodys);
    const forms = [...new Set([normalized(password), password, password.normalize("NFD")])];
    for (const form of forms) {
      // bcrypt compares the first 72 bytes alone. Our passwords are no longer than that, so a longer one is another.
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
   * Another hash in place of one that was made at a lower cost than passwords have now; undefined where it is good enough.
   * @param form of the password, as `match` gave it
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

/** What bcrypt's hash costs, each step twice as much; undefined for what is no hash. */
function costOf(hash: string): number | undefined {
  const [, cost] = /^\$2[aby]\$(\d\d)\$.{53}$/s.exec(hash) ?? [];
  return cost === undefined ? undefined : Number(cost);
}

const withCost = (hash: string, cost: number) => hash.replace(/^(\$2b\$)\d\d/, `$1${String(cost).padStart(2, "0")}`);

/** The costs of the hashes that take together as long as one of `wanted` takes longer than one of `cost`: each doubles the one before. */
export function missingCosts(cost: number, wanted: number): number[] {
  return Array.from({ length: Math.max(0, wanted - cost) }, (_, step) => cost + step);
}
