import { randomBytes } from "node:crypto";
import type { RedisClient } from "../redis/connect.js";
import type { Passwords } from "../sessions/password.js";
import type { UserStore } from "../users/user.store.js";
import { ASSISTANT_NAME } from "../users/username.store.js";
import { CannotStart } from "../util/cannot-start.js";
import { isRefusal } from "../util/errors.js";
import type { UserId } from "../util/ids.js";
import { assistantKeys } from "./keys.js";

/** The assistant cannot have an account. The message says why, and what to do. */
export class AssistantUnusable extends CannotStart {}

const PASSWORD = 32; // random bytes, stored nowhere, so that no person can log in

/**
 * Finds the assistant's account, or creates it. Several workers may do so at once, and any of them may die midway: the username decides
 * which account counts, and an account is marked as the assistant's before the username points at it. An existing account keeps the
 * username with which it was created.
 * @returns its user id
 * @throws AssistantUnusable if the username belongs to a person
 */
export async function assistantAccount(redis: RedisClient, users: UserStore, passwords: Passwords, username: string): Promise<UserId> {
  const known = (await redis.get(assistantKeys.assistant)) as UserId | null;
  if (known !== null && (await users.isAssistants(known))) return known;

  const id = (await users.idOf(username)) ?? (await make(users, passwords, username)) ?? (await users.idOf(username));
  if (id === undefined || !(await users.isAssistants(id)))
    throw new AssistantUnusable(
      `The username ${username} already belongs to a person, or looks like one that does, so the assistant cannot have it. Choose another one with ASSISTANT_USERNAME (--assistant-username).`,
    );
  await users.list(id); // again, in case the worker that created it died first
  await redis.set(assistantKeys.assistant, id);
  return id;
}

/** @returns undefined if the username was taken first */
async function make(users: UserStore, passwords: Passwords, username: string): Promise<UserId | undefined> {
  const passwordHash = await passwords.hash(randomBytes(PASSWORD).toString("base64url"));
  try {
    return await users.register({ username, passwordHash, name: ASSISTANT_NAME, email: null, assistant: true });
  } catch (error) {
    if (isRefusal(error, "USERNAME_TAKEN")) return undefined;
    throw error;
  }
}
