import type { Logger } from "pino";
import { GENERAL } from "../api/ids.js";
import { logKeys } from "../log/keys.js";
import type { RedisClient } from "../redis/connect.js";
import type { Scripts } from "../redis/scripts.js";
import type { UserId } from "../util/ids.js";
import { userKeys } from "./keys.js";

const MOST_ATTEMPTS = 100; // ids to try for one account; each failure raises the counter above all ids in use
const MARKS = 3; // keys besides the counter that hold the highest id, each in its own slot
const WINDOW = 32; // ids checked together, because some between two accounts may be free
const MOST_DOUBLINGS = 40; // of the distance in the search for the highest id
const LOOK = 5_000; // ms between two checks of the counter

/**
 * Assigns user ids, each only once.
 *
 * The counter `total_users` is shared with the demo apps. It can be lost or set back: by a failover that loses the last writes, by a
 * restored dump, by a person. So an id counts only once it is claimed: the account's first write fails if anything with that id exists.
 * The highest assigned id is also kept in marks, in other slots of a cluster than the counter, so that a shard that loses its last writes
 * does not lose the record of them too. The ids of deleted accounts stay below the marks.
 */
export class UserIds {
  readonly #redis: RedisClient;
  readonly #scripts: Pick<Scripts, "run">;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  /** The highest id that this server has seen. */
  #highest = 0;

  constructor(redis: RedisClient, scripts: Pick<Scripts, "run">, log: Logger) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#log = log;
  }

  /** Raises the counter above all ids in use, and watches it from then on. Resolves after the first check. */
  async watch(): Promise<void> {
    await this.#catchUp(await this.#counter());
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look()
        .catch((error: unknown) => this.#log.debug({ error: String(error) }, "could not check the counter of user ids; trying again"))
        .finally(() => {
          this.#looking = undefined;
        });
    }, LOOK).unref();
  }

  /** Ends the watch. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /**
   * Claims an id for an account, and writes its fields.
   * @param fieldsOf the initial fields of the user's hash
   * @param prepare called with each id before it is claimed
   * @returns the id, which no other account has or had
   */
  async claim(
    fieldsOf: (id: UserId) => Record<string, string | number>,
    prepare: (id: UserId) => Promise<void> = async () => {},
  ): Promise<UserId> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      // Reads the marks before it reserves the id, because concurrent claims raise them.
      const id = await this.#reserve(Math.max(this.#highest, await this.#marked()));
      const userId = String(id) as UserId;
      await prepare(userId);
      if ((await this.#isFree(userId)) && (await this.#write(userId, fieldsOf(userId)))) {
        await this.#mark(id);
        this.#highest = Math.max(this.#highest, id);
        return userId;
      }
      await this.#catchUp(id);
    }
    throw new Error(`no free user id in ${MOST_ATTEMPTS} attempts`);
  }

  /** Reserves the next id above `inUse`. */
  async #reserve(inUse: number): Promise<number> {
    const counterKeys = { totalUsers: userKeys.totalUsers, vacant: userKeys.vacant };
    const [id, before] = await this.#scripts.run("user_reserve_id", counterKeys, { atLeast: inUse });
    if (before !== undefined && inUse > 0) this.#warn(before, inUse);
    return id;
  }

  /** Whether the slot of the user's rooms has no remains of an earlier account; `user_claim` checks the other keys. */
  async #isFree(id: UserId): Promise<boolean> {
    return (await this.#redis.exists(userKeys.userRooms(id))) === 0;
  }

  async #write(id: UserId, fields: Record<string, string | number>): Promise<boolean> {
    const itsKeys = { user: userKeys.user(id), sessions: userKeys.sessions(id), details: userKeys.sessionDetails(id) };
    return (await this.#scripts.run("user_claim", itsKeys, { fields: Object.entries(fields).flat() })) === 1;
  }

  async #look(): Promise<void> {
    const counter = await this.#counter();
    if (counter < this.#highest) await this.#catchUp(counter);
    else this.#highest = counter;
  }

  /** The counter's value; 0 if it is not a number. */
  async #counter(): Promise<number> {
    const text = await this.#redis.get(userKeys.totalUsers).catch((error: Error) => {
      if (error.message.includes("WRONGTYPE")) return null;
      throw error;
    });
    return /^\d{1,15}$/.test(text ?? "") ? Number(text) : 0;
  }

  /** Raises the counter above every id in use, if it is not above them already. */
  async #catchUp(from: number): Promise<void> {
    const inUse = Math.max(this.#highest, await this.#marked(), await this.#highestAbove(from));
    this.#highest = inUse;
    if (inUse === 0) return; // an empty database must not appear to be in use
    // First, because a demo app that finds a user counter assumes that the general room has a name.
    await this.#redis.set(logKeys.roomName(GENERAL), "General", "NX");
    const before = await this.#scripts.run("user_raise_ids", { counter: userKeys.totalUsers }, { atLeast: inUse });
    if (before !== null) this.#warn(before, inUse);
  }

  #warn(before: string, inUse: number): void {
    this.#log.warn(
      { counter: before, raisedTo: inUse },
      "the counter of user ids (total_users) was behind the ids in use; raised it, so that no id is assigned twice",
    );
  }

  async #marked(): Promise<number> {
    const marks = await Promise.all(Array.from({ length: MARKS }, (_, n) => this.#redis.get(userKeys.highestUserId(n))));
    return Math.max(...marks.map((mark) => (/^\d{1,15}$/.test(mark ?? "") ? Number(mark) : 0)));
  }

  async #mark(id: number): Promise<void> {
    const raise = (_: unknown, n: number) => this.#scripts.run("user_raise_ids", { counter: userKeys.highestUserId(n) }, { atLeast: id });
    await Promise.all(Array.from({ length: MARKS }, raise));
  }

  /** About the highest id in use above another: doubles the distance while there are accounts, then halves it. */
  async #highestAbove(from: number): Promise<number> {
    const distances = Array.from({ length: MOST_DOUBLINGS }, (_, n) => 2 ** n);
    const found = await Promise.all(distances.map((distance) => this.#lastInWindow(from + distance)));
    let highest = Math.max(0, ...found);
    if (highest === 0) return 0;
    let beyond = from + (distances.find((distance) => from + distance > highest) ?? 2 ** MOST_DOUBLINGS);
    while (beyond - highest > 1) {
      const middle = Math.floor((highest + beyond) / 2);
      const last = await this.#lastInWindow(middle);
      if (last > highest) highest = last;
      else beyond = middle;
    }
    return highest;
  }

  /** The last id in use in the window that begins at `start`; 0 if there is none. */
  async #lastInWindow(start: number): Promise<number> {
    const ids = Array.from({ length: WINDOW }, (_, n) => start + n);
    const there = await Promise.all(ids.map((id) => this.#redis.exists(userKeys.user(String(id) as UserId))));
    return ids.findLast((_, n) => there[n] === 1) ?? 0;
  }
}
