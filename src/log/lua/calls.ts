// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Find the positions of the events that added messages to a room. */
    log_find: {
      keys: "log" | "meta";
      args: { idsAndTimes: Array<string | number> };
      result: ([seq: number, epoch: string, at: number] | null)[];
    };
    /** Read the events of a room from one on, or the newest ones, and the position of its log. */
    log_read: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed";
      args: { newEpoch: string; logLength: string; watched: boolean; from: number | ""; count: number; size: number };
      result: [seq: number, epoch: string, at: number, events: string[]];
    };
  }
}

export {};
