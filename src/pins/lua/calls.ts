// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Pin a message in its room, or unpin it. Pins of messages that are gone make room for new ones. @throws ChatError NOT_A_MEMBER, NOT_FOUND, FORBIDDEN */
    message_pin: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "members" | "pins";
      args: { newEpoch: string; logLength: string; watched: boolean; user: string; roles: readonly string[]; id: string; score: string; on: boolean; most: number; gone: readonly string[] };
      result: [changed: 0 | 1, full: 0 | 1];
    };
  }
}

export {};
