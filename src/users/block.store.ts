import { badInput, refusal } from "../errors.js";
import type { RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import { lookUpPage, type Page, type PageRequest } from "../relay.js";
import type { AcquaintanceStore } from "../rooms/acquaintance.store.js";
import type { InvitationStore } from "../rooms/invitation.store.js";
import { checkUserId, type UserStore } from "./user.store.js";

/** A user's place among those that another one blocks: since when (µs), and who. */
export interface BlockPlace {
  at: number;
  userId: string;
}

const MOST = 1_000; // users that one blocks

/**
 * Whom users block. What counts is in the slot of their private room, where every write looks at it in the step that stores
 * something. The list of a user lies elsewhere: someone is in it before they are blocked and until after, so that what a crash
 * leaves there is recognised, and a repetition completes it.
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
   * Blocks another user: they cannot write to this one, nor invite them. Invitations between the two end.
   * @throws ChatError BAD_USER_INPUT, NOT_FOUND, FORBIDDEN where the user blocks too many
   */
  async block(userId: string, otherId: string): Promise<void> {
    checkUserId(otherId, "userId");
    if (otherId === userId) throw badInput("userId", "must be another user than yourself.");
    if (!(await this.#users.present([otherId])).has(otherId)) throw refusal("NOT_FOUND", `There is no user ${otherId}.`);
    if ((await this.#scripts.run("block_list", [keys.blocked(userId)], [otherId, MOST])) !== 1)
      throw refusal("FORBIDDEN", `You can block at most ${MOST} users.`);
    await this.#acquaintances.setBlock(userId, otherId, true);
    await this.#invitations.endBetween(userId, otherId);
  }

  /**
   * Undoes `block`.
   * @throws ChatError BAD_USER_INPUT
   */
  async unblock(userId: string, otherId: string): Promise<void> {
    checkUserId(otherId, "userId");
    if (otherId === userId) throw badInput("userId", "must be another user than yourself.");
    await this.#acquaintances.setBlock(userId, otherId, false);
    await this.#unlist(userId, otherId);
  }

  /** A page of those whom the user blocks, the last blocked first. */
  async page(userId: string, request: PageRequest<BlockPlace>): Promise<Page<BlockPlace>> {
    const flat = await this.#redis.zrange(keys.blocked(userId), "0", "-1", "WITHSCORES");
    const places = flat.flatMap((id, index) => (index % 2 === 0 ? [{ userId: id, at: Number(flat[index + 1]) }] : [])).sort(newerFirst);
    return lookUpPage(places, request, newerFirst, async (some) => {
      const blocked = await Promise.all(some.map((place) => this.#acquaintances.blocks(userId, place.userId)));
      return some.map((place, index) => (blocked[index] ? place : undefined));
    });
  }

  /** Undoes all blocks of a user who is to be forgotten. */
  async forget(userId: string): Promise<void> {
    for (const id of await this.#redis.zrange(keys.blocked(userId), "0", "-1")) await this.unblock(userId, id);
  }

  /** Takes someone off the list, unless they were blocked again in this moment. */
  async #unlist(userId: string, otherId: string): Promise<void> {
    await this.#redis.zrem(keys.blocked(userId), otherId);
    if (await this.#acquaintances.blocks(userId, otherId)) await this.#scripts.run("block_list", [keys.blocked(userId)], [otherId, MOST]);
  }
}

const newerFirst = (one: BlockPlace, other: BlockPlace) => other.at - one.at || Number(other.userId) - Number(one.userId);

/** The opaque string that clients get. */
export const encodeBlockCursor = ({ at, userId }: BlockPlace) => Buffer.from(`blocked:${at}:${userId}`).toString("base64url");

/** @throws ChatError BAD_USER_INPUT that names the argument, for anything that encodeBlockCursor did not make */
export function decodeBlockCursor(cursor: string, argument: string): BlockPlace {
  const [, at, userId = ""] = /^blocked:(\d{1,16}):([1-9]\d{0,14})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  const place = { at: Number(at), userId };
  if (encodeBlockCursor(place) !== cursor) throw badInput(argument, "must be a cursor of `blockedUsers`, as this API gave it.");
  return place;
}
