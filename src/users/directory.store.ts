import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { type Connection, type PageArgs, type PageRequest, pageRequest, toConnection } from "../api/relay.js";
import type { Scripts } from "../redis/scripts.js";
import { isLonger } from "../util/characters.js";
import { badInput } from "../util/errors.js";
import type { UserId } from "../util/ids.js";
import { userKeys } from "./keys.js";
import { type DirectoryEntry, decodeEntry, directoryEntries, encodeEntry, searchedBy, searchOf } from "./names.js";
import type { UserRecord, UserStore } from "./user.store.js";

export type UserConnectionRecord = Connection<UserRecord> & { totalCount: number };

const LONGEST_SEARCH = 64; // characters
const SPARE = 8; // entries read beyond a page, for users with several matching names
const MOST_COUNTED = 1_000; // entries

const PORTION = 200; // accounts indexed in one step
const STEP_PAUSE = 10; // ms between two steps, for other work of Redis and this server
const LEASE = 10; // seconds after which another server takes over
const FRESH = 1_000; // ms within which it does not check for new accounts again
const FORMER_KEPT = 604_800; // seconds that the directory of an older version is kept, for servers of that version
const SETTLING = 100; // the newest accounts, which a demo app may still be writing: indexing waits for a missing one
const MOST_USERS = 100_000_000; // a higher value is not a valid counter

const KEYS = { directory: userKeys.directory, totalUsers: userKeys.totalUsers, indexed: userKeys.indexed };
const FORMER_KEYS = { formerDirectory: userKeys.formerDirectory, formerIndexed: userKeys.formerIndexed };

/** A username as written in a message, and the key by which mentions compare it. */
export interface WrittenName {
  name: string;
  key: string;
}

/**
 * The directory: accounts by the beginnings of their names, and by the keys that mentions compare. Accounts made here are added at once.
 * Those of demo apps, and of an existing database, are found by the user counter: the accounts between the last one indexed and the counter
 * are indexed when a server starts and when a user searches, some at a time and by one server at a time.
 */
export class DirectoryStore {
  readonly #scripts: Scripts;
  readonly #users: UserStore;
  readonly #server: string;
  readonly #log: Logger;
  #indexing: Promise<void> | undefined;
  #indexedAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  /** @param server this server's name, unique to it */
  constructor(scripts: Scripts, users: UserStore, server: string, log: Logger) {
    this.#scripts = scripts;
    this.#users = users;
    this.#server = server;
    this.#log = log;
  }

  /**
   * Accounts with a username, or a word of their name, that begins with the search; in the order of these names. A user with several
   * matches is found at the first one.
   * @throws ChatError BAD_USER_INPUT
   */
  async search(search: string, args: PageArgs): Promise<UserConnectionRecord> {
    checkSearch(search);
    const beginning = searchOf(search);
    const request = pageRequest(args, "start", (cursor, argument) => decodeCursor(beginning, cursor, argument));
    const { from, limit } = request;
    const firstOf = (user: UserRecord): DirectoryEntry => {
      const [name = ""] = searchedBy(user)
        .filter((name) => name.startsWith(beginning))
        .sort(byBytes);
      return { name, id: user.id };
    };

    let { entries, users: totalCount, missing } = await this.#read(beginning, request, limit + SPARE);
    if (missing > 0) {
      const indexing = this.index();
      if (missing <= PORTION) {
        await indexing;
        ({ entries, users: totalCount } = await this.#read(beginning, request, limit + SPARE));
      }
    }
    const found: UserRecord[] = [];
    for (;;) {
      const users = await this.#users.byIds(entries.map(({ id }) => id));
      found.push(...(users.filter((user, index) => user && !user.guest && firstOf(user).name === entries[index]?.name) as UserRecord[]));
      const last = entries.at(-1);
      if (found.length > limit || entries.length < limit + SPARE || !last) break;
      ({ entries } = await this.#read(beginning, { ...request, [from === "start" ? "after" : "before"]: last }, limit + SPARE));
    }
    const nodes = found.slice(0, limit);
    const more = found.length > limit;
    const page =
      from === "start"
        ? { nodes, hasNextPage: more, hasPreviousPage: request.after !== undefined }
        : { nodes: nodes.reverse(), hasNextPage: request.before !== undefined, hasPreviousPage: more };
    return { ...toConnection(page, (user) => encodeCursor(firstOf(user))), totalCount };
  }

  /**
   * The users meant by usernames as written in a message: the account with exactly this username, or else one whose username differs only
   * in letter case and Unicode form; of several, the oldest account. Takes one round trip for any number of names, and a second one if the
   * directory must index new accounts first.
   * @returns ids by name
   */
  async usersNamed(names: readonly WrittenName[]): Promise<Map<string, UserId>> {
    if (names.length === 0) return new Map();
    const [exact, similar] = await Promise.all([Promise.all(names.map(({ name }) => this.#users.idOf(name))), this.#idsByKey(names)]);
    let { ids } = similar;
    if (similar.missing > 0 && similar.missing <= PORTION && names.some((_, index) => !exact[index] && !ids[index])) {
      await this.index();
      ({ ids } = await this.#idsByKey(names));
    }
    return new Map(
      names.flatMap(({ name }, index) => {
        const id = exact[index] ?? ids[index];
        return id ? [[name, id] as const] : [];
      }),
    );
  }

  async #idsByKey(names: readonly WrittenName[]): Promise<{ ids: UserId[]; missing: number }> {
    const [ids, missing] = await this.#scripts.run("directory_mentioned", KEYS, { nameKeys: names.map(({ key }) => key) });
    return { ids: ids as UserId[], missing };
  }

  /** Indexes accounts that the directory does not have, unless it did so a moment ago. Resolves when it is done; never rejects. */
  index(): Promise<void> {
    if (!this.#indexing && performance.now() - this.#indexedAt > FRESH) {
      this.#indexing = this.#index()
        .catch((err: Error) => this.#log.debug({ err }, "could not index accounts; the next search tries again"))
        .finally(() => {
          this.#indexing = undefined;
          this.#indexedAt = performance.now();
        });
    }
    return this.#indexing ?? Promise.resolve();
  }

  /** Stops indexing. Resolves once the current step has finished. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#indexing;
  }

  async #index(): Promise<void> {
    while (!this.#stopped) {
      const claimed = await this.#scripts.run("directory_claim", KEYS, { server: this.#server, lease: LEASE });
      if (!claimed) return; // another server is indexing
      const [upTo, total] = claimed;
      const from = Math.min(upTo, total); // a counter that was set back assigns ids again
      const to = Math.min(from + PORTION, total <= MOST_USERS ? total : 0);
      const ids = from < to ? await this.#users.idsBetween(from + 1, to) : [];
      const users = await this.#users.byIds(ids);
      const hole = ids.find((id, index) => !users[index] && Number(id) > total - SETTLING);
      const done = hole === undefined ? Math.max(from, to) : Number(hole) - 1;
      const entries = users.filter((user) => user && !user.guest).flatMap((user) => directoryEntries(user as UserRecord));
      await this.#scripts.run("directory_add", KEYS, { server: this.#server, upTo: done, entries: JSON.stringify(entries) });
      if (done >= total) await this.#scripts.run("directory_supersede", FORMER_KEYS, { kept: FORMER_KEPT });
      if (done < to || to >= total || from >= to) return;
      await delay(STEP_PAUSE);
    }
  }

  async #read(
    beginning: string,
    { from, after, before }: PageRequest<DirectoryEntry>,
    count: number,
  ): Promise<{ entries: DirectoryEntry[]; users: number; missing: number }> {
    const [entries, users, missing] = await this.#scripts.run("directory_search", KEYS, {
      beginning,
      after: after ? encodeEntry(after) : "",
      before: before ? encodeEntry(before) : "",
      direction: from === "start" ? "FORWARD" : "BACKWARD",
      count,
      most: MOST_COUNTED,
    });
    return { entries: entries.map(decodeEntry), users, missing };
  }
}

/** Whether there is anything to search for. */
export const isSearch = (search: string | null | undefined): search is string =>
  search != null && (isLonger(search, LONGEST_SEARCH) || searchOf(search) !== "");

function checkSearch(search: string): void {
  if (isLonger(search, LONGEST_SEARCH))
    throw badInput("search", `must be at most ${LONGEST_SEARCH} characters (Unicode code points) long.`);
}

/** Compares two strings as Redis does. */
const byBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));

/** The prefix distinguishes it from a cursor of the list without a search. */
const encodeCursor = (entry: DirectoryEntry) => Buffer.from(`name:${encodeEntry(entry)}`).toString("base64url");

function decodeCursor(beginning: string, cursor: string, argument: string): DirectoryEntry {
  const [, name, id] = /^name:([^\0]{1,64})\0([1-9]\d{0,14})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  if (name === undefined || id === undefined || !name.startsWith(beginning) || encodeCursor({ name, id: id as UserId }) !== cursor)
    throw badInput(argument, "must be a cursor that this search returned.");
  return { name, id: id as UserId };
}
