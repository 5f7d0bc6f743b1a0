// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Set a user's new password and end all sessions except one, because people who knew the old password may have started the others. Notifies the servers, which check their sockets. @throws ChatError INVALID_CREDENTIALS, UNAUTHENTICATED */
    password_change: {
      keys: "user" | "sessions" | "details";
      args: { oldHash: string; newHash: string; tokenHash: string };
      result: 1;
    };
    /** Store another hash of the same password, unless the password has changed since it was checked. */
    password_renew: {
      keys: "user";
      args: { oldHash: string; newHash: string };
      result: 0 | 1;
    };
    /** End one of a user's sessions, or all. Notifies the servers, which check their sockets. A guest without a session has ended. */
    session_end: {
      keys: "sessions" | "details" | "user";
      args: { by: "TOKEN" | "ID" | "ALL"; which: string };
      result: number;
    };
    /** Read the remaining time of a token's session, without prolonging it. A session ends with its account. */
    session_find: {
      keys: "sessions" | "user";
      args: { tokenHash: string };
      result: number | null;
    };
    /** Read a user's open sessions. */
    session_list: {
      keys: "sessions" | "details";
      args: Record<string, never>;
      result: string[];
    };
    /** Replace a session's token. The old token ends in the same step, so of several concurrent calls with it, only one gets a new token. Notifies the servers, which check their sockets. The session keeps its absolute end. @throws ChatError UNAUTHENTICATED */
    session_refresh: {
      keys: "sessions" | "details" | "user";
      args: { oldHash: string; newHash: string; accountTtl: number; guestTtl: number; lifetime: number };
      result: [expiry: string, id: string];
    };
    /** Start a session, and delete the user's expired sessions. If the user then has too many, evicts those that end first and notifies the servers, which check their sockets. @throws ChatError INVALID_CREDENTIALS */
    session_start: {
      keys: "sessions" | "details" | "user";
      args: { tokenHash: string; id: string; kind: "account" | "guest"; ttl: number; most: number; passwordHash: string };
      result: number;
    };
    /** Find a token's session, record the use, and prolong the session up to its absolute end. A session ends with its account. */
    session_use: {
      keys: "sessions" | "details" | "user";
      args: { tokenHash: string; accountTtl: number; guestTtl: number; lifetime: number; pause: number };
      result: [id: string, kind: "account" | "guest", left: number] | null;
    };
  }
}

export {};
