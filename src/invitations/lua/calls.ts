// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Accept an invitation to a group, which makes the user a member. @throws ChatError NOT_FOUND, FORBIDDEN */
    invitation_accept: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "members" | "invited";
      args: { newEpoch: string; logLength: string; watched: boolean; user: string; most: number; lasts: number };
      result: [joined: 0 | 1, inviter: string];
    };
    /** Count invitations against the inviter's limit of open ones, before they are made. An invitation that is counted already is not counted twice. */
    invitation_count: {
      keys: "inviting";
      args: { roomId: string; users: readonly string[]; most: number; mostEach: number; lasts: number };
      result: "" | "FULL" | `FULL ${string}`;
    };
    /** End a user's invitation to a group. */
    invitation_end: {
      keys: "invited";
      args: { user: string; by: string };
      result: string;
    };
    /** Put a group at the front of a user's list of invitations, before the user is invited, unless the list is full. */
    invitation_list: {
      keys: "invitations";
      args: { roomId: string; most: number; lasts: number };
      result: 0 | 1;
    };
    /** Read what an invited user may know about the group. */
    invitation_look: {
      keys: "meta" | "members" | "invited";
      args: { user: string; lasts: number };
      result: [inviter: string, at: string, name: string, members: number] | [];
    };
  }
}

export {};
