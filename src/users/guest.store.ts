import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { GENERAL } from "../api/ids.js";
import { logKeys } from "../log/keys.js";
import type { Lenient, RedisClient } from "../redis/connect.js";
import type { ScriptCalls, Scripts } from "../redis/scripts.js";
import { isRefusal, refusal } from "../util/errors.js";
import type { UserId } from "../util/ids.js";
import { userKeys } from "./keys.js";
import type { NewUser, UserStore } from "./user.store.js";
import type { UserIds } from "./user-ids.js";

/** A guest's session that continues as an account's, under a new token. */
export interface SessionMove {
  /** SHA-256 of the tokens, hexadecimal. */
  oldHash: string;
  newHash: string;
  /** Seconds that the account's session lasts. */
  ttl: number;
}

const LEASE = 10_000; // ms after which an interrupted registration gives way to another attempt
const CLAIM_PAUSE = 50; // ms between two checks whether another attempt has ended
const NO_SESSION: SessionMove = { oldHash: "", newHash: "", ttl: 0 };

/** The guests: users without an account, who can become one. */
export class GuestStore {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #ids: Pick<UserIds, "claim">;
  readonly #users: UserStore;
  readonly #lenient: Lenient;
  readonly #ttl: number;
  readonly #keep: number;

  /** @param times in seconds: how long a guest's session lasts, and how long a guest is kept after it ended */
  constructor(
    redis: RedisClient,
    scripts: Scripts,
    ids: Pick<UserIds, "claim">,
    users: UserStore,
    lenient: Lenient,
    times: { guestTtl: number; guestKeep: number },
  ) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#ids = ids;
    this.#users = users;
    this.#lenient = lenient;
    this.#ttl = times.guestTtl;
    this.#keep = times.guestKeep;
  }

  /**
   * Makes a user without an account. The username has the chosen name in it, because demo apps show the username. It also has a space, so
   * that no one can sign up with it, and no key points from it to the user, so that no one can log in with it, here or in a demo app.
   * Guests are not listed in `users`.
   * @param name the display name
   * @returns the id
   */
  async join(name: string): Promise<UserId> {
    // First, because a demo app that finds a user counter assumes that the general room has a name.
    await this.#lenient(this.#redis.set(logKeys.roomName(GENERAL), "General", "NX"), null);
    const createdAt = new Date().toISOString();
    const id = await this.#ids.claim(
      (id) => ({ username: `${name} (guest ${id})`, name, guest: 1, createdAt }),
      // Before the guest exists, so that the sweep also forgets a guest whose joining was interrupted.
      (id) => this.schedule(id, this.#ttl + this.#keep),
    );
    await this.#redis.sadd(userKeys.userRooms(id), GENERAL);
    return id;
  }

  /** Schedules a guest who has left to be forgotten. */
  async left(id: UserId): Promise<void> {
    await this.schedule(id, this.#keep);
  }

  /** Schedules the next check of a guest, `after` seconds from now. */
  async schedule(id: UserId, after: number): Promise<void> {
    await this.#scripts.run("guest_schedule", { guests: userKeys.guests }, { user: id, after });
  }

  /**
   * Turns a guest into an account; the user keeps their id and data. The order: the password and the data of the account are stored, the
   * username is claimed, the guest becomes the account, and the account is listed. If this is interrupted before the name was claimed,
   * nothing has happened; after that, a login with the new password completes it, as does a repeated call. Of several attempts at once, one
   * runs, and the others wait for its outcome.
   * @returns when the session ends (ms), and its id
   * @throws ChatError UNAUTHENTICATED if the session has ended, or another attempt was first; USERNAME_TAKEN; RATE_LIMITED
   */
  async becomeAccount(
    id: UserId,
    { username, passwordHash, name, email }: NewUser,
    session: SessionMove,
  ): Promise<{ expiry: number; sessionId: string }> {
    const attempt = randomBytes(9).toString("base64url");
    const account = JSON.stringify({ username, ...(name && { name }), ...(email && { email }) });
    await this.#users.names.catchUp();
    let before: string | null = null;
    for (;;) {
      const itsKeys = { user: userKeys.user(id), sessions: userKeys.sessions(id) };
      const args = { tokenHash: session.oldHash, attempt, lease: LEASE, passwordHash, account };
      before = await this.#scripts.run("guest_register", itsKeys, args);
      if (before !== null) break;
      await delay(CLAIM_PAUSE);
    }
    if (before !== "") await this.#users.releaseName(id, before);

    if (!(await this.#users.claimName(id, username))) {
      await this.#scripts.run("guest_give_up", { user: userKeys.user(id) }, { attempt });
      throw refusal("USERNAME_TAKEN", username);
    }
    try {
      const [expiry, sessionId = ""] = await this.#become(id, attempt, session); // given, because there is a session
      await this.#complete(id, username);
      return { expiry: Number(expiry), sessionId };
    } catch (error) {
      if (isRefusal(error, "UNAUTHENTICATED")) await this.#withdraw(id, attempt, username);
      throw error;
    }
  }

  /** Completes a registration that was interrupted after its name was claimed. */
  async completeRegistration(id: UserId, username: string): Promise<void> {
    try {
      await this.#become(id, "", NO_SESSION);
    } catch (error) {
      if (!isRefusal(error, "UNAUTHENTICATED")) throw error; // it is complete already
    }
    await this.#complete(id, username);
  }

  /** Undoes a registration that was interrupted before its name was claimed. */
  async undoRegistration(id: UserId): Promise<void> {
    await this.#scripts.run("guest_give_up", { user: userKeys.user(id) }, { attempt: "" });
  }

  #become(id: UserId, attempt: string, session: SessionMove): Promise<ScriptCalls["guest_become_account"]["result"]> {
    const itsKeys = { user: userKeys.user(id), sessions: userKeys.sessions(id), details: userKeys.sessionDetails(id) };
    return this.#scripts.run("guest_become_account", itsKeys, { attempt, ...session });
  }

  async #complete(id: UserId, username: string): Promise<void> {
    await this.#users.claimName(id, username); // an attempt that was overtaken may have released it
    await this.#users.list(id);
    await this.#redis.zrem(userKeys.guests, id);
  }

  /** Releases the name before the password: a demo app that finds a user by a name assumes that there is a password. */
  async #withdraw(id: UserId, attempt: string, username: string): Promise<void> {
    const [current, claim] = await this.#redis.hmget(userKeys.user(id), "username", "claim");
    const claimed = claim ? (JSON.parse(claim) as { attempt: string; username: string }) : undefined;
    if (current !== username && (claimed?.attempt === attempt || claimed?.username !== username))
      await this.#users.releaseName(id, username);
    await this.#scripts.run("guest_give_up", { user: userKeys.user(id) }, { attempt });
  }
}
