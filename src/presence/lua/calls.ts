// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Apply a transition of presence_change to the shared set of online users, and publish it. The two are in different slots, so calls of this script may overtake each other: an older transition has no effect. */
    presence_announce: {
      keys: "onlineUsers" | "versions" | "announced";
      args: { user: string; version: number; online: boolean };
      result: 0 | 1;
    };
    /** Store the number of a user's connections on one server, and find out whether the user goes online or offline. Idempotent. */
    presence_change: {
      keys: "presence";
      args: { server: string; count: number };
      result: [version: number, online: 0 | 1];
    };
    /** Read a demo app's change of the shared set of online users, and publish it if subscribers do not know it. A demo app removes a user when any of their tabs there closes: a user who has connections to Palaver is added again. */
    presence_look: {
      keys: "onlineUsers" | "versions" | "announced";
      args: { user: string; version: string | 0 };
      result: [published: 0 | 1, online: 0 | 1, addedAgain: 0 | 1];
    };
  }
}

export {};
