// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Add the names of a portion of accounts to the directory, record its progress, and release the claim. */
    directory_add: {
      keys: "directory" | "indexed";
      args: { server: string; upTo: number; entries: string };
      result: 0 | 1;
    };
    /** Claim the next portion of accounts that are not in the directory, or not in the list of name skeletons. */
    directory_claim: {
      keys: "totalUsers" | "indexed";
      args: { server: string; lease: number };
      result: [upTo: number, total: number] | null;
    };
    /** Find the users with these usernames, as mentions compare them. */
    directory_mentioned: {
      keys: "directory" | "totalUsers" | "indexed";
      args: { nameKeys: string[] };
      result: [ids: string[], missing: number];
    };
    /** Find the names with a prefix, in order, and count the users who have one. */
    directory_search: {
      keys: "directory" | "totalUsers" | "indexed";
      args: { beginning: string; after: string; before: string; direction: "FORWARD" | "BACKWARD"; count: number; most: number };
      result: [entries: string[], users: number, missing: number];
    };
    /** Let the directory of an older version expire once the current one is complete. If servers of that version still run or return, they index all accounts again after it has expired. */
    directory_supersede: {
      keys: "formerDirectory" | "formerIndexed";
      args: { kept: number };
      result: 0 | 1;
    };
    /** Turn a guest whose username is claimed into an account. The guest's sessions become sessions of the account; the caller's session starts again with a new token. Notifies the servers, which check their sockets. @throws ChatError UNAUTHENTICATED */
    guest_become_account: {
      keys: "user" | "sessions" | "details";
      args: { attempt: string; oldHash: string; newHash: string; ttl: number };
      result: [expiry: string, id: string] | [];
    };
    /** Claim guests that are due for a check. After the lease another server can claim them, unless they were scheduled again or removed from the list before. */
    guest_due: {
      keys: "guests";
      args: { most: number; lease: number };
      result: string[];
    };
    /** End a guest's registration, because another user has the username. The user stays a guest. */
    guest_give_up: {
      keys: "user";
      args: { attempt: string };
      result: 0 | 1;
    };
    /** Start to turn a guest into an account: store the new account's data until its username is claimed. The password must be stored before a demo app can find the user by that name. @throws ChatError UNAUTHENTICATED */
    guest_register: {
      keys: "user" | "sessions";
      args: { tokenHash: string; attempt: string; lease: number; passwordHash: string; account: string };
      result: string | null;
    };
    /** Schedule the next check whether a guest has ended and should be forgotten. */
    guest_schedule: {
      keys: "guests";
      args: { user: string; after: number };
      result: 1;
    };
    /** Claim all skeletons of a new username, or none, until the account is created. */
    name_claim: {
      keys: "looks";
      args: { user: string; lease: number; stale: string; wanted: string };
      result: string[];
    };
    /** Complete or release a claim of a username's skeletons. */
    name_settle: {
      keys: "looks";
      args: { user: string; how: "HOLD" | "RELEASE"; claimed: string };
      result: 0 | 1;
    };
    /** Store the skeletons of existing usernames, each for the first user who has it, and record the progress. */
    names_index: {
      keys: "looks" | "named";
      args: { server: string; upTo: number; entries: string };
      result: number;
    };
    /** Charge a user for sends, before or during the sends. The bucket is one number: the time (ms) at which all charges so far are paid off, at one send per interval. */
    sends_charge: {
      keys: "bucket";
      args: { count: number; interval: number; burst: number };
      result: number;
    };
    /** Store a new account, unless its id is taken by an account, or by sessions of a deleted account. */
    user_claim: {
      keys: "user" | "sessions" | "details";
      args: { fields: Array<string | number> };
      result: 0 | 1;
    };
    /** Raise a counter to a user id that is in use. Replaces a value that is not a number. */
    user_raise_ids: {
      keys: "counter";
      args: { atLeast: number };
      result: string | null;
    };
    /** Reserve the next user id, above all ids known to be in use. It counts as vacant until its account is complete. */
    user_reserve_id: {
      keys: "totalUsers" | "vacant";
      args: { atLeast: number };
      result: [id: number, before?: string];
    };
    /** Release a username that was claimed and is not used. */
    username_release: {
      keys: "username";
      args: { user: string };
      result: 0 | 1;
    };
  }
}

export {};
