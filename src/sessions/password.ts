import bcrypt from "bcrypt";
import { badInput } from "../errors.js";

const SHORTEST = 8; // characters; NIST SP 800-63B, section 5.1.1.1
const LONGEST = 72; // bytes; bcrypt looks at no more

/** @throws ChatError BAD_USER_INPUT unless this may be someone's password */
export function checkNewPassword(password: string, argument: string): void {
  if ([...password].length < SHORTEST) throw badInput(argument, `must be at least ${SHORTEST} characters long.`);
  if (Buffer.byteLength(password) > LONGEST) throw badInput(argument, `must be at most ${LONGEST} bytes long in UTF-8.`);
  if (password.includes("\0")) throw badInput(argument, "must not contain a NUL character.");
}

/** The passwords' hashes, made and checked with bcrypt on the thread pool. */
export class Passwords {
  readonly #cost: number;
  readonly #nobodysHash: Promise<string>;

  constructor(cost: number) {
    this.#cost = cost;
    this.#nobodysHash = bcrypt.hash("nobody's password", cost);
  }

  hash(password: string): Promise<string> {
    return bcrypt.hash(password, this.#cost);
  }

  /** Whether the password is the hash's. Without a hash it takes as long, so that the time does not tell which names exist. */
  async matches(password: string, hash: string | undefined): Promise<boolean> {
    // bcrypt would compare a truncated password, and would take a longer one that begins alike for the same.
    const tooLong = Buffer.byteLength(password) > LONGEST;
    const equal = await bcrypt.compare(password, hash ?? (await this.#nobodysHash));
    return equal && hash !== undefined && !tooLong;
  }
}
