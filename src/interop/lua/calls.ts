// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Claim the filling of a database with demo data, if it is empty or its filling was cut off. Sets the user counter at once, so that accounts created during the filling get other ids. */
    demo_data_claim: {
      keys: "totalUsers" | "seeding";
      args: { users: number; lease: number };
      result: -1 | 0 | 1;
    };
  }
}

export {};
