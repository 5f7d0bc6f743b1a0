// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Move a consumer's place behind an event that it has handled, or behind the end of a log that it has caught up with. */
    consumer_pass: {
      keys: "consumed" | "meta";
      args: { name: string; fence: string; event: number; caughtUp: boolean };
      result: "OK" | "LOST";
    };
    /** Release a room before its event is handled, so that another process can start again. The try does not count. */
    consumer_release: {
      keys: "consumed";
      args: { name: string; fence: string; event: number };
      result: 0 | 1;
    };
    /** Hold a room and begin with the first event that the consumer has not handled; or release the room if there is none. Both happen in one step with the check, so a later event finds the room free. The same fence may take again after each event. */
    consumer_take: {
      keys: "consumed" | "log" | "meta";
      args: { name: string; fence: string; lease: number };
      result: [state: "HELD", ms: number] | [state: "NOTHING"] | [state: "MORE"] | [state: "BEHIND", since: number, last: number] | [state: "TAKEN", event: string, seq: number, tries: number];
    };
    /** Tell a consumer that something waits for it in a room, unless such a hint is already waiting. */
    hint_add: {
      keys: "hints" | "waiting";
      args: { roomId: string };
      result: 0 | 1;
    };
    /** Remove a hint that was followed. */
    hint_end: {
      keys: "hints";
      args: { group: string; id: string };
      result: 0 | 1;
    };
    /** Return the open hints of a process that stops, so that other processes get them at once. */
    hint_hand_over: {
      keys: "hints";
      args: { group: string; runner: string };
      result: number;
    };
    /** Take over the hints of processes that died. Removes such processes from the group once they have no hints. */
    hint_take_over: {
      keys: "hints";
      args: { group: string; runner: string; idle: number; count: number };
      result: [id: string, fields: Array<string>][];
    };
  }
}

export {};
