/**
 * | key | type | holds |
 * |---|---|---|
 * | `assistant` | string | the assistant's user id |
 * | `requests:{assistant}` | stream | rooms with questions, for the workers |
 * | `waiting:{assistant}` | hash | room → its entry in `requests`, until a worker picks it up |
 * | `dead:{assistant}` | stream | dead letters: questions that the workers gave up |
 * | `replies:{assistant}` | hash | number of ended answers, by state |
 * | `sweeping:{assistant}` | string | the worker that sweeps for questions without a request; expires |
 */
export const assistantKeys = {
  assistant: "assistant",
  requests: "requests:{assistant}",
  waiting: "waiting:{assistant}",
  deadLetters: "dead:{assistant}",
  replies: "replies:{assistant}",
  sweeping: "sweeping:{assistant}",
} as const;
