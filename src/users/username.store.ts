import { setTimeout as delay } from "node:timers/promises";
import { badInput, rateLimited, refusal } from "../errors.js";
import type { Lenient, RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import { foldedName, looksOf } from "./likeness.js";

export { foldedName } from "./likeness.js";

/** The assistant's display name, which no other user can have. */
export const ASSISTANT_NAME = "Assistant";

const RESERVED = ["assistant", "system", "admin", "everyone", "here"];

const LEASE = 10; // seconds after which a claim whose sign-up was cut off gives way
const PORTION = 1_000; // accounts looked at in one step
const PAUSE = 10; // ms between two steps, in which Redis and this server do other things
const TURN = 100; // ms between two looks how far that is
const A_SECOND = 20_000; // accounts that are looked at in one, about
const PATIENCE = 2_000; // ms that a sign-up waits for the names of existing accounts
const SETTLING = 100; // the newest accounts, which a demo app may still be writing: one that is missing is looked at again
const MOST_USERS = 100_000_000; // a higher counter is no counter

/** The accounts whose names are looked at; ids are those without vacant ones. */
interface Accounts {
  idsBetween(first: number, last: number): Promise<string[]>;
  byIds(ids: readonly string[]): Promise<({ id: string; username: string; guest: boolean } | null)[]>;
}

/**
 * The usernames: which account has which, and what they look like. No account can be made whose name looks like another's.
 *
 * A sign-up claims what its name looks like before the name points at it, and holds it after. One that was cut off between leaves a
 * claim. The next sign-up for such a name checks whether the claimant's name points at it; if not, it takes the claim over.
 *
 * Accounts that demo apps and older versions made keep their names, however much alike, and the first of each look holds it. They are found
 * by the user counter: all when a server starts, by one server at a time and in small steps; new ones at the next sign-up.
 */
export class UsernameStore {
  readonly #redis: RedisClient;
  readonly #scripts: Pick<Scripts, "run">;
  readonly #accounts: Accounts;
  readonly #lenient: Lenient;
  readonly #server: string;
  readonly #reserved: Set<string>;
  readonly #assistants: Set<string>;
  #indexing: Promise<void> | undefined;
  #stopped = false;

  /** @param server this server's name, which no other one has */
  constructor(
    redis: RedisClient,
    scripts: Pick<Scripts, "run">,
    accounts: Accounts,
    lenient: Lenient,
    { server, assistantUsername }: { server: string; assistantUsername: string },
  ) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#accounts = accounts;
    this.#lenient = lenient;
    this.#server = server;
    this.#reserved = new Set([...RESERVED, assistantUsername].flatMap(looksOf));
    this.#assistants = new Set([ASSISTANT_NAME, assistantUsername].flatMap(looksOf));
  }

  /** The account that has exactly this username. */
  async idOf(username: string): Promise<string | undefined> {
    const target = await this.#lenient(this.#redis.get(keys.username(username)), null);
    return target?.match(/^user:(\d+)$/)?.[1];
  }

  /**
   * The account that someone means who types this username: the one that has it exactly, else one that has it in another letter case or
   * Unicode form. What is asked of Redis does not depend on whether there is one.
   */
  async find(typed: string): Promise<{ id: string; username: string } | undefined> {
    const composed = typed.normalize("NFC");
    const folded = foldedName(typed);
    const [id, composedId, likes] = await Promise.all([this.idOf(typed), this.idOf(composed), this.#accountsLike(typed)]);
    if (id !== undefined) return { id, username: typed };
    if (composedId !== undefined) return { id: composedId, username: composed };
    return likes.find(({ username }) => folded !== "" && foldedName(username) === folded);
  }

  /** Whether a username is, or looks like, that of another account than this one. */
  async isTaken(username: string, but?: string): Promise<boolean> {
    const [id, likes] = await Promise.all([this.idOf(username), this.#accountsLike(username)]);
    return [id, ...likes.map((like) => like.id)].some((owner) => owner !== undefined && owner !== but);
  }

  /**
   * Looks at the names of the accounts that were made since the last sign-up, before a name is claimed.
   * @throws ChatError RATE_LIMITED while there are many, as when a large database was taken over
   */
  async catchUp(): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const { upTo, total } = await this.#progress();
      if (total - upTo <= PORTION) return this.#portion(upTo, total, total);
      if (performance.now() > deadline)
        throw rateLimited(Math.ceil((total - upTo) / A_SECOND), "The names of the existing accounts are being looked at.");
      this.index().catch(() => {}); // the next turn tells
      await delay(TURN);
    }
  }

  /**
   * Claims what a username looks like for an account that is about to be made; `hold` or `release` has to follow.
   * @returns false where another account has a name that looks like it, or is about to
   */
  async claim(id: string, username: string): Promise<boolean> {
    const wanted = looksOf(username);
    if (wanted.length === 0) return false;
    const stale: Record<string, string> = {};
    for (;;) {
      const others = (await this.#scripts.run(
        "name_claim",
        [keys.looks],
        [id, LEASE, JSON.stringify(stale), JSON.stringify(wanted)],
      )) as string[];
      if (others.length === 0) return true;
      for (let at = 0; at < others.length; at += 4) {
        const [look, owner, state, held] = others.slice(at, at + 4) as [string, string, string, string];
        if (state === "BUSY" || (await this.#namesOf(owner)).some((name) => looksOf(name).includes(look))) return false;
        stale[look] = held;
      }
    }
  }

  /** Completes a claim, once the name points at the account. @returns false where it took too long, and the name may be another's */
  async hold(id: string, username: string): Promise<boolean> {
    return (await this.#scripts.run("name_settle", [keys.looks], [id, "HOLD", JSON.stringify(looksOf(username))])) === 1;
  }

  /** Gives up a claim. */
  async release(id: string, username: string): Promise<void> {
    await this.#scripts.run("name_settle", [keys.looks], [id, "RELEASE", JSON.stringify(looksOf(username))]);
  }

  /** Notes the name of an account that exists. */
  async note(id: string, username: string): Promise<void> {
    await this.#index(0, [{ id, username }]);
  }

  /** @throws ChatError USERNAME_TAKEN for a reserved username, and what looks like one */
  checkUsername(username: string): void {
    if (looksOf(username).some((look) => this.#reserved.has(look))) throw refusal("USERNAME_TAKEN", username);
  }

  /** @throws ChatError BAD_USER_INPUT for a display name that only the assistant can have */
  checkName(name: string): void {
    if (looksOf(name).some((look) => this.#assistants.has(look)))
      throw badInput("name", "is the assistant's, or looks like it. Choose another.");
  }

  /** Looks at the names of all accounts that were not looked at, unless another server does. Resolves when it is done. */
  index(): Promise<void> {
    this.#indexing ??= this.#indexAll().finally(() => {
      this.#indexing = undefined;
    });
    return this.#indexing;
  }

  /** Lets the step that is under way finish. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#indexing?.catch(() => {});
  }

  async #indexAll(): Promise<void> {
    while (!this.#stopped) {
      const claimed = await this.#scripts.run("directory_claim", [keys.totalUsers, keys.named], [this.#server, LEASE]);
      if (!claimed) return; // another server is at it
      const { upTo, total } = await this.#progress();
      const to = Math.min(upTo + PORTION, total);
      await this.#portion(upTo, to, total);
      if (to >= total || (await this.#progress()).upTo === upTo) return;
      await delay(PAUSE);
    }
  }

  async #progress(): Promise<{ upTo: number; total: number }> {
    const [named, counter] = await Promise.all([
      this.#redis.hget(keys.named, "up_to"),
      this.#lenient(this.#redis.get(keys.totalUsers), null),
    ]);
    const total = /^\d{1,9}$/.test(counter ?? "") ? Number(counter) : 0;
    return { upTo: Number(named ?? 0), total: total <= MOST_USERS ? total : 0 };
  }

  /** Notes the names of the accounts with ids above `from`, up to `to`. */
  async #portion(from: number, to: number, total: number): Promise<void> {
    const ids = from < to ? await this.#accounts.idsBetween(from + 1, to) : [];
    const users = await this.#accounts.byIds(ids);
    const hole = ids.find((id, index) => !users[index] && Number(id) > total - SETTLING);
    const upTo = hole === undefined ? to : Number(hole) - 1;
    await this.#index(
      upTo,
      users.filter((user) => user !== null).filter(({ guest }) => !guest),
    );
  }

  async #index(upTo: number, users: { id: string; username: string }[]): Promise<void> {
    const entries = users.flatMap(({ id, username }) => looksOf(username).flatMap((look) => [look, id]));
    await this.#scripts.run("names_index", [keys.looks, keys.named], [this.#server, upTo, JSON.stringify(entries)]);
  }

  /** The accounts whose names look like this one, as far as they were looked at. As much is asked of Redis where there are none. */
  async #accountsLike(name: string): Promise<{ id: string; username: string }[]> {
    const looks = looksOf(name);
    const held = await this.#redis.hmget(keys.looks, "", ...looks);
    const ids = new Set(held.flatMap((value) => /^\d+/.exec(value ?? "")?.[0] ?? []));
    const accounts = await Promise.all(
      [...(ids.size > 0 ? ids : ["0"])].map(async (id) => (await this.#namesOf(id)).map((username) => ({ id, username }))),
    );
    return accounts.flat().filter(({ username }) => looksOf(username).some((look) => looks.includes(look)));
  }

  /** The usernames that point at an account: its own, or that of a guest whose registration was cut off. */
  async #namesOf(id: string): Promise<string[]> {
    const [username, claim] = await this.#lenient(this.#redis.hmget(keys.user(id), "username", "claim"), []);
    const names = [username, claim && (JSON.parse(claim) as { username: string }).username].filter((name) => typeof name === "string");
    const owners = await Promise.all((names.length > 0 ? names : [""]).map((name) => this.idOf(name)));
    return names.filter((_, index) => owners[index] === id);
  }
}
