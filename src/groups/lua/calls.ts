// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Add a user to a group room, or invite them. All members may if the room's mayInvite is set. @throws ChatError NOT_A_MEMBER, FORBIDDEN */
    member_add: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "members" | "invited";
      args: { newEpoch: string; logLength: string; watched: boolean; by: string; roles: readonly string[]; user: string; most: number; invites: boolean; lasts: number };
      result: [joined: 0 | 1, inviter: string];
    };
    /** Let a user leave a group room; or remove a member; or withdraw an invitation, which the inviter may do, too. When the last owner leaves, the member who joined first becomes the owner. When the last member leaves, the room's invitations end and its data expires after a day. @throws ChatError NOT_A_MEMBER, FORBIDDEN */
    member_remove: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "members" | "invited";
      restKeys: "others";
      args: { newEpoch: string; logLength: string; watched: boolean; by: string; roles: readonly string[]; user: string; bots: readonly string[] };
      result: [left: 0 | 1, ...ended: string[]];
    };
    /** Rename a group room, or change whether members may add others. @throws ChatError NOT_A_MEMBER, FORBIDDEN */
    room_change: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "members";
      args: { newEpoch: string; logLength: string; watched: boolean; by: string; roles: readonly string[]; name: string; mayInvite: boolean | "" };
      result: 1;
    };
    /** Create a group room with its first members and invitations, once: a repeated call changes nothing, even if all members have left since. Until the first call the room's id refers to nothing. */
    room_create: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "members" | "made" | "invited";
      args: { newEpoch: string; logLength: string; watched: boolean; name: string; mayInvite: boolean; owner: string; others: readonly string[]; strangers: readonly string[]; remembered: number; lasts: number };
      result: 0 | 1;
    };
  }
}

export {};
