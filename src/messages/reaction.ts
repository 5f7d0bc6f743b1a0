/** An emoji that users put to a message. */
export interface ReactionRecord {
  emoji: string;
  /** How many users. */
  count: number;
  /** The first of them, at most 100. */
  userIds: string[];
}

/** Reads the reactions of a message, as `message_react` stores them; what does not look like them is left out. */
export function readReactions(value: unknown): ReactionRecord[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((reaction: unknown) => {
    const [emoji, count, userIds] = Array.isArray(reaction) ? reaction : [];
    return typeof emoji === "string" && Number.isInteger(count) && Array.isArray(userIds)
      ? [{ emoji, count, userIds: userIds.filter((id) => typeof id === "string") }]
      : [];
  });
}
