// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Check whether two users have both written in their private room, and whether either blocks the other. */
    pair_look: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed";
      args: { newEpoch: string; logLength: string; watched: boolean; user: string; other: string };
      result: [bothWrote: 0 | 1, otherBlocksUser: 0 | 1, userBlocksOther: 0 | 1];
    };
    /** Add a room to a list of a user, unless the list is full: a group to the user's rooms, a private room to those that the user opened. */
    room_enlist: {
      keys: "rooms";
      args: { roomId: string; group: boolean; most: number };
      result: 0 | 1;
    };
  }
}

export {};
