import { createHash, randomBytes } from "node:crypto";
import { userIdInToken, type Viewer } from "../api/sessions.js";
import type { Scripts } from "../redis/scripts.js";
import type { GuestStore } from "../users/guest.store.js";
import { userKeys } from "../users/keys.js";
import { type Credentials, checkEmail, checkName, checkNewUsername, type NewUser, type UserStore } from "../users/user.store.js";
import { foldedName } from "../users/username.store.js";
import { badInput, isRefusal, refusal } from "../util/errors.js";
import type { UserId } from "../util/ids.js";
import type { Address, Attempts } from "./attempts.js";
import { checkNewPassword, type Passwords } from "./password.js";

export interface Registration {
  username: string;
  password: string;
  name?: string | null;
  email?: string | null;
}

export interface StartedSession {
  id: string;
  token: string;
  expiresAt: Date;
  userId: UserId;
}

/** A session as its user sees it in a list. */
export interface OpenSession {
  id: string;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
  /** Whether it is the session of the request. */
  current: boolean;
}

type Kind = "account" | "guest";

const MOST_SESSIONS = 100; // per user; one more login ends the session that would expire first
const LONGEST_PAUSE = 60; // seconds in which further uses of a session write nothing
const MOST_CHECKS = 3; // of a password, because another login may renew the hash during a check
/** Logins. A token is `<user id>.<256 random bits>`; Redis holds its SHA-256 only. */
export class SessionStore {
  readonly #scripts: Scripts;
  readonly #users: UserStore;
  readonly #guests: GuestStore;
  readonly #passwords: Passwords;
  readonly #attempts: Attempts;
  readonly #ttl: Record<Kind, number>;
  readonly #lifetime: number;
  readonly #pause: number;

  /** @param ttl in seconds: how long a login and a guest's session last after their last use, and how long any session lasts at most */
  constructor(
    scripts: Scripts,
    { users, guests }: { users: UserStore; guests: GuestStore },
    passwords: Passwords,
    attempts: Attempts,
    ttl: { sessionTtl: number; guestTtl: number; sessionLifetime: number },
  ) {
    this.#scripts = scripts;
    this.#users = users;
    this.#guests = guests;
    this.#passwords = passwords;
    this.#attempts = attempts;
    this.#lifetime = ttl.sessionLifetime;
    this.#ttl = { account: Math.min(ttl.sessionTtl, this.#lifetime), guest: Math.min(ttl.guestTtl, this.#lifetime) };
    this.#pause = Math.min(LONGEST_PAUSE, ttl.sessionTtl / 20, ttl.guestTtl / 20);
  }

  /**
   * @param address the client's, as limits count it; here and below
   * @throws ChatError BAD_USER_INPUT, USERNAME_TAKEN, RATE_LIMITED
   */
  async register(registration: Registration, address: Address): Promise<StartedSession> {
    const account = await this.#newAccount(registration, address);
    const userId = await this.#users.register(account);
    return this.#start(userId, "account", account.passwordHash);
  }

  /**
   * Turns the calling guest into an account. They keep their id, rooms and history, and their session under a new token; the old token is
   * invalid from then on.
   * @throws ChatError BAD_USER_INPUT, USERNAME_TAKEN, RATE_LIMITED, UNAUTHENTICATED
   */
  async registerGuest(viewer: Viewer, registration: Registration, address: Address): Promise<{ session: StartedSession; viewer: Viewer }> {
    const account = await this.#newAccount(registration, address, viewer.id);
    const token = newToken(viewer.id);
    const tokenHash = sha256(token);
    const move = { oldHash: viewer.tokenHash, newHash: tokenHash, ttl: this.#ttl.account };
    const { expiry, sessionId: id } = await this.#guests.becomeAccount(viewer.id, account, move);
    return {
      session: { id, token, expiresAt: new Date(expiry), userId: viewer.id },
      viewer: { ...viewer, tokenHash, guest: false },
    };
  }

  /**
   * Logs in with a username in any letter case and Unicode form.
   * @throws ChatError INVALID_CREDENTIALS, the same for an unknown name and a wrong password; RATE_LIMITED
   */
  login(username: string, password: string, address: Address): Promise<StartedSession> {
    return this.#guess(
      { username, password, address, find: () => this.#users.credentials(username) },
      async ({ id, username: exact, unfinished, passwordHash }, form) => {
        if (unfinished) await this.#guests.completeRegistration(id, exact);
        else await this.#users.list(id);
        const session = await this.#start(id, "account", passwordHash);
        await this.#renew(id, passwordHash, form);
        return session;
      },
    );
  }

  /**
   * Makes a guest, and starts their session.
   * @throws ChatError BAD_USER_INPUT, RATE_LIMITED
   */
  async joinAsGuest(name: string, address: Address): Promise<StartedSession> {
    this.#checkName(name);
    await this.#attempts.joinAsGuest(address);
    return this.#start(await this.#guests.join(name), "guest", "");
  }

  /**
   * The viewer with this token; null if the token is malformed, unknown or expired. The call prolongs the session, which is written at most
   * once a minute.
   */
  async viewer(token: string): Promise<Viewer | null> {
    const userId = userIdInToken(token);
    return userId === undefined ? null : ((await this.#use(userId, sha256(token)))?.viewer ?? null);
  }

  /** Whether the viewer's session is still valid. The call counts as use. */
  async use({ id, tokenHash }: Viewer): Promise<boolean> {
    return (await this.#use(id, tokenHash)) !== null;
  }

  /** Uses the viewer's session. @returns how long it lasts from then on, in ms; undefined if it has ended */
  async prolong({ id, tokenHash }: Viewer): Promise<number | undefined> {
    return (await this.#use(id, tokenHash))?.left;
  }

  /** How often a session that carries something running is used, in ms. */
  usedEvery({ guest }: Viewer): number {
    return 1_000 * Math.min(LONGEST_PAUSE, this.#ttl[guest ? "guest" : "account"] / 10);
  }

  /** How long the viewer's session lasts if it is not used any more, in ms; undefined if it has ended. */
  async timeLeft({ id, tokenHash }: Viewer): Promise<number | undefined> {
    return (await this.#scripts.run("session_find", this.#keysOf(id), { tokenHash })) ?? undefined;
  }

  /** The viewer's sessions, most recently used first. */
  async list(viewer: Viewer): Promise<OpenSession[]> {
    const found = await this.#scripts.run("session_list", this.#keysOf(viewer.id), {});
    const sessions: OpenSession[] = [];
    for (let at = 0; at < found.length; at += 3) {
      const [tokenHash, expiry, details = ""] = found.slice(at, at + 3);
      const [id = "", , created, seen] = details.split(" ");
      const [expiresAt, createdAt, lastSeenAt] = [expiry, created, seen].map((ms) => new Date(Number(ms))) as [Date, Date, Date];
      sessions.push({ id, createdAt, lastSeenAt, expiresAt, current: tokenHash === viewer.tokenHash });
    }
    return sessions.sort((one, other) => other.lastSeenAt.getTime() - one.lastSeenAt.getTime());
  }

  /**
   * Replaces the token of the viewer's login. The old token is invalid from then on, and what it carried ends.
   * @throws ChatError UNAUTHENTICATED
   */
  async refresh(viewer: Viewer): Promise<{ session: StartedSession; viewer: Viewer }> {
    const token = newToken(viewer.id);
    const tokenHash = sha256(token);
    const [expiry, id] = await this.#scripts.run("session_refresh", this.#keysOf(viewer.id), {
      oldHash: viewer.tokenHash,
      newHash: tokenHash,
      accountTtl: this.#ttl.account,
      guestTtl: this.#ttl.guest,
      lifetime: this.#lifetime,
    });
    return {
      session: { id, token, expiresAt: new Date(Number(expiry)), userId: viewer.id },
      viewer: { ...viewer, tokenHash },
    };
  }

  /** Ends the viewer's session, or all of the user's, and what they carried on any server. */
  async end({ id, tokenHash, guest }: Viewer, everywhere: boolean): Promise<void> {
    await this.#end(id, everywhere ? "ALL" : "TOKEN", tokenHash);
    if (guest) await this.#guests.left(id);
  }

  /** Ends one of the viewer's sessions. @throws ChatError NOT_FOUND */
  async endOne(viewer: Viewer, sessionId: string): Promise<void> {
    const ended = await this.#end(viewer.id, "ID", sessionId);
    if (viewer.guest) await this.#guests.left(viewer.id);
    if (ended === 0) throw refusal("NOT_FOUND", `You have no session ${sessionId.slice(0, 32)}. Query \`sessions\` for the current ones.`);
  }

  /**
   * Sets the viewer's password, and ends all of their other sessions.
   * @throws ChatError BAD_USER_INPUT, INVALID_CREDENTIALS if the current password is wrong, FORBIDDEN for a guest, RATE_LIMITED
   */
  async changePassword(
    { id, tokenHash, guest }: Viewer,
    { current, next }: { current: string; next: string },
    address: Address,
  ): Promise<void> {
    if (guest) throw refusal("FORBIDDEN", "A guest has no password. Register an account to have one.");
    const [user] = await this.#users.byIds([id]);
    checkNewPassword(next, "new", user ?? { username: "" });
    if (current.normalize() === next.normalize()) throw badInput("new", "must differ from the current password.");
    // A stolen session must not make the password easier to guess than a login does.
    const guess = { username: user?.username ?? "", password: current, address, find: () => this.#users.credentialsOf(id) };
    await this.#guess(guess, async (account) => {
      const newHash = await this.#passwords.hash(next);
      await this.#scripts.run("password_change", this.#keysOf(id), { oldHash: account.passwordHash, newHash, tokenHash });
    });
  }

  /**
   * Checks a password, then calls `then`, which fails with INVALID_CREDENTIALS if the hash has changed since the check. In that case the
   * password is checked again, because another login may have renewed the hash.
   */
  #guess<T>(
    {
      username,
      password,
      address,
      find,
    }: { username: string; password: string; address: Address; find: () => Promise<Credentials | undefined> },
    then: (account: Credentials, form: string) => Promise<T>,
  ): Promise<T> {
    return this.#attempts.guess(foldedName(username), address, async () => {
      for (let check = 1; ; check++) {
        const account = await find();
        const form = await this.#passwords.match(password, account);
        if (form === undefined || !account) throw refusal("INVALID_CREDENTIALS");
        try {
          return await then(account, form);
        } catch (error) {
          if (check === MOST_CHECKS || !isRefusal(error, "INVALID_CREDENTIALS")) throw error;
        }
      }
    });
  }

  /** Renews the hash of a password if hashes cost more now than when it was made. */
  async #renew(id: UserId, passwordHash: string, form: string): Promise<void> {
    try {
      const renewed = await this.#passwords.renewed(form, passwordHash);
      if (renewed === undefined) return;
      await this.#scripts.run("password_renew", { user: userKeys.user(id) }, { oldHash: passwordHash, newHash: renewed });
    } catch {
      // The user is logged in; the next login tries again.
    }
  }

  /**
   * Checks and counts a registration.
   * @param guestId the guest who registers, and may have claimed the name in an interrupted attempt
   */
  async #newAccount({ username, password, name, email }: Registration, address: Address, guestId?: string): Promise<NewUser> {
    checkNewUsername(username);
    this.#users.names.checkUsername(username);
    checkNewPassword(password, "password", { username, name, email });
    if (name != null) this.#checkName(name);
    if (email != null) checkEmail(email);
    await this.#attempts.signUp(address);
    if (await this.#users.names.isTaken(username, guestId)) throw refusal("USERNAME_TAKEN", username);
    return { username, passwordHash: await this.#passwords.hash(password), name: name ?? null, email: email ?? null };
  }

  /** @throws ChatError BAD_USER_INPUT unless this can be a display name */
  #checkName(name: string): void {
    checkName(name);
    this.#users.names.checkName(name);
  }

  async #start(userId: UserId, kind: Kind, passwordHash: string): Promise<StartedSession> {
    const token = newToken(userId);
    const id = randomBytes(12).toString("base64url");
    const expiry = await this.#scripts.run("session_start", this.#keysOf(userId), {
      tokenHash: sha256(token),
      id,
      kind,
      ttl: this.#ttl[kind],
      most: MOST_SESSIONS,
      passwordHash,
    });
    return { id, token, expiresAt: new Date(expiry), userId };
  }

  async #use(userId: UserId, tokenHash: string): Promise<{ viewer: Viewer; left: number } | null> {
    const found = await this.#scripts.run("session_use", this.#keysOf(userId), {
      tokenHash,
      accountTtl: this.#ttl.account,
      guestTtl: this.#ttl.guest,
      lifetime: this.#lifetime,
      pause: this.#pause,
    });
    if (!found) return null;
    const [sessionId, kind, left] = found;
    return { viewer: { id: userId, tokenHash, sessionId, guest: kind === "guest" }, left };
  }

  #end(userId: UserId, by: "TOKEN" | "ID" | "ALL", which: string): Promise<number> {
    return this.#scripts.run("session_end", this.#keysOf(userId), { by, which });
  }

  /** The keys of the sessions, of their details, and of the user's hash, which is also the name of the channel for their ends. */
  #keysOf(userId: UserId): Record<"sessions" | "details" | "user", string> {
    return { sessions: userKeys.sessions(userId), details: userKeys.sessionDetails(userId), user: userKeys.user(userId) };
  }
}

const newToken = (userId: UserId) => `${userId}.${randomBytes(32).toString("base64url")}`;
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
