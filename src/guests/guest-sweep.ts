import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { GENERAL, isGroup, privatePair } from "../api/ids.js";
import type { BlockStore } from "../blocks/block.store.js";
import { blockKeys } from "../blocks/keys.js";
import type { GroupStore } from "../groups/group.store.js";
import type { InvitationStore } from "../invitations/invitation.store.js";
import { invitationKeys } from "../invitations/keys.js";
import { presenceKeys } from "../presence/keys.js";
import { readKeys } from "../reads/keys.js";
import { isRedisAway, type RedisClient } from "../redis/connect.js";
import type { Scripts } from "../redis/scripts.js";
import { roomKeys } from "../rooms/keys.js";
import type { RoomListStore } from "../rooms/room-list.store.js";
import type { GuestStore } from "../users/guest.store.js";
import { userKeys } from "../users/keys.js";
import type { UserStore } from "../users/user.store.js";
import { isRefusal } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import { Repeated } from "../util/repeated.js";

const LOOK = 1_000; // ms between two checks for guests that are due
const PORTION = 20; // guests claimed together
const LEASE = 60; // seconds after which another server claims them
const SECOND_PASS = 15; // seconds after the first pass, by when writes in progress have ended
const ROOMS_AT_ONCE = 50;
const STEP_PAUSE = 10; // ms between two steps, for other work of Redis

/** The stores that take part in forgetting a guest. */
interface Forgetting {
  guests: GuestStore;
  users: UserStore;
  groups: Pick<GroupStore, "leave">;
  roomList: Pick<RoomListStore, "forget">;
  invitations: Pick<InvitationStore, "endAllOf">;
  blocks: Pick<BlockStore, "forget">;
}

/**
 * Forgets guests some time after their last session ended: deletes their private rooms, memberships, read markers, and all other data
 * except their name, which their messages in shared rooms still show.
 *
 * A list in Redis has the time at which each guest is due. One of the servers claims a guest; if it dies, another one does so once the
 * lease has run out, and every step can be repeated. There are two passes, because a send that was in progress during the first one may
 * have made a room again.
 */
export class GuestSweep {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #guests: GuestStore;
  readonly #users: UserStore;
  readonly #groups: Pick<GroupStore, "leave">;
  readonly #roomList: Pick<RoomListStore, "forget">;
  readonly #invitations: Pick<InvitationStore, "endAllOf">;
  readonly #blocks: Pick<BlockStore, "forget">;
  readonly #keysOfRoom: (roomId: RoomId) => string[];
  readonly #keep: number;
  readonly #log: Logger;
  readonly #runs: Repeated;
  #listed = false;

  /**
   * @param keysOfRoom the keys of a private room, which share a slot
   * @param keep seconds that a guest is kept after their last session
   */
  constructor(
    redis: RedisClient,
    scripts: Scripts,
    { guests, users, groups, roomList, invitations, blocks }: Forgetting,
    keysOfRoom: (roomId: RoomId) => string[],
    keep: number,
    log: Logger,
  ) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#guests = guests;
    this.#users = users;
    this.#groups = groups;
    this.#roomList = roomList;
    this.#invitations = invitations;
    this.#blocks = blocks;
    this.#keysOfRoom = keysOfRoom;
    this.#keep = keep;
    this.#log = log;
    this.#runs = new Repeated(
      () => this.#sweep(),
      LOOK,
      (err) => log.debug({ err }, "could not sweep the guests; trying again"),
    );
  }

  /** Stops sweeping. Resolves once the current step has finished. */
  async stop(): Promise<void> {
    await this.#runs.stop();
  }

  async #sweep(): Promise<void> {
    this.#listed ||= await this.#listAll();
    for (let due: string[] = []; !this.#runs.stopped; await delay(STEP_PAUSE)) {
      due = await this.#scripts.run("guest_due", { guests: userKeys.guests }, { most: PORTION, lease: LEASE });
      for (const id of due) {
        if (this.#runs.stopped) return; // once the lease has run out, another server claims the rest
        await this.#lookAt(id as UserId).catch((error: unknown) => {
          if (isRedisAway(error)) throw error;
          this.#log.warn({ guest: id, error: String(error) }, "could not forget a guest; trying again");
        });
      }
      if (due.length < PORTION) return;
    }
  }

  /**
   * Lists the guests that are older than the list. Done once per database: newer guests are listed before they exist.
   * @returns whether all are listed
   */
  async #listAll(): Promise<boolean> {
    if ((await this.#redis.exists(userKeys.totalUsers)) === 0 || (await this.#redis.hget(userKeys.indexed, "guests")) !== null) return true;
    for await (const ids of this.#users.guests()) {
      if (this.#runs.stopped) return false;
      for (const id of ids) await this.#redis.zadd(userKeys.guests, "NX", 0, id);
      await delay(STEP_PAUSE);
    }
    await this.#redis.hset(userKeys.indexed, "guests", 1);
    return true;
  }

  async #lookAt(id: UserId): Promise<void> {
    const itsKeys = { user: userKeys.user(id), sessions: userKeys.sessions(id) };
    const [what, detail] = await this.#scripts.run("guest_look", itsKeys, { keep: this.#keep });
    if (what === "STAYS") return this.#guests.schedule(id, detail);
    if (what === "REGISTERING") {
      if ((await this.#users.idOf(detail)) === id) return this.#guests.completeRegistration(id, detail);
      await this.#guests.undoRegistration(id);
      return this.#guests.schedule(id, 0);
    }
    if (what === "ENDS") {
      const again = detail === 1;
      if (!(await this.#leaveRooms(id))) return;
      if (!again) return this.#guests.schedule(id, SECOND_PASS);
      await this.#forget(id);
    }
    if (what === "FORGOTTEN") await this.#redis.unlink(userKeys.userRooms(id)); // interrupted before that, or handled by two servers
    await this.#redis.zrem(userKeys.guests, id);
  }

  /** @returns false if it was interrupted. The user's list of rooms stays until the end, because it shows what is left to do. */
  async #leaveRooms(id: UserId): Promise<boolean> {
    const rooms = (await this.#redis.smembers(userKeys.userRooms(id))) as RoomId[];
    for (let at = 0; at < rooms.length; at += ROOMS_AT_ONCE) {
      if (this.#runs.stopped) return false;
      await Promise.all(rooms.slice(at, at + ROOMS_AT_ONCE).map((roomId) => this.#leaveRoom(roomId, id)));
      await delay(STEP_PAUSE);
    }
    await this.#redis.hdel(roomKeys.reads(GENERAL), id);
    await this.#invitations.endAllOf(id);
    await this.#blocks.forget(id);
    return true;
  }

  async #leaveRoom(roomId: RoomId, id: UserId): Promise<void> {
    const other = privatePair(roomId)?.find((user) => user !== id);
    if (other !== undefined) {
      await this.#redis.srem(roomKeys.opened(other), roomId);
      await this.#redis.srem(userKeys.userRooms(other), roomId); // from here on, no one can write in the room
      await this.#redis.unlink(...this.#keysOfRoom(roomId));
      await this.#roomList.forget(roomId);
    } else if (isGroup(roomId)) {
      await this.#redis.hdel(roomKeys.reads(roomId), id); // first: a user who has left does not have the room in the list any more
      await this.#groups.leave(roomId, id).catch((error: unknown) => {
        if (!isRefusal(error, "NOT_A_MEMBER")) throw error; // the second pass finds them gone
      });
    }
  }

  async #forget(id: UserId): Promise<void> {
    // The online users first: a demo app fails on an online user without data.
    await this.#redis.srem(presenceKeys.onlineUsers, id);
    await this.#redis.srem(presenceKeys.announced, id);
    await this.#redis.hdel(presenceKeys.onlineVersions, id);
    const itsKeys = {
      user: userKeys.user(id),
      sessions: userKeys.sessions(id),
      details: userKeys.sessionDetails(id),
      presence: presenceKeys.presence(id),
      sends: userKeys.sends(id),
      marks: readKeys.marks(id),
      opened: roomKeys.opened(id),
      blocked: blockKeys.blocked(id),
      invitations: invitationKeys.invitations(id),
      inviting: invitationKeys.inviting(id),
    };
    if ((await this.#scripts.run("guest_forget", itsKeys, {})) === 1) await this.#redis.unlink(userKeys.userRooms(id));
  }
}
