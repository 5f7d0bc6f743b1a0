import { GENERAL, isUserId } from "../api/ids.js";
import type { Page, PageRequest } from "../api/relay.js";
import { logKeys } from "../log/keys.js";
import type { Lenient, RedisClient } from "../redis/connect.js";
import type { Scripts } from "../redis/scripts.js";
import { isBlank, isLonger, isShowable } from "../util/characters.js";
import { badInput, refusal } from "../util/errors.js";
import type { UserId } from "../util/ids.js";
import { userKeys } from "./keys.js";
import { directoryEntries } from "./names.js";
import type { UserIds } from "./user-ids.js";
import { UsernameStore } from "./username.store.js";

export interface UserRecord {
  id: UserId;
  username: string;
  name: string;
  email: string | null;
  createdAt: Date | null;
  /** Has no account: no username to log in with, and no password. */
  guest: boolean;
  /** A guest who was forgotten: only the name is left. */
  gone: boolean;
  /** The user of the session that this response starts. The response is for this user, even if the request had another viewer. */
  ofSession?: boolean;
}

/** The data of a registration. `passwordHash` is a bcrypt hash. */
export interface NewUser {
  username: string;
  passwordHash: string;
  name: string | null;
  email: string | null;
  /** Marks the assistant's account, which no person can make. */
  assistant?: boolean;
}

export interface Credentials {
  id: UserId;
  /** As the account has it; the user may have typed another form. */
  username: string;
  /** A bcrypt hash. */
  passwordHash: string;
  /** A demo app made the hash, from the first 72 bytes of a password of any length. */
  cutAt72: boolean;
  /** The user is a guest whose registration under this name was interrupted; completing it turns the guest into an account. */
  unfinished: boolean;
}

const FIELDS = ["username", "name", "email", "createdAt", "guest", "ended"] as const;

const GUESTS_AT_ONCE = 100; // ids without an account that are read together
const WINDOW = 8_192; // ids that are read together to skip vacant ones: 1 KiB of the bitmap

/** The accounts. */
export class UserStore {
  /** The usernames of the accounts. */
  readonly names: UsernameStore;
  readonly #redis: RedisClient;
  readonly #scripts: Pick<Scripts, "run">;
  readonly #ids: Pick<UserIds, "claim">;
  readonly #lenient: Lenient;

  constructor(
    redis: RedisClient,
    scripts: Pick<Scripts, "run">,
    ids: Pick<UserIds, "claim">,
    lenient: Lenient,
    about: { server: string; assistantUsername: string },
  ) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#ids = ids;
    this.#lenient = lenient;
    this.names = new UsernameStore(redis, scripts, this, lenient, about);
  }

  /**
   * Makes an account. Writing all its fields claims the id, then the skeletons of its username are claimed, and the username is set last:
   * the account exists, here and for the demo apps, once the username points at it. The first sign-up that sets a username gets it.
   * @returns the id
   * @throws ChatError BAD_USER_INPUT, USERNAME_TAKEN, RATE_LIMITED
   */
  async register({ username, passwordHash, name, email, assistant }: NewUser): Promise<UserId> {
    // First, because a demo app that finds a user counter assumes that the general room has a name.
    await this.#lenient(this.#redis.set(logKeys.roomName(GENERAL), "General", "NX"), null);
    const fields = {
      username,
      password: passwordHash,
      createdAt: new Date().toISOString(),
      ...(name && { name }),
      ...(email && { email }),
      ...(assistant && { assistant: 1 }),
    };
    await this.names.catchUp();
    const id = await this.#ids.claim(() => fields);
    await this.#redis.sadd(userKeys.userRooms(id), GENERAL);
    if (!(await this.claimName(id, username))) {
      await Promise.all([this.#redis.unlink(userKeys.user(id)), this.#redis.unlink(userKeys.userRooms(id))]);
      throw refusal("USERNAME_TAKEN", username);
    }
    await this.list(id);
    return id;
  }

  /**
   * Makes a username point at an account, after its skeletons were claimed for it.
   * @returns false if another account has the name, or one that looks like it
   */
  async claimName(id: UserId, username: string): Promise<boolean> {
    if (!(await this.names.claim(id, username))) return false;
    const isOurs =
      (await this.#redis.set(userKeys.username(username), userKeys.user(id), "NX")) === "OK" || (await this.names.idOf(username)) === id;
    if (isOurs && (await this.names.hold(id, username))) return true;
    await this.releaseName(id, username);
    return false;
  }

  /** Releases a username that points at this account and is not used. */
  async releaseName(id: UserId, username: string): Promise<void> {
    await this.#scripts.run("username_release", { username: userKeys.username(username) }, { user: userKeys.user(id) });
    await this.names.release(id, username);
  }

  /** Makes a registered user appear in `page` and in the directory. Each login repeats this, in case the registration was interrupted. */
  async list(id: UserId): Promise<void> {
    const [user] = await this.byIds([id]);
    const entries = user ? directoryEntries(user) : [];
    await Promise.all([
      // Demo apps can make accounts whose name is empty or a space: no search can find them.
      entries.length > 0 && this.#redis.zadd(userKeys.directory, ...entries.flatMap((entry) => [0, entry])),
      user && !user.guest && this.names.note(id, user.username),
    ]);
    await this.#redis.setbit(userKeys.vacant, Number(id), 0);
  }

  /** Whether the account was made for the assistant. */
  async isAssistants(id: UserId): Promise<boolean> {
    return (await this.#lenient(this.#redis.hget(userKeys.user(id), "assistant"), null)) === "1";
  }

  /** The credentials for a login with this username; undefined if no account has it. */
  async credentials(username: string): Promise<Credentials | undefined> {
    const found = await this.names.find(username);
    const account = await this.credentialsOf(found?.id ?? ("0" as UserId)); // an unknown name takes as many commands
    if (!account || !found) return undefined;
    if (account.unfinished) {
      const claim = await this.#redis.hget(userKeys.user(account.id), "claim");
      if (!claim || (JSON.parse(claim) as { username: string }).username !== found.username) return undefined;
    }
    return { ...account, username: found.username };
  }

  /** The credentials of the user with this id. */
  async credentialsOf(id: UserId): Promise<Credentials | undefined> {
    const fields = this.#redis.hmget(userKeys.user(id), "password", "createdAt", "passwordSince", "guest", "username");
    const [passwordHash, createdAt, passwordSince, guest, username] = await this.#lenient(fields, []);
    if (!passwordHash) return undefined;
    return { id, username: username ?? "", passwordHash, cutAt72: createdAt == null && passwordSince == null, unfinished: guest === "1" };
  }

  /** The account that has exactly this username. */
  idOf(username: string): Promise<UserId | undefined> {
    return this.names.idOf(username);
  }

  /** The users with these ids, null for an id that no user has; one round trip. */
  async byIds(ids: readonly string[]): Promise<(UserRecord | null)[]> {
    return Promise.all(
      ids.map(async (id) => {
        if (!isUserId(id)) return null; // a message in the database may name anything as its sender
        const [username, name, email, createdAt, guest, ended] = await this.#lenient(this.#redis.hmget(userKeys.user(id), ...FIELDS), []);
        if (username == null) return null;
        const shown = [name, username].find((text) => text && !isBlank(text)) ?? `user-${id}`;
        return { id, username, name: shown, email: email || null, createdAt: dateOf(createdAt), guest: guest === "1", gone: ended === "1" };
      }),
    );
  }

  /** Those of these ids whose users exist and were not forgotten. */
  async present(ids: readonly string[]): Promise<Set<string>> {
    const users = await this.byIds(ids);
    return new Set(users.flatMap((user) => (user && !user.gone ? user.id : [])));
  }

  /** A page of all users with an account, in order of registration, and their total number. */
  async page({ from, limit, after, before }: PageRequest<number>): Promise<Page<UserRecord> & { totalCount: number }> {
    const [total, vacant] = await Promise.all([this.#redis.get(userKeys.totalUsers), this.#redis.bitcount(userKeys.vacant)]);
    const newest = Number(total ?? 0);
    const first = Math.max(1, (after ?? 0) + 1);
    const last = Math.min(newest, (before ?? newest + 1) - 1);

    const found: UserRecord[] = [];
    for await (const ids of this.#idWindows(first, last, from === "end", limit + 1)) {
      const users = await this.byIds(ids);
      found.push(...users.filter((user) => user !== null));
      if (found.length > limit) break;
    }
    const nodes = found.slice(0, limit);
    const more = found.length > limit;
    return from === "start"
      ? { nodes, hasNextPage: more, hasPreviousPage: first > 1, totalCount: newest - vacant }
      : { nodes: nodes.reverse(), hasNextPage: last < newest, hasPreviousPage: more, totalCount: newest - vacant };
  }

  /** The ids from first to last that are assigned to accounts; an account of a demo app may not be complete yet. */
  async idsBetween(first: number, last: number): Promise<string[]> {
    const ids: string[] = [];
    for await (const some of this.#idWindows(first, last, false, WINDOW)) ids.push(...some);
    return ids;
  }

  /** The guests who were not forgotten, in portions, one round trip each: reads every id without an account. */
  async *guests(): AsyncGenerator<string[]> {
    const newest = Number((await this.#redis.get(userKeys.totalUsers)) ?? 0);
    for await (const ids of this.#idWindows(1, newest, false, GUESTS_AT_ONCE, true)) {
      const users = await this.byIds(ids);
      yield users.flatMap((user) => (user?.guest && !user.gone ? user.id : []));
    }
  }

  /** The ids from first to last that are not vacant, or only vacant ones, in portions of at most `size`; from the end if `backwards`. */
  async *#idWindows(first: number, last: number, backwards: boolean, size: number, wantVacant = false): AsyncGenerator<string[]> {
    const windowOf = (id: number) => Math.floor(id / WINDOW);
    const windows = Array.from({ length: Math.max(0, windowOf(last) - windowOf(first) + 1) }, (_, index) => windowOf(first) + index);
    if (backwards) windows.reverse();
    for (const window of first <= last ? windows : []) {
      const start = window * WINDOW;
      const vacant = await this.#redis.getrangeBuffer(userKeys.vacant, start / 8, (start + WINDOW) / 8 - 1);
      const ids: string[] = [];
      for (let id = Math.max(first, start); id <= Math.min(last, start + WINDOW - 1); id++) {
        const offset = id - start;
        const bit = (vacant[offset >> 3] ?? 0) & (0x80 >> (offset & 7)); // Redis counts bits from the left
        if ((bit !== 0) === wantVacant) ids.push(String(id));
      }
      if (backwards) ids.reverse();
      for (let at = 0; at < ids.length; at += size) yield ids.slice(at, at + size);
    }
  }
}

/** Characters of a display name, and of the name of a room. */
export const LONGEST_NAME = 64;
const LONGEST_EMAIL = 254; // RFC 5321, section 4.5.3.1.3, less the angle brackets

/** @throws ChatError BAD_USER_INPUT unless an account may be made with this username */
export function checkNewUsername(username: string): void {
  if (!/^[\p{L}\p{M}\p{N}._-]{2,32}$/u.test(username) || username !== username.normalize("NFC") || !isShowable(username)) {
    throw badInput("username", "must be 2 to 32 letters, digits, dots, dashes or underscores, without spaces or invisible characters.");
  }
}

/** @throws ChatError BAD_USER_INPUT unless this can be a display name */
export function checkName(name: string): void {
  if (isLonger(name, LONGEST_NAME) || !isShowable(name)) {
    throw badInput(
      "name",
      `must be 1 to ${LONGEST_NAME} characters (Unicode code points), at least one of them visible, without control characters or invisible ones that its script does not need, and must not begin or end with a space.`,
    );
  }
}

/** @throws ChatError BAD_USER_INPUT unless this looks like an address */
export function checkEmail(email: string): void {
  if (email.length > LONGEST_EMAIL || !/^[^\s@\p{C}]+@[^\s@\p{C}]+\.[^\s@\p{C}]+$/u.test(email)) {
    throw badInput("email", "must be an address such as ada@example.com.");
  }
}

function dateOf(text: string | null | undefined): Date | null {
  const date = new Date(text ?? "");
  return Number.isNaN(date.getTime()) ? null : date;
}

/**
 * Stands for a user whose account does not exist (any more), such as the sender of an old message. If a message names a sender that cannot
 * be a user, the id begins with `unknown:`, so that it cannot be the id of a room or another object.
 */
export function unknownUser(sender: string): UserRecord {
  const id = (isUserId(sender) ? sender : `unknown:${sender}`) as UserId;
  return { id, username: `user-${sender}`, name: "Unknown user", email: null, createdAt: null, guest: false, gone: false };
}
