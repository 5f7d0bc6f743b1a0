import type { UserId } from "../util/ids.js";

/** An emoji with which users reacted to a message. */
export interface ReactionRecord {
  emoji: string;
  /** Number of users who reacted with it. */
  count: number;
  /** The first of these users, at most 100. */
  userIds: UserId[];
}

/** Parses the reactions of a message in the form that `message_react` stores, and drops malformed ones. */
export function readReactions(value: unknown): ReactionRecord[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((reaction: unknown) => {
    const [emoji, count, userIds] = Array.isArray(reaction) ? reaction : [];
    return typeof emoji === "string" && Number.isInteger(count) && Array.isArray(userIds)
      ? [{ emoji, count, userIds: userIds.filter((id): id is UserId => typeof id === "string") }]
      : [];
  });
}
