// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** End an answer. Stores it as a message, once, and passes its question, in one step, so that a worker that dies cannot leave one without the other. Stores nothing if the question was deleted, the assistant has left the group, or it is blocked. */
    assistant_answer: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "members" | "mentioned" | "reactions" | "reads" | "sent1" | "sent2" | "sent3" | "sent4" | "reply" | "writing" | "cancelled" | "withdrawn";
      args: { newEpoch: string; logLength: string; watched: boolean; roomId: string; from: string; text: string; clientId: string; firstDay: number; replyTo: string; replyScore: string; historyLimit: number; historyDays: number; group: boolean; name: string; fence: string; event: number; user: string; state: "DONE" | "INCOMPLETE" | "CANCELLED"; written: string; incomplete: "TOO_LONG" | "BROKEN_OFF" | "WITHHELD" | "CANCELLED" | ""; problem: string; wanted: readonly string[] };
      result: [day: number] | [message: string, seq: number, epoch: string, at: number, untold: number, stored: 1, first: 0 | 1] | [] | "LOST";
    };
    /** Ask a question again, unless the same attempt waits or has an answer. With a retry id, the call is idempotent for at least 24 hours. */
    assistant_ask_again: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "cancelled" | "withdrawn" | "sent1" | "sent2" | "sent3" | "sent4";
      args: { newEpoch: string; logLength: string; watched: boolean; name: string; question: string; attempt: string; user: string; answer: string; retry: string; firstDay: number };
      result: [day: number] | 0 | 1;
    };
    /** Begin to answer a question whose room the worker holds. Discards what another worker wrote of the answer. */
    assistant_begin: {
      keys: "consumed" | "room" | "reply" | "writing" | "cancelled" | "withdrawn";
      args: { name: string; fence: string; event: number; question: string; user: string };
      result: [state: "OK" | "LOST" | "CANCELLED", written: string];
    };
    /** Cancel a user's questions in a room. The worker that answers one of them ends the answer within a second. */
    assistant_cancel: {
      keys: "consumed" | "log" | "meta" | "reply" | "cancelled" | "withdrawn";
      args: { name: string; user: string };
      result: number;
    };
    /** Give up a question. The caller has already stored it as a dead letter. */
    assistant_fail: {
      keys: "consumed" | "room" | "reply" | "writing";
      args: { name: string; fence: string; event: number; question: string; problem: string };
      result: "OK" | "LOST";
    };
    /** Read the answer that is being written in a room, or that ended a moment ago. */
    assistant_look: {
      keys: "reply" | "writing";
      args: Record<string, never>;
      result: [version: number, question: string, state: "WRITING" | "DONE" | "INCOMPLETE" | "CANCELLED" | "FAILED", problem: string, text: string] | null;
    };
    /** List the questions of a room that wait for the assistant, or are being answered. */
    assistant_waiting: {
      keys: "consumed" | "log" | "cancelled" | "withdrawn";
      args: { name: string };
      result: string[];
    };
    /** Append to an answer and renew the room's lease; with an empty delta, only renew it. */
    assistant_write: {
      keys: "consumed" | "room" | "reply" | "writing" | "cancelled" | "withdrawn";
      args: { name: string; fence: string; lease: number; event: number; user: string; question: string; score: string; edited: number | ""; written: number; delta: string; restart: boolean };
      result: "OK" | "CANCELLED" | "EDITED" | "LOST";
    };
  }
}

export {};
