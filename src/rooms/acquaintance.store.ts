import { isGroup, pairOf } from "../api/ids.js";
import { logKeys } from "../log/keys.js";
import type { RoomScripts } from "../log/room-scripts.js";
import type { Lenient, RedisClient } from "../redis/connect.js";
import type { Bots } from "../users/bots.js";
import { userKeys } from "../users/keys.js";
import { refusal } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import { roomKeys } from "./keys.js";

const GROUPS_AT_ONCE = 50; // groups of a user that one round trip searches for acquaintances

/** Relations between users: which have talked with each other, and which block each other. */
export class AcquaintanceStore {
  readonly #redis: RedisClient;
  readonly #scripts: RoomScripts;
  readonly #lenient: Lenient;
  readonly #bots: Bots;

  constructor(redis: RedisClient, scripts: RoomScripts, lenient: Lenient, bots: Bots) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#lenient = lenient;
    this.#bots = bots;
  }

  /**
   * The strangers among other users: those who share neither a group nor a private room in which both have written with the user. A
   * bot never counts as a stranger.
   * @throws ChatError FORBIDDEN if one of them blocks the user, or the user blocks one of them
   */
  async strangersAmong(userId: UserId, otherIds: UserId[]): Promise<UserId[]> {
    const bots = this.#bots.ids;
    const looked = await Promise.all(
      otherIds.map(async (id) => {
        const [bothWrote, blocksUser, isBlocked] = await this.#scripts.onRoom("pair_look", pairOf(userId, id), { user: userId, other: id });
        if (isBlocked === 1) throw refusal("FORBIDDEN", `You have blocked user ${id}.`);
        if (blocksUser === 1) throw refusal("FORBIDDEN", `You cannot add user ${id}.`);
        return { id, known: bothWrote === 1 || bots.includes(id) };
      }),
    );
    const strangers = new Set(looked.filter(({ known }) => !known).map(({ id }) => id));
    const groups =
      strangers.size > 0 ? ((await this.#lenient(this.#redis.smembers(userKeys.userRooms(userId)), [])) as RoomId[]).filter(isGroup) : [];
    for (let at = 0; at < groups.length && strangers.size > 0; at += GROUPS_AT_ONCE) {
      const left = [...strangers];
      const portion = groups.slice(at, at + GROUPS_AT_ONCE);
      const found = await Promise.all(portion.map((group) => this.#redis.hmget(roomKeys.members(group), userId, ...left)));
      for (const [own, ...others] of found) {
        if (own == null) continue; // the list may still hold a group that the user has left
        left.forEach((id, index) => {
          if (others[index] != null) strangers.delete(id);
        });
      }
    }
    return otherIds.filter((id) => strangers.has(id));
  }

  /** The users among these who block this user. */
  async blockersAmong(userId: UserId, otherIds: UserId[]): Promise<UserId[]> {
    const blocked = await Promise.all(otherIds.map((id) => this.blocks(id, userId)));
    return otherIds.filter((_, index) => blocked[index]);
  }

  /** Whether the user blocks the other user. */
  async blocks(userId: UserId, otherId: UserId): Promise<boolean> {
    if (userId === otherId) return false;
    return (await this.#redis.hexists(logKeys.meta(pairOf(userId, otherId)), fieldOf(userId))) === 1;
  }

  /** Stores or removes the user's block of the other user. Every write to their private room checks it. */
  async setBlock(userId: UserId, otherId: UserId, on: boolean): Promise<void> {
    const meta = logKeys.meta(pairOf(userId, otherId));
    if (on) await this.#redis.hset(meta, fieldOf(userId), 1);
    else await this.#redis.hdel(meta, fieldOf(userId));
  }

  /**
   * Checks that the user may write to the other user.
   * @throws ChatError FORBIDDEN
   */
  async checkWrite(userId: UserId, otherId: UserId): Promise<void> {
    const [blocks, isBlocked] = await this.#redis.hmget(logKeys.meta(pairOf(userId, otherId)), fieldOf(userId), fieldOf(otherId));
    if (blocks != null) throw refusal("FORBIDDEN", "You have blocked this user.");
    if (isBlocked != null) throw refusal("FORBIDDEN", "You cannot write to this user.");
  }
}

const fieldOf = (userId: UserId) => `blocked:${userId}`;
