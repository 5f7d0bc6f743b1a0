// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
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
