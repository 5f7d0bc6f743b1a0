// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Read the events of a room from one on, or the newest ones, and the position of its log. */
    log_read: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed";
      args: { newEpoch: string; logLength: string; watched: boolean; from: number | ""; count: number; size: number };
      result: [seq: number, epoch: string, at: number, events: string[]];
    };
  }
}

export {};
