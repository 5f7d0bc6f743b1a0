// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Move a user's read marker in a room to a message. The marker never moves back, even if another device asks for it. @throws ChatError NOT_FOUND */
    read_move: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "reads" | "members";
      args: { newEpoch: string; logLength: string; watched: boolean; user: string; messageId: string; score: string; mostTold: number };
      result: [moved: "UNMOVED" | "MOVED" | "TOLD_ALL", now: number];
    };
    /** Count a user's unread messages and mentions in a room. Its cost grows with the logarithm of the room's length. */
    room_unread: {
      keys: "room" | "own" | "mentioned" | "reads" | "members";
      args: { user: string };
      result: [messages: number, mentions: number, readUpTo: string, unnamed: number];
    };
  }
}

export {};
