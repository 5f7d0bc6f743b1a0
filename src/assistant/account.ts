import { randomBytes } from "node:crypto";
import { isRefusal } from "../errors.js";
import type { RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { Passwords } from "../sessions/password.js";
import type { UserStore } from "../users/user.store.js";
import { ASSISTANT_NAME } from "../users/username.store.js";

/** The assistant cannot have an account; the message says why, and what to do. */
export class AssistantUnusable extends Error {}

const PASSWORD = 32; // random bytes that nobody knows, so that nobody can log in

/**
 * The assistant's account, made where there is none yet. However many workers do so at once, and wherever one of them dies: its name
 * decides, and it is marked before its name points at it. Under which name it was made does not change later.
 * @returns its user id
 * @throws AssistantUnusable where the name is a person's
 */
export async function assistantAccount(redis: RedisClient, users: UserStore, passwords: Passwords, username: string): Promise<string> {
  const known = await redis.get(keys.assistant);
  if (known !== null && (await users.isAssistants(known))) return known;

  const id = (await users.idOf(username)) ?? (await make(users, passwords, username)) ?? (await users.idOf(username));
  if (id === undefined || !(await users.isAssistants(id)))
    throw new AssistantUnusable(
      `The username ${username} is a person's already, or looks like one that is, so the assistant cannot have it. Give it another one with ASSISTANT_USERNAME (--assistant-username).`,
    );
  await users.list(id); // again, should the one who made it have died before
  await redis.set(keys.assistant, id);
  return id;
}

/** @returns undefined where someone else was first */
async function make(users: UserStore, passwords: Passwords, username: string): Promise<string | undefined> {
  const passwordHash = await passwords.hash(randomBytes(PASSWORD).toString("base64url"));
  try {
    return await users.register({ username, passwordHash, name: ASSISTANT_NAME, email: null, assistant: true });
  } catch (error) {
    if (isRefusal(error, "USERNAME_TAKEN")) return undefined;
    throw error;
  }
}
