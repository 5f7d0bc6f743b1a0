import { setTimeout as delay } from "node:timers/promises";
import type { Lenient, RedisClient } from "../redis/connect.js";
import type { Scripts } from "../redis/scripts.js";
import { badInput, rateLimited, refusal } from "../util/errors.js";
import type { UserId } from "../util/ids.js";
import { userKeys } from "./keys.js";
import { foldedName, looksOf } from "./likeness.js";

export { foldedName } from "./likeness.js";

/** The assistant's display name, which no other user can have. */
export const ASSISTANT_NAME = "Assistant";

const RESERVED = ["assistant", "system", "admin", "everyone", "here"];

const LEASE = 10; // seconds after which the claim of an interrupted sign-up expires
const PORTION = 1_000; // accounts indexed in one step
const STEP_PAUSE = 10; // ms between two steps, for other work of Redis and this server
const TURN = 100; // ms between two checks of the progress
const A_SECOND = 20_000; // accounts that are indexed in a second, about
const PATIENCE = 2_000; // ms that a sign-up waits for the index of existing names
const SETTLING = 100; // the newest accounts, which a demo app may still be writing: a missing one is checked again
const MOST_USERS = 100_000_000; // a higher value is not a valid counter

/** The accounts whose names are indexed; `idsBetween` omits vacant ids. */
interface Accounts {
  idsBetween(first: number, last: number): Promise<string[]>;
  byIds(ids: readonly string[]): Promise<({ id: UserId; username: string; guest: boolean } | null)[]>;
}

/**
 * The usernames: which account has which, and their skeletons. No account can be made whose username looks like another's.
 *
 * A sign-up claims the skeletons of its username before the username points at the account, and holds them afterwards. A sign-up that was
 * interrupted in between leaves a claim. The next sign-up for such a username checks whether it points at the claimant; if not, it takes
 * the claim over.
 *
 * Accounts made by demo apps and older versions keep their names, however similar; the first account with a skeleton holds it. They are
 * found by the user counter: all when a server starts, by one server at a time and in small steps; new ones at the next sign-up.
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

  /** @param server this server's name, unique to it */
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
  async idOf(username: string): Promise<UserId | undefined> {
    const target = await this.#lenient(this.#redis.get(userKeys.username(username)), null);
    return target?.match(/^user:(\d+)$/)?.[1] as UserId | undefined;
  }

  /**
   * The account meant by a username as a user types it: the one with exactly this username, else one whose username differs only in letter
   * case or Unicode form. The commands to Redis do not depend on whether there is one.
   */
  async find(typed: string): Promise<{ id: UserId; username: string } | undefined> {
    const composed = typed.normalize("NFC");
    const folded = foldedName(typed);
    const [id, composedId, likes] = await Promise.all([this.idOf(typed), this.idOf(composed), this.#accountsLike(typed)]);
    if (id !== undefined) return { id, username: typed };
    if (composedId !== undefined) return { id: composedId, username: composed };
    return likes.find(({ username }) => folded !== "" && foldedName(username) === folded);
  }

  /** Whether an account other than `but` has this username, or one that looks like it. */
  async isTaken(username: string, but?: string): Promise<boolean> {
    const [id, likes] = await Promise.all([this.idOf(username), this.#accountsLike(username)]);
    return [id, ...likes.map((like) => like.id)].some((owner) => owner !== undefined && owner !== but);
  }

  /**
   * Indexes the names of the accounts that were made since the last sign-up, before a name is claimed.
   * @throws ChatError RATE_LIMITED while there are many, as in a large existing database
   */
  async catchUp(): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const { upTo, total } = await this.#progress();
      if (total - upTo <= PORTION) return this.#portion(upTo, total, total);
      if (performance.now() > deadline)
        throw rateLimited(Math.ceil((total - upTo) / A_SECOND), "The names of existing accounts are still being indexed.");
      this.index().catch(() => {}); // the next iteration checks again
      await delay(TURN);
    }
  }

  /**
   * Claims the skeletons of a username for an account that is about to be made; `hold` or `release` must follow.
   * @returns false if another account has a username that looks like it, or is claiming one
   */
  async claim(id: UserId, username: string): Promise<boolean> {
    const wanted = looksOf(username);
    if (wanted.length === 0) return false;
    const stale: Record<string, string> = {};
    for (;;) {
      const args = { user: id, lease: LEASE, stale: JSON.stringify(stale), wanted: JSON.stringify(wanted) };
      const others = await this.#scripts.run("name_claim", { looks: userKeys.looks }, args);
      if (others.length === 0) return true;
      for (let at = 0; at < others.length; at += 4) {
        const [look, owner, state, held] = others.slice(at, at + 4) as [string, UserId, string, string];
        if (state === "BUSY" || (await this.#namesOf(owner)).some((name) => looksOf(name).includes(look))) return false;
        stale[look] = held;
      }
    }
  }

  /** Completes a claim, once the name points at the account. @returns false if that took too long, and another account may have the name */
  async hold(id: UserId, username: string): Promise<boolean> {
    const claimed = JSON.stringify(looksOf(username));
    return (await this.#scripts.run("name_settle", { looks: userKeys.looks }, { user: id, how: "HOLD", claimed })) === 1;
  }

  /** Releases a claim. */
  async release(id: UserId, username: string): Promise<void> {
    const claimed = JSON.stringify(looksOf(username));
    await this.#scripts.run("name_settle", { looks: userKeys.looks }, { user: id, how: "RELEASE", claimed });
  }

  /** Indexes the name of an existing account. */
  async note(id: UserId, username: string): Promise<void> {
    await this.#index(0, [{ id, username }]);
  }

  /** @throws ChatError USERNAME_TAKEN for a reserved username, or one that looks like it */
  checkUsername(username: string): void {
    if (looksOf(username).some((look) => this.#reserved.has(look))) throw refusal("USERNAME_TAKEN", username);
  }

  /** @throws ChatError BAD_USER_INPUT for a display name that only the assistant can have */
  checkName(name: string): void {
    if (looksOf(name).some((look) => this.#assistants.has(look)))
      throw badInput("name", "must not be the assistant's name, or look like it. Choose another.");
  }

  /** Indexes the names of all accounts that are not indexed yet, unless another server does. Resolves when it is done. */
  index(): Promise<void> {
    this.#indexing ??= this.#indexAll().finally(() => {
      this.#indexing = undefined;
    });
    return this.#indexing;
  }

  /** Stops indexing. Resolves once the current step has finished. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#indexing?.catch(() => {});
  }

  async #indexAll(): Promise<void> {
    while (!this.#stopped) {
      const claimKeys = { totalUsers: userKeys.totalUsers, indexed: userKeys.named };
      const claimed = await this.#scripts.run("directory_claim", claimKeys, { server: this.#server, lease: LEASE });
      if (!claimed) return; // another server is indexing
      const { upTo, total } = await this.#progress();
      const to = Math.min(upTo + PORTION, total);
      await this.#portion(upTo, to, total);
      if (to >= total || (await this.#progress()).upTo === upTo) return;
      await delay(STEP_PAUSE);
    }
  }

  async #progress(): Promise<{ upTo: number; total: number }> {
    const [named, counter] = await Promise.all([
      this.#redis.hget(userKeys.named, "up_to"),
      this.#lenient(this.#redis.get(userKeys.totalUsers), null),
    ]);
    const total = /^\d{1,9}$/.test(counter ?? "") ? Number(counter) : 0;
    return { upTo: Number(named ?? 0), total: total <= MOST_USERS ? total : 0 };
  }

  /** Indexes the names of the accounts with ids above `from`, up to `to`. */
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

  async #index(upTo: number, users: { id: UserId; username: string }[]): Promise<void> {
    const entries = JSON.stringify(users.flatMap(({ id, username }) => looksOf(username).flatMap((look) => [look, id])));
    await this.#scripts.run("names_index", { looks: userKeys.looks, named: userKeys.named }, { server: this.#server, upTo, entries });
  }

  /** The indexed accounts whose names look like this one. Redis gets as many commands if there are none. */
  async #accountsLike(name: string): Promise<{ id: UserId; username: string }[]> {
    const looks = looksOf(name);
    const held = await this.#redis.hmget(userKeys.looks, "", ...looks);
    const ids = new Set(held.flatMap((value) => (/^\d+/.exec(value ?? "")?.[0] as UserId | undefined) ?? []));
    const accounts = await Promise.all(
      [...(ids.size > 0 ? ids : ["0" as UserId])].map(async (id) => (await this.#namesOf(id)).map((username) => ({ id, username }))),
    );
    return accounts.flat().filter(({ username }) => looksOf(username).some((look) => looks.includes(look)));
  }

  /** The usernames that point at an account: its own, or the one claimed by a guest whose registration was interrupted. */
  async #namesOf(id: UserId): Promise<string[]> {
    const [username, claim] = await this.#lenient(this.#redis.hmget(userKeys.user(id), "username", "claim"), []);
    const names = [username, claim && (JSON.parse(claim) as { username: string }).username].filter((name) => typeof name === "string");
    const owners = await Promise.all((names.length > 0 ? names : [""]).map((name) => this.idOf(name)));
    return names.filter((_, index) => owners[index] === id);
  }
}
