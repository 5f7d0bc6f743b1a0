import { createHash, randomBytes } from "node:crypto";
import { refusal } from "../errors.js";
import type { RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import { checkEmail, checkName, checkNewUsername, type UserStore } from "../users/user.store.js";
import { checkNewPassword, type Passwords } from "./password.js";

/** Who is asking: the user of a session that was valid when the operation began. */
export interface Viewer {
  id: string;
  /** SHA-256 of the session's token, hexadecimal. */
  tokenHash: string;
}

export interface Registration {
  username: string;
  password: string;
  name?: string | null;
  email?: string | null;
}

export interface StartedSession {
  token: string;
  expiresAt: Date;
  userId: string;
}

const MOST_SESSIONS = 100; // per user; a login more ends the one that would end first
const TOKEN = /^(?<userId>[1-9]\d{0,14})\.[A-Za-z0-9_-]{43}$/;

/** Logins. A token is `<user id>.<256 random bits>`; Redis holds its SHA-256 only. */
export class SessionStore {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #users: UserStore;
  readonly #passwords: Passwords;
  readonly #ttl: number;

  /** @param ttl seconds that a login lasts */
  constructor(redis: RedisClient, scripts: Scripts, users: UserStore, passwords: Passwords, ttl: number) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#users = users;
    this.#passwords = passwords;
    this.#ttl = ttl;
  }

  /** @throws ChatError BAD_USER_INPUT, USERNAME_TAKEN */
  async register({ username, password, name, email }: Registration): Promise<StartedSession> {
    checkNewUsername(username);
    checkNewPassword(password);
    if (name != null) checkName(name);
    if (email != null) checkEmail(email);
    if (await this.#users.isTaken(username)) throw refusal("USERNAME_TAKEN", username);
    const passwordHash = await this.#passwords.hash(password);
    const userId = await this.#users.register({ username, passwordHash, name: name ?? null, email: email ?? null });
    return this.#start(userId);
  }

  /** @throws ChatError INVALID_CREDENTIALS, the same for an unknown name and a wrong password */
  async login(username: string, password: string): Promise<StartedSession> {
    const account = await this.#users.credentials(username);
    if (!(await this.#passwords.matches(password, account?.passwordHash)) || !account) throw refusal("INVALID_CREDENTIALS");
    await this.#users.list(account.id);
    return this.#start(account.id);
  }

  /** The viewer whose token this is; null for one that is malformed, unknown or over. */
  async viewer(token: string): Promise<Viewer | null> {
    const userId = TOKEN.exec(token)?.groups?.userId;
    if (userId === undefined) return null;
    const viewer = { id: userId, tokenHash: sha256(token) };
    return (await this.isOpen(viewer)) ? viewer : null;
  }

  /** Whether the viewer's session is still going. */
  async isOpen({ id, tokenHash }: Viewer): Promise<boolean> {
    return (await this.#scripts.run("session_find", [keys.sessions(id)], [tokenHash])) !== null;
  }

  /** Ends this session, or all of the user's. */
  async end({ id, tokenHash }: Viewer, everywhere: boolean): Promise<void> {
    if (everywhere) await this.#redis.unlink(keys.sessions(id));
    else await this.#redis.zrem(keys.sessions(id), tokenHash);
  }

  async #start(userId: string): Promise<StartedSession> {
    const token = `${userId}.${randomBytes(32).toString("base64url")}`;
    const expiry = await this.#scripts.run("session_start", [keys.sessions(userId)], [sha256(token), this.#ttl, MOST_SESSIONS]);
    return { token, expiresAt: new Date(Number(expiry)), userId };
  }
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
