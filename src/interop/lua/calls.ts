// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Claim the filling of a database with demo data, if it is empty or its filling was cut off. Sets the user counter at once, so that accounts created during the filling get other ids. */
    demo_data_claim: {
      keys: "totalUsers" | "seeding";
      args: { users: number; lease: number };
      result: -1 | 0 | 1;
    };
    /** Publish the messages that wait for the demo apps, in the order of the room's log. It moves their place in the log in the same step, so each message is published once, whichever servers call this and wherever one dies. It needs no lease for that. */
    demos_announce: {
      keys: "room" | "log" | "meta" | "consumed";
      args: { name: string; channel: string; head: string; opens: boolean; opening: string };
      result: "DONE" | "MORE" | "OPENS";
    };
  }
}

export {};
