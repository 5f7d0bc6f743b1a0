import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { isRefusal, refusal } from "../errors.js";
import type { Lenient, RedisClient } from "../redis/connect.js";
import { GENERAL, keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import type { NewUser, UserStore } from "./user.store.js";
import type { UserIds } from "./user-ids.js";

/** The session of a guest that goes on as an account's under a new token. */
export interface SessionMove {
  /** SHA-256 of the tokens, hexadecimal. */
  oldHash: string;
  newHash: string;
  /** Seconds that the account's session lasts. */
  ttl: number;
}

const LEASE = 10_000; // ms after which a registration that was cut off gives way to another attempt
const PAUSE = 50; // ms between two looks whether another attempt has ended
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

  /** @param times seconds: what a guest's session lasts, and how long a guest is kept after it ended */
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
   * Makes a user without an account. Demo apps show the username, so the chosen name is in it. With its space no one can sign up
   * with it, and no key points from it to the user, so that no one can log in with it, here or at a demo app. Guests are not
   * listed in `users`.
   * @param name what others see
   * @returns the id
   */
  async join(name: string): Promise<string> {
    // First, as a demo app that finds a user counter takes for granted that the general room has a name.
    await this.#lenient(this.#redis.set(keys.roomName(GENERAL), "General", "NX"), null);
    const createdAt = new Date().toISOString();
    const id = await this.#ids.claim(
      (id) => ({ username: `${name} (guest ${id})`, name, guest: 1, createdAt }),
      // Before the guest is there, so that one whose joining is cut off is forgotten like any other.
      (id) => this.schedule(id, this.#ttl + this.#keep),
    );
    await this.#redis.sadd(keys.userRooms(id), GENERAL);
    return id;
  }

  /** Notes that a guest has left, to be forgotten in time. */
  async left(id: string): Promise<void> {
    await this.schedule(id, this.#keep);
  }

  /** Schedules a look at a guest, `after` seconds from now. */
  async schedule(id: string, after: number): Promise<void> {
    await this.#scripts.run("guest_schedule", [keys.guests], [id, after]);
  }

  /**
   * Makes an account of a guest, who keeps their id and what they have. In this order: the password and what the account is to be
   * are noted, the username is claimed, the guest becomes the account, and it is listed. Cut off before the name was claimed,
   * nothing has happened; cut off after, a login with the new password completes it, as does the same call again. Of several
   * attempts at once one is under way, and the others wait for what becomes of it.
   * @returns when the session ends (ms), and its id
   * @throws ChatError UNAUTHENTICATED where the session is over, or another attempt was first; USERNAME_TAKEN; RATE_LIMITED
   */
  async becomeAccount(
    id: string,
    { username, passwordHash, name, email }: NewUser,
    session: SessionMove,
  ): Promise<{ expiry: number; sessionId: string }> {
    const attempt = randomBytes(9).toString("base64url");
    const account = JSON.stringify({ username, ...(name && { name }), ...(email && { email }) });
    await this.#users.names.catchUp();
    let before: string | null = null;
    for (;;) {
      const args = [session.oldHash, attempt, LEASE, passwordHash, account];
      before = (await this.#scripts.run("guest_register", [keys.user(id), keys.sessions(id)], args)) as string | null;
      if (before !== null) break;
      await delay(PAUSE);
    }
    if (before !== "") await this.#users.releaseName(id, before);

    if (!(await this.#users.claimName(id, username))) {
      await this.#scripts.run("guest_give_up", [keys.user(id)], [attempt]);
      throw refusal("USERNAME_TAKEN", username);
    }
    try {
      const [expiry, sessionId] = await this.#become(id, attempt, session);
      await this.#complete(id, username);
      return { expiry: Number(expiry), sessionId };
    } catch (error) {
      if (isRefusal(error, "UNAUTHENTICATED")) await this.#withdraw(id, attempt, username);
      throw error;
    }
  }

  /** Completes a registration that was cut off once its name was claimed. */
  async completeRegistration(id: string, username: string): Promise<void> {
    try {
      await this.#become(id, "", NO_SESSION);
    } catch (error) {
      if (!isRefusal(error, "UNAUTHENTICATED")) throw error; // completed by now
    }
    await this.#complete(id, username);
  }

  /** Undoes a registration that was cut off before its name was claimed. */
  async undoRegistration(id: string): Promise<void> {
    await this.#scripts.run("guest_give_up", [keys.user(id)], [""]);
  }

  async #become(id: string, attempt: string, { oldHash, newHash, ttl }: SessionMove): Promise<[string, string]> {
    const userKeys = [keys.user(id), keys.sessions(id), keys.sessionDetails(id)];
    return (await this.#scripts.run("guest_become_account", userKeys, [attempt, oldHash, newHash, ttl])) as [string, string];
  }

  async #complete(id: string, username: string): Promise<void> {
    await this.#users.claimName(id, username); // an attempt that was overtaken may have given it up
    await this.#users.list(id);
    await this.#redis.zrem(keys.guests, id);
  }

  /** The name before the password: a demo app that finds a user by a name takes a password for granted. */
  async #withdraw(id: string, attempt: string, username: string): Promise<void> {
    const [current, claim] = await this.#redis.hmget(keys.user(id), "username", "claim");
    const claimed = claim ? (JSON.parse(claim) as { attempt: string; username: string }) : undefined;
    if (current !== username && (claimed?.attempt === attempt || claimed?.username !== username))
      await this.#users.releaseName(id, username);
    await this.#scripts.run("guest_give_up", [keys.user(id)], [attempt]);
  }
}
