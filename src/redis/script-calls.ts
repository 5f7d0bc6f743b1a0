// Made from the heads of the scripts in lua/ by `npm run scripts`.

/** What each script takes and returns. */
export interface ScriptCalls {
  /** End an answer. Stores it as a message, once, and removes its question, in one step, so that a worker that dies cannot leave one without the other. Stores nothing if the question was deleted, the assistant has left the group, or it is blocked. */
  assistant_answer: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked" | "members" | "mentioned" | "reactions" | "reads" | "sent1" | "sent2" | "sent3" | "sent4" | "reply" | "writing" | "withdrawn";
    args: { newEpoch: string; logLength: string; assistant: string; roomId: string; text: string; clientId: string; firstDay: number; replyTo: string; replyScore: string; historyLimit: number; historyDays: number; group: boolean; fence: string; entry: string; state: "DONE" | "INCOMPLETE" | "CANCELLED"; written: string; incomplete: "TOO_LONG" | "BROKEN_OFF" | "WITHHELD" | "CANCELLED" | ""; problem: string };
    result: [day: number] | [message: string, seq: number, epoch: string, at: number, untold: number, stored: 1, first: 0 | 1] | [] | "LOST";
  };
  /** Add a question to the queue again, unless it is waiting or has an answer. With a retry id, the call is idempotent for at least 24 hours. */
  assistant_ask_again: {
    keys: "asked" | "withdrawn" | "sent1" | "sent2" | "sent3" | "sent4";
    args: { entry: string; answer: string; retry: string; firstDay: number };
    result: [day: number] | 0 | 1;
  };
  /** Cancel a user's questions in a room. A question that is being answered is only marked; its worker then ends the answer. */
  assistant_cancel: {
    keys: "asked" | "reply" | "withdrawn";
    args: { user: string };
    result: number;
  };
  /** Give up a question. The caller has already stored it as a dead letter. */
  assistant_fail: {
    keys: "asked" | "reply" | "writing" | "room";
    args: { fence: string; entry: string; problem: string };
    result: "OK" | "LOST";
  };
  /** Read the answer that is being written in a room, or that ended a moment ago. */
  assistant_look: {
    keys: "reply" | "writing";
    args: Record<string, never>;
    result: [version: number, question: string, state: "WRITING" | "DONE" | "INCOMPLETE" | "CANCELLED" | "FAILED", problem: string, text: string] | null;
  };
  /** Release a room before its question is answered, so that another worker can start again. The try does not count. */
  assistant_release: {
    keys: "reply";
    args: { fence: string; entry: string };
    result: 0 | 1;
  };
  /** Start to answer a room's first question, or release the room if no question is left. Both happen in one step with the check, so a later question finds the room free. The same fence may take again after each answer. */
  assistant_take: {
    keys: "asked" | "reply" | "writing" | "room";
    args: { fence: string; lease: number };
    result: [state: "HELD", ms: number] | [state: "NOTHING"] | [state: "TAKEN", entry: string, tries: number, cancelled: 0 | 1, written: string];
  };
  /** Append to an answer and renew the room's lease; with an empty delta, only renew it. */
  assistant_write: {
    keys: "reply" | "writing" | "room";
    args: { fence: string; lease: number; written: number; delta: string; restart: boolean };
    result: "OK" | "CANCELLED" | "EDITED" | "LOST";
  };
  /** Add a user to another user's block list, unless the list is full. */
  block_list: {
    keys: "blocked";
    args: { user: string; most: number };
    result: 0 | 1;
  };
  /** Claim the filling of a database with demo data, if it is empty or its filling was cut off. Sets the user counter at once, so that accounts created during the filling get other ids. */
  demo_data_claim: {
    keys: "totalUsers" | "seeding";
    args: { users: number; lease: number };
    result: -1 | 0 | 1;
  };
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
  /** Delete all data of an ended guest except the name, which demo apps show next to the guest's messages, and the field `ended`. */
  guest_forget: {
    keys: "user" | "sessions" | "details" | "presence" | "sends" | "marks" | "opened" | "blocked" | "invitations" | "inviting";
    args: Record<string, never>;
    result: 0 | 1;
  };
  /** End a guest's registration, because another user has the username. The user stays a guest. */
  guest_give_up: {
    keys: "user";
    args: { attempt: string };
    result: 0 | 1;
  };
  /** Check whether a guest ended long enough ago to be forgotten, and record that forgetting has begun. */
  guest_look: {
    keys: "user" | "sessions";
    args: { keep: number };
    result: [state: "NO_GUEST" | "FORGOTTEN", none: ""] | [state: "STAYS", seconds: number] | [state: "REGISTERING", username: string] | [state: "ENDS", again: 0 | 1];
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
  /** Accept an invitation to a group, which makes the user a member. @throws ChatError NOT_FOUND, FORBIDDEN */
  invitation_accept: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked" | "members" | "invited";
    args: { newEpoch: string; logLength: string; assistant: string; user: string; most: number; lasts: number };
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
  /** Find the positions of the events that added messages to a room. */
  log_find: {
    keys: "log" | "meta";
    args: { idsAndTimes: Array<string | number> };
    result: ([seq: number, epoch: string, at: number] | null)[];
  };
  /** Read the events of a room from one on, or the newest ones, and the position of its log. */
  log_read: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked";
    args: { newEpoch: string; logLength: string; assistant: string; from: number | ""; count: number; size: number };
    result: [seq: number, epoch: string, at: number, events: string[]];
  };
  /** Add a user to a group room, or invite them. Allowed for the owner, and for members if the room's mayInvite is set. @throws ChatError NOT_A_MEMBER, FORBIDDEN */
  member_add: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked" | "members" | "invited";
    args: { newEpoch: string; logLength: string; assistant: string; by: string; user: string; most: number; invites: boolean; lasts: number };
    result: [joined: 0 | 1, inviter: string];
  };
  /** Let a user leave a group room; or remove a member, which the owner may do; or withdraw an invitation, which the owner and the inviter may do. When the last owner leaves, the member who joined first becomes the owner. When the last member leaves, the room's invitations end and its data expires after a day. @throws ChatError NOT_A_MEMBER, FORBIDDEN */
  member_remove: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked" | "members" | "mentioned" | "reads" | "reactions" | "invited";
    args: { newEpoch: string; logLength: string; assistant: string; by: string; user: string };
    result: [left: 0 | 1, ...ended: string[]];
  };
  /** Record once which users a demo app's message mentions, and queue it if it is a question to the assistant. These messages cannot be refused, so if there are many at once, some remain unanswered. Old messages, as in an existing database, are not answered. */
  mentions_note: {
    keys: "meta" | "own" | "mentioned" | "asked";
    args: { name: string; users: readonly string[]; entry: string; most: number };
    result: 0 | 1 | 2;
  };
  /** Delete a message with all data about it. The caller has checked that the user may access the room. @throws ChatError NOT_A_MEMBER, NOT_FOUND, FORBIDDEN */
  message_delete: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked" | "members" | "reactions" | "mentioned" | "deleted";
    args: { newEpoch: string; logLength: string; assistant: string; user: string; id: string; score: string };
    result: 0 | 1;
  };
  /** Change the text of a message of the user, in its place. The caller has checked that the user may access the room. @throws ChatError NOT_A_MEMBER, NOT_FOUND, FORBIDDEN */
  message_edit: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked" | "members" | "reactions" | "mentioned" | "reply";
    args: { newEpoch: string; logLength: string; assistant: string; user: string; id: string; score: string; text: string; mentions: readonly string[]; asks: boolean; quiet: readonly string[] };
    result: [member: string, score: string, reactions: string, seq: number, epoch: string, at: number, changed: 0 | 1];
  };
  /** Add or remove a user's reaction to a message. The caller has checked that the user may access the room. @throws ChatError NOT_A_MEMBER, NOT_FOUND, FORBIDDEN */
  message_react: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked" | "members" | "reactions";
    args: { newEpoch: string; logLength: string; assistant: string; user: string; id: string; score: string; emoji: string; on: boolean; most: number; listed: number };
    result: [member: string, score: string, reactions: string, seq: number, epoch: string, at: number, changed: 0 | 1] | null;
  };
  /** Add a message to a room, once, and publish its event. Moves the sender's read marker to the message. The caller has checked that the sender may write here. For a group room this script checks it again, because membership may have ended. @throws ChatError NOT_A_MEMBER, FORBIDDEN, CLIENT_MESSAGE_ID_REUSED, NOT_FOUND */
  message_send: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked" | "members" | "mentioned" | "reactions" | "reads" | "sent1" | "sent2" | "sent3" | "sent4";
    args: { newEpoch: string; logLength: string; assistant: string; roomId: string; from: string; text: string; clientId: string; firstDay: number; mentions: readonly string[]; replyTo: string; replyScore: string; historyLimit: number; historyDays: number; group: boolean; asks: boolean; quiet: readonly string[] };
    result: [day: number] | [message: string, seq: number, epoch: string, at: number, untold: number, stored: 0 | 1, first: 0 | 1];
  };
  /** Adopt the messages that a demo app wrote to a room and announced on its channel. */
  messages_adopt: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked";
    args: { newEpoch: string; logLength: string; assistant: string; heard: string; opening: boolean; order: readonly string[] };
    result: [untold: 0 | 1, questions: number, unnamed: number, last: number];
  };
  /** Read both sides of a score in a room's history, and the room's position at the same moment. */
  messages_around: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked" | "reactions";
    args: { newEpoch: string; logLength: string; assistant: string; score: string; count: number; size: number };
    result: [seq: number, epoch: string, at: number, older: [flat: string[], near: string, offset: number, skipped: number], newer: [flat: string[], near: string, offset: number, skipped: number]];
  };
  /** Find messages of a room by their ids. */
  messages_find: {
    keys: "room" | "reactions";
    args: { idsAndScores: string[] };
    result: ([member: string, score: string, reactions: string] | null)[];
  };
  /** Read a range of a room's history, and the room's position at the same moment. */
  messages_page: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked" | "reactions";
    args: { newEpoch: string; logLength: string; assistant: string; near: string; far: string; direction: "OLDER" | "NEWER"; offset: number; count: number; size: number };
    result: [seq: number, epoch: string, at: number, behind: number, range: [flat: string[], near: string, offset: number, skipped: number]];
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
  /** Check whether two users have both written in their private room, and whether either blocks the other. */
  pair_look: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked";
    args: { newEpoch: string; logLength: string; assistant: string; user: string; other: string };
    result: [bothWrote: 0 | 1, otherBlocksUser: 0 | 1, userBlocksOther: 0 | 1];
  };
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
  /** Apply a transition of presence_change to the shared set of online users, and publish it. The two are in different slots, so calls of this script may overtake each other: an older transition has no effect. */
  presence_announce: {
    keys: "onlineUsers" | "versions" | "announced";
    args: { user: string; version: number; online: boolean };
    result: 0 | 1;
  };
  /** Store the number of a user's connections on one server, and find out whether the user goes online or offline. Idempotent. */
  presence_change: {
    keys: "presence";
    args: { server: string; count: number };
    result: [version: number, online: 0 | 1];
  };
  /** Read a demo app's change of the shared set of online users, and publish it if subscribers do not know it. A demo app removes a user when any of their tabs there closes: a user who has connections to Palaver is added again. */
  presence_look: {
    keys: "onlineUsers" | "versions" | "announced";
    args: { user: string; version: string | 0 };
    result: [published: 0 | 1, online: 0 | 1, addedAgain: 0 | 1];
  };
  /** Move a user's read marker in a room to a message. The marker never moves back, even if another device asks for it. @throws ChatError NOT_FOUND */
  read_move: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked" | "reads" | "members";
    args: { newEpoch: string; logLength: string; assistant: string; user: string; messageId: string; score: string; mostTold: number };
    result: [moved: "UNMOVED" | "MOVED" | "TOLD_ALL", now: number];
  };
  /** Queue a request for the workers to answer questions in a room, unless a request of the room is already waiting. */
  request_add: {
    keys: "requests" | "waiting";
    args: { roomId: string };
    result: 0 | 1;
  };
  /** Remove a request that was handled. */
  request_end: {
    keys: "requests";
    args: { group: string; id: string };
    result: 0 | 1;
  };
  /** Return a stopping worker's open requests to the queue, so that other workers get them at once. */
  request_hand_over: {
    keys: "requests";
    args: { group: string; consumer: string };
    result: number;
  };
  /** Take over the requests of workers that died. Removes such workers from the group once they have no requests. */
  request_take_over: {
    keys: "requests";
    args: { group: string; consumer: string; idle: number; count: number };
    result: [id: string, fields: Array<string>][];
  };
  /** Rename a group room, or change whether members may add others. Only for its owner. @throws ChatError NOT_A_MEMBER, FORBIDDEN */
  room_change: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked" | "members";
    args: { newEpoch: string; logLength: string; assistant: string; by: string; name: string; mayInvite: boolean | "" };
    result: 1;
  };
  /** Create a group room with its first members and invitations, once: a repeated call changes nothing, even if all members have left since. Until the first call the room's id refers to nothing. */
  room_create: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked" | "members" | "made" | "invited";
    args: { newEpoch: string; logLength: string; assistant: string; name: string; mayInvite: boolean; owner: string; others: readonly string[]; strangers: readonly string[]; remembered: number; lasts: number };
    result: 0 | 1;
  };
  /** Add a room to a list of a user, unless the list is full: a group to the user's rooms, a private room to those that the user opened. */
  room_enlist: {
    keys: "rooms";
    args: { roomId: string; group: boolean; most: number };
    result: 0 | 1;
  };
  /** Trim a room's history to its limits, one portion per call. */
  room_trim: {
    keys: "room" | "log" | "meta" | "foreign" | "own" | "asked" | "reactions" | "mentioned";
    args: { newEpoch: string; logLength: string; assistant: string; historyLimit: number; historyDays: number; most: number };
    result: number;
  };
  /** Count a user's unread messages and mentions in a room. Its cost grows with the logarithm of the room's length. */
  room_unread: {
    keys: "room" | "own" | "mentioned" | "reads" | "members";
    args: { user: string };
    result: [messages: number, mentions: number, readUpTo: string, unnamed: number];
  };
  /** Charge a user for sends, before or during the sends. The bucket is one number: the time (ms) at which all charges so far are paid off, at one send per interval. */
  sends_charge: {
    keys: "bucket";
    args: { count: number; interval: number; burst: number };
    result: number;
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
