// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Delete all data of an ended guest except the name, which demo apps show next to the guest's messages, and the field `ended`. */
    guest_forget: {
      keys: "user" | "sessions" | "details" | "presence" | "sends" | "marks" | "opened" | "blocked" | "invitations" | "inviting";
      args: Record<string, never>;
      result: 0 | 1;
    };
    /** Check whether a guest ended long enough ago to be forgotten, and record that forgetting has begun. */
    guest_look: {
      keys: "user" | "sessions";
      args: { keep: number };
      result: [state: "NO_GUEST" | "FORGOTTEN", none: ""] | [state: "STAYS", seconds: number] | [state: "REGISTERING", username: string] | [state: "ENDS", again: 0 | 1];
    };
  }
}

export {};
