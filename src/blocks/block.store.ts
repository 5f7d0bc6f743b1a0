import { lookUpPage, type Page, type PageRequest } from "../api/relay.js";
import type { InvitationStore } from "../invitations/invitation.store.js";
import type { RedisClient } from "../redis/connect.js";
import type { Scripts } from "../redis/scripts.js";
import type { AcquaintanceStore } from "../rooms/acquaintance.store.js";
import type { UserStore } from "../users/user.store.js";
import { badInput, refusal } from "../util/errors.js";
import type { UserId } from "../util/ids.js";
import { blockKeys } from "./keys.js";

/** A user's place in a block list: when the user was blocked (µs), and the user's id. */
export interface BlockPlace {
  at: number;
  userId: UserId;
}

const MOST = 1_000; // users that a user can block

/**
 * The users whom users block. A block is stored in the slot of the two users' private room, where every write checks it in the step that
 * stores something. A user's block list is in another slot: a user is added before the block is set, and removed after it was deleted. So
 * a crash leaves at most an entry without a block, which is recognized, and a repeated call completes the operation.
 */
export class BlockStore {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #users: Pick<UserStore, "present">;
  readonly #acquaintances: Pick<AcquaintanceStore, "blocks" | "setBlock">;
  readonly #invitations: Pick<InvitationStore, "endBetween">;

  constructor(
    redis: RedisClient,
    scripts: Scripts,
    users: Pick<UserStore, "present">,
    acquaintances: Pick<AcquaintanceStore, "blocks" | "setBlock">,
    invitations: Pick<InvitationStore, "endBetween">,
  ) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#users = users;
    this.#acquaintances = acquaintances;
    this.#invitations = invitations;
  }

  /**
   * Blocks another user, who then can neither write to this user nor invite them. Invitations between the two end.
   * @throws ChatError BAD_USER_INPUT, NOT_FOUND, FORBIDDEN if the user blocks too many
   */
  async block(userId: UserId, otherId: UserId): Promise<void> {
    if (otherId === userId) throw badInput("userId", "must be a user other than yourself.");
    if (!(await this.#users.present([otherId])).has(otherId)) throw refusal("NOT_FOUND", `There is no user ${otherId}.`);
    if ((await this.#scripts.run("block_list", { blocked: blockKeys.blocked(userId) }, { user: otherId, most: MOST })) !== 1)
      throw refusal("FORBIDDEN", `You can block at most ${MOST} users. Unblock another one first.`);
    await this.#acquaintances.setBlock(userId, otherId, true);
    await this.#invitations.endBetween(userId, otherId);
  }

  /**
   * Undoes `block`.
   * @throws ChatError BAD_USER_INPUT
   */
  async unblock(userId: UserId, otherId: UserId): Promise<void> {
    if (otherId === userId) throw badInput("userId", "must be a user other than yourself.");
    await this.#acquaintances.setBlock(userId, otherId, false);
    await this.#unlist(userId, otherId);
  }

  /** A page of the users whom the user blocks, most recently blocked first. */
  async page(userId: UserId, request: PageRequest<BlockPlace>): Promise<Page<BlockPlace>> {
    const flat = await this.#redis.zrange(blockKeys.blocked(userId), "0", "-1", "WITHSCORES");
    const places = flat
      .flatMap((id, index) => (index % 2 === 0 ? [{ userId: id as UserId, at: Number(flat[index + 1]) }] : []))
      .sort(newerFirst);
    return lookUpPage(places, request, newerFirst, async (some) => {
      const blocked = await Promise.all(some.map((place) => this.#acquaintances.blocks(userId, place.userId)));
      return some.map((place, index) => (blocked[index] ? place : undefined));
    });
  }

  /** Undoes all blocks of a user who is to be forgotten. */
  async forget(userId: UserId): Promise<void> {
    for (const id of (await this.#redis.zrange(blockKeys.blocked(userId), "0", "-1")) as UserId[]) await this.unblock(userId, id);
  }

  /** Removes a user from the list, unless they were blocked again at the same time. */
  async #unlist(userId: UserId, otherId: UserId): Promise<void> {
    await this.#redis.zrem(blockKeys.blocked(userId), otherId);
    if (await this.#acquaintances.blocks(userId, otherId))
      await this.#scripts.run("block_list", { blocked: blockKeys.blocked(userId) }, { user: otherId, most: MOST });
  }
}

const newerFirst = (one: BlockPlace, other: BlockPlace) => other.at - one.at || Number(other.userId) - Number(one.userId);

/** The opaque string that clients get. */
export const encodeBlockCursor = ({ at, userId }: BlockPlace) => Buffer.from(`blocked:${at}:${userId}`).toString("base64url");

/** @throws ChatError BAD_USER_INPUT that names the argument, for any string that encodeBlockCursor did not return */
export function decodeBlockCursor(cursor: string, argument: string): BlockPlace {
  const [, at, userId = ""] = /^blocked:(\d{1,16}):([1-9]\d{0,14})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  const place = { at: Number(at), userId: userId as UserId };
  if (encodeBlockCursor(place) !== cursor) throw badInput(argument, "must be a cursor that `blockedUsers` returned.");
  return place;
}
