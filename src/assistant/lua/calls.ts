// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** End an answer. Stores it as a message, once, and removes its question, in one step, so that a worker that dies cannot leave one without the other. Stores nothing if the question was deleted, the assistant has left the group, or it is blocked. */
    assistant_answer: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "asked" | "members" | "mentioned" | "reactions" | "reads" | "sent1" | "sent2" | "sent3" | "sent4" | "reply" | "writing" | "withdrawn";
      args: { newEpoch: string; logLength: string; assistant: string; roomId: string; text: string; clientId: string; firstDay: number; replyTo: string; replyScore: string; historyLimit: number; historyDays: number; group: boolean; fence: string; entry: string; state: "DONE" | "INCOMPLETE" | "CANCELLED"; written: string; incomplete: "TOO_LONG" | "BROKEN_OFF" | "WITHHELD" | "CANCELLED" | ""; problem: string };
      result: [day: number] | [message: string, seq: number, epoch: string, at: number, untold: number, stored: 1, first: 0 | 1] | [] | "LOST";
    };
    /** Add a question to the queue again, unless it is waiting or has an answer. With a retry id, the call is idempotent for at least 24 hours. */
    assistant_ask_again: {
      keys: "asked" | "withdrawn" | "sent1" | "sent2" | "sent3" | "sent4";
      args: { entry: string; answer: string; retry: string; firstDay: number };
      result: [day: number] | 0 | 1;
    };
    /** Cancel a user's questions in a room. A question that is being answered is only marked; its worker then ends the answer. */
    assistant_cancel: {
      keys: "asked" | "reply" | "withdrawn";
      args: { user: string };
      result: number;
    };
    /** Give up a question. The caller has already stored it as a dead letter. */
    assistant_fail: {
      keys: "asked" | "reply" | "writing" | "room";
      args: { fence: string; entry: string; problem: string };
      result: "OK" | "LOST";
    };
    /** Read the answer that is being written in a room, or that ended a moment ago. */
    assistant_look: {
      keys: "reply" | "writing";
      args: Record<string, never>;
      result: [version: number, question: string, state: "WRITING" | "DONE" | "INCOMPLETE" | "CANCELLED" | "FAILED", problem: string, text: string] | null;
    };
    /** Release a room before its question is answered, so that another worker can start again. The try does not count. */
    assistant_release: {
      keys: "reply";
      args: { fence: string; entry: string };
      result: 0 | 1;
    };
    /** Start to answer a room's first question, or release the room if no question is left. Both happen in one step with the check, so a later question finds the room free. The same fence may take again after each answer. */
    assistant_take: {
      keys: "asked" | "reply" | "writing" | "room";
      args: { fence: string; lease: number };
      result: [state: "HELD", ms: number] | [state: "NOTHING"] | [state: "TAKEN", entry: string, tries: number, cancelled: 0 | 1, written: string];
    };
    /** Append to an answer and renew the room's lease; with an empty delta, only renew it. */
    assistant_write: {
      keys: "reply" | "writing" | "room";
      args: { fence: string; lease: number; written: number; delta: string; restart: boolean };
      result: "OK" | "CANCELLED" | "EDITED" | "LOST";
    };
  }
}

export {};
