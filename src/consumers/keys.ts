/**
 * | key | type | holds |
 * |---|---|---|
 * | `hints:{CONSUMER}` | stream | rooms in which something waits for the consumer; its group `workers` has the processes that run it |
 * | `waiting:{CONSUMER}` | hash | room → its entry in `hints`, until a process picks it up |
 * | `dead:{CONSUMER}` | stream | dead letters: what the consumer gave up |
 * | `sweeping:{CONSUMER}` | string | the process that looks for what waits without a hint; expires |
 */
export const consumerKeys = {
  hints: (consumer: string) => `hints:{${consumer}}`,
  waiting: (consumer: string) => `waiting:{${consumer}}`,
  deadLetters: (consumer: string) => `dead:{${consumer}}`,
  sweeping: (consumer: string) => `sweeping:{${consumer}}`,
} as const;
