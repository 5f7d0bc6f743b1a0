/**
 * | key | type | holds |
 * |---|---|---|
 * | `assistant` | string | the assistant's user id |
 * | `replies:{assistant}` | hash | number of ended answers, by state |
 */
/** Names the consumer that answers. */
export const ASSISTANT = "assistant";

export const assistantKeys = {
  assistant: "assistant",
  replies: "replies:{assistant}",
} as const;
