// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Add a user to another user's block list, unless the list is full. */
    block_list: {
      keys: "blocked";
      args: { user: string; most: number };
      result: 0 | 1;
    };
  }
}

export {};
