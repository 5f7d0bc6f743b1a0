import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { badInput } from "../errors.js";
import { keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import { type Connection, type PageArgs, type PageRequest, pageRequest, toConnection } from "../relay.js";
import { isLonger } from "../text/characters.js";
import { type DirectoryEntry, decodeEntry, directoryEntries, encodeEntry, searchedBy, searchOf } from "./names.js";
import type { UserRecord, UserStore } from "./user.store.js";

export type UserConnectionRecord = Connection<UserRecord> & { totalCount: number };

const LONGEST_SEARCH = 64; // characters
const SPARE = 8; // entries read beyond a page, for users who have several names that fit
const MOST_COUNTED = 1_000; // entries

const PORTION = 200; // accounts indexed in one step
const PAUSE = 10; // ms between two steps, in which Redis and this server do other things
const LEASE = 10; // seconds after which another server takes over
const FRESH = 1_000; // ms within which it is not looked for new accounts again
const FORMER_KEPT = 604_800; // seconds that the directory of an older version is kept, for its servers
const SETTLING = 100; // the newest accounts, which a demo app may still be writing: one that is missing is waited for
const MOST_USERS = 100_000_000; // a higher counter is no counter

/** A username that someone wrote, and what mentions compare it by. */
export interface WrittenName {
  name: string;
  key: string;
}

/**
 * The directory: accounts by the beginnings of their names, and by what mentions compare. Ours are entered as they are made. Those of demo apps, and of a
 * database that was taken over, are found by the user counter: what lies between it and where the directory has looked is
 * looked at when a server starts and when someone searches, some at a time and by one server at a time.
 */
export class DirectoryStore {
  readonly #scripts: Scripts;
  readonly #users: UserStore;
  readonly #server: string;
  readonly #log: Logger;
  #indexing: Promise<void> | undefined;
  #indexedAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  /** @param server this server's name, which no other one has */
  constructor(scripts: Scripts, users: UserStore, server: string, log: Logger) {
    this.#scripts = scripts;
    this.#users = users;
    this.#server = server;
    this.#log = log;
  }

  /**
   * Accounts whose username, or a word of whose name, begins so; in the order of these names. A user who has several is
   * found at the first of them.
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
   * Who is meant by usernames as they were written: whose name is exactly that, or else the same but for letter case and Unicode form; of
   * several such, the oldest account. One round trip, whatever their number, and a second one where the directory has to look for new
   * accounts first.
   * @returns ids by name
   */
  async usersNamed(names: readonly WrittenName[]): Promise<Map<string, string>> {
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

  async #idsByKey(names: readonly WrittenName[]): Promise<{ ids: string[]; missing: number }> {
    const [ids, missing] = (await this.#scripts.run(
      "directory_mentioned",
      [keys.directory, keys.totalUsers, keys.indexed],
      names.map(({ key }) => key),
    )) as [string[], number];
    return { ids, missing };
  }

  /** Looks for accounts that the directory does not know, unless that was done a moment ago. Resolves when it is done; never rejects. */
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

  /** Lets the step that is under way finish. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#indexing;
  }

  async #index(): Promise<void> {
    while (!this.#stopped) {
      const claimed = await this.#scripts.run("directory_claim", [keys.totalUsers, keys.indexed], [this.#server, LEASE]);
      if (!claimed) return; // another server is at it
      const [upTo, total] = claimed as [number, number];
      const from = Math.min(upTo, total); // a counter that has been set back gives ids out again
      const to = Math.min(from + PORTION, total <= MOST_USERS ? total : 0);
      const ids = from < to ? await this.#users.idsBetween(from + 1, to) : [];
      const users = await this.#users.byIds(ids);
      const hole = ids.find((id, index) => !users[index] && Number(id) > total - SETTLING);
      const done = hole === undefined ? Math.max(from, to) : Number(hole) - 1;
      const entries = users.filter((user) => user && !user.guest).flatMap((user) => directoryEntries(user as UserRecord));
      await this.#scripts.run("directory_add", [keys.directory, keys.indexed], [this.#server, done, JSON.stringify(entries)]);
      if (done >= total) await this.#scripts.run("directory_supersede", [keys.formerDirectory, keys.formerIndexed], [FORMER_KEPT]);
      if (done < to || to >= total || from >= to) return;
      await delay(PAUSE);
    }
  }

  async #read(
    beginning: string,
    { from, after, before }: PageRequest<DirectoryEntry>,
    count: number,
  ): Promise<{ entries: DirectoryEntry[]; users: number; missing: number }> {
    const [entries, users, missing] = (await this.#scripts.run(
      "directory_search",
      [keys.directory, keys.totalUsers, keys.indexed],
      [
        beginning,
        after ? encodeEntry(after) : "",
        before ? encodeEntry(before) : "",
        from === "start" ? "FORWARD" : "BACKWARD",
        count,
        MOST_COUNTED,
      ],
    )) as [string[], number, number];
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

/** As Redis orders them. */
const byBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));

/** The form of a cursor tells it from one of the list without a search, which another place gives. */
const encodeCursor = (entry: DirectoryEntry) => Buffer.from(`name:${encodeEntry(entry)}`).toString("base64url");

function decodeCursor(beginning: string, cursor: string, argument: string): DirectoryEntry {
  const [, name, id] = /^name:([^\0]{1,64})\0([1-9]\d{0,14})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  if (name === undefined || id === undefined || !name.startsWith(beginning) || encodeCursor({ name, id }) !== cursor)
    throw badInput(argument, "must be a cursor of this search, as this API gave it.");
  return { name, id };
}
