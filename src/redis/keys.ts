/**
 * Every key and channel of Palaver. The braces in some names are Redis Cluster hash tags: keys that one script writes together share a
 * slot.
 *
 * The layout of redis-developer's Basic Redis Chat demos, which Palaver shares with them:
 *
 * | key                    | type       | holds                                                             |
 * |------------------------|------------|-------------------------------------------------------------------|
 * | `total_users`          | string     | user id counter; if it exists, the database is in use             |
 * | `username:NAME`        | string     | `user:ID`                                                         |
 * | `user:ID`              | hash       | the demos' `username` and `password` (bcrypt); Palaver's `name`, `email`, `createdAt`, `assistant`, `passwordSince` (s; set by `changePassword`); a guest's `guest`, `until` (ms, end of the last session), `claim` (JSON, a registration in progress), `ended` (1 once the guest's data is being deleted) |
 * | `user:ID:rooms`        | set        | ids of the user's rooms; includes `0` from registration on        |
 * | `room:ID:name`         | string     | the room's name; absent for private rooms. For a group, a copy of `name` in `meta` |
 * | `room:ID`              | sorted set | messages: JSON scored by time in seconds                          |
 * | `online_users`         | set        | ids of the users who are online                                   |
 *
 * Palaver's own keys, which the demos do not read:
 *
 * | key                      | type       | holds                                                           |
 * |--------------------------|------------|-----------------------------------------------------------------|
 * | `log:{room:ID}`          | stream     | the room's event log; the entry of event `seq` has the id `<seq>-0` |
 * | `meta:{room:ID}`         | hash       | the log's `seq` (last event), `epoch` (set when the log is created) and `time` (of the last event, µs); `opened:USER` (1 if that user opened this private room); `shown` (0 until the users of a private room are notified of its first message, then 1) and `showing` (since when `shown` is 0, µs); a group's `name`, `mayInvite` and `joined:USER` (position of the log just before the user joined); `known` (number of members of `room:ID` that the log accounts for), `since`, `puzzle`, `deadline`, `awaited`, `dated`, `at:DIGEST` (all explained in `lua/shared/room_log.lua`); `named:µs:DIGEST` (users whom a demo app's message mentions); `told:ID` (time, in µs, at which the log took in a message whose date differs); in a private room `blocked:USER` (set if that user blocks the other) |
 * | `foreign:{room:ID}`      | set        | digests of the messages that demo apps wrote and the log knows   |
 * | `own:{room:ID}`          | sorted set | `USER:µs` of each message, by author: a user's own messages do not count as unread. Also `@:µs:DIGEST` for each demo app's message whose mentions are still to be looked up, and `!:µs:DIGEST` for each member that is too long to be a message |
 * | `mentioned:{room:ID}`    | sorted set | `USER:µs` of each message, by mentioned user; for a demo app's message with `:DIGEST` appended |
 * | `reads:{room:ID}`        | hash       | user → score and id of the message up to which they have read   |
 * | `members:{room:ID}`      | hash       | of a group: user → `OWNER µs` or `MEMBER µs`, the time of joining; authoritative, `user:ID:rooms` is only a copy |
 * | `invited:{room:ID}`      | hash       | of a group: user → `INVITER µs`, open for 30 days; authoritative, `invitations` and `inviting` are only copies |
 * | `reactions:{room:ID}`    | hash       | message id → its reactions as JSON, `[[emoji, count, first users], …]`; `ID EMOJI` → all users, in order |
 * | `making:USER:HASH`       | string     | the room that belongs to a user's clientRoomId, and a digest of the arguments of the call; 25 hours |
 * | `made:{room:ID}`         | string     | `made` once the group exists, `told` once its members are notified; outlives `making` |
 * | `spoken:N`               | sorted set | room → time of its last message (µs; 0 if it has none), for the order of `rooms`; eight keys, chosen by a hash of the room's id. Only a hint, because the room is in another slot |
 * | `deleted:{room:ID}`      | sorted set | `USER MESSAGE` → time of deletion (s), for each user who may repeat the deletion; two days |
 * | `sent:{room:ID}:DAY`     | hash       | user and clientMessageId → the result of that send              |
 * | `asked:{room:ID}`        | list       | questions to the assistant, in order: `ID USER`, a message and the user who asks; `ID ATTEMPT USER` for a further attempt: `again/ANSWER`, `continue/ANSWER` or `edit/µs` |
 * | `withdrawn:{room:ID}`    | sorted set | questions cancelled before any of the answer was written → time (s); expires |
 * | `reply:{room:ID}`        | hash       | the answer that is being written, or that ended within the last minute: see `lua/shared/reply.lua` |
 * | `writing:{room:ID}`      | string     | the text of that answer so far                                  |
 * | `confirmed:{room:ID}`    | string     | written so that replicas confirm it, with `ACK_REPLICAS`; expires |
 * | `assistant`              | string     | the assistant's user id                                         |
 * | `requests:{assistant}`   | stream     | rooms with questions, for the workers                           |
 * | `waiting:{assistant}`    | hash       | room → its entry in `requests`, until a worker picks it up      |
 * | `dead:{assistant}`       | stream     | dead letters: questions that the workers gave up                |
 * | `replies:{assistant}`    | hash       | number of ended answers, by state                               |
 * | `sweeping:{assistant}`   | string     | the worker that sweeps for questions without a request; expires |
 * | `vacant:{total_users}`   | bitmap     | ids that were reserved and do not belong to an account (yet)    |
 * | `guests:{total_users}`   | sorted set | guest → when to check whether to forget them (s)                |
 * | `looks:{total_users}`    | hash       | skeleton of a username (see `users/likeness.ts`) → the first user with such a name; while an account is being created, `USER DEADLINE` (s) |
 * | `named:{total_users}`    | hash       | `up_to` (the last user id whose name is in `looks`); `server` and `deadline` (s) of the server that is indexing |
 * | `highest_user_id:N`      | string     | the highest user id handed out; three copies, in other slots than the counter |
 * | `directory:2:{total_users}`| sorted set | the user search index, all of score 0: `<name, folded>\\0<user id>`, and `\\0<username, as mentions compare it>\\0<user id>`. The number in the key changes with the folding: servers of different versions each keep their own |
 * | `indexed:2:{total_users}`  | hash       | `up_to` (the last user id that is in the directory); `server` and `deadline` (s) of the server that is indexing; `guests`, set once the guests are in their list |
 * | `sessions:{user:ID}`     | sorted set | SHA-256 of token → expiry in ms                                 |
 * | `sends:{user:ID}`        | string     | when all sends charged to the user are paid off (ms)            |
 * | `marks:{user:ID}`        | string     | the same for `markRead`                                         |
 * | `opened:{user:ID}`       | set        | private rooms that the user opened; those opened by others do not count |
 * | `blocked:{user:ID}`      | sorted set | user → when (µs) this user blocked them; `blocked:USER` in `meta` of their private room is authoritative |
 * | `invitations:{user:ID}`  | sorted set | group → when (µs) the user was last invited                     |
 * | `inviting:{user:ID}`     | sorted set | `USER ROOM` → when (µs) this user invited them; used to count open invitations |
 * | `session-details:{user:ID}` | hash    | SHA-256 of token → the session's id, kind, start and last use (ms); expires with the last session |
 * | `attempts:LIMIT:WHO`     | string     | recent attempts, such as wrong passwords from an address; WHO is hashed; expires |
 * | `presence:{user:ID}`     | hash       | server → the user's open connections there; `version`           |
 * | `versions:{online_users}`| hash       | user → version last applied to `online_users`                   |
 * | `announced:{online_users}`| set       | ids of the users whom subscribers currently see as online       |
 * | `lease:SERVER`           | string     | expires unless the server renews it                             |
 * | `sweep:SERVER`           | string     | the server that removes the connections of that dead server; expires |
 * | `users:SERVER`           | set        | ids of the users with connections there                         |
 * | `servers`                | set        | servers whose users need cleanup if the server dies             |
 * | `probe:SERVER`, `probe:{TAG}:SERVER` | string | written by that server every second to check that Redis works; expires; a channel has the same name |
 * | `trimming`               | string     | the server that is trimming histories, or recently did; expires |
 * | `seeding:{total_users}`  | string     | while a server fills an empty database: when another server may take over (s) |
 *
 * Channels are sharded pub/sub, each named like a key: `room:ID` (events of the room), `user:ID` (events for one user), `online_users`
 * (presence). In a database other than 0 the name starts with the database number and a bar: `1|room:ID`.
 */
export const keys = {
  totalUsers: "total_users",
  vacant: "vacant:{total_users}",
  /** @param n 0, 1 or 2: the number of the copy */
  highestUserId: (n: number) => `highest_user_id:${n}`,
  guests: "guests:{total_users}",
  looks: "looks:{total_users}",
  named: "named:{total_users}",
  directory: "directory:2:{total_users}",
  indexed: "indexed:2:{total_users}",
  formerDirectory: "directory:{total_users}",
  formerIndexed: "indexed:{total_users}",
  username: (name: string) => `username:${name}`,
  user: (id: string) => `user:${id}`,
  userRooms: (id: string) => `user:${id}:rooms`,
  sessions: (userId: string) => `sessions:{user:${userId}}`,
  sends: (userId: string) => `sends:{user:${userId}}`,
  marks: (userId: string) => `marks:{user:${userId}}`,
  opened: (userId: string) => `opened:{user:${userId}}`,
  blocked: (userId: string) => `blocked:{user:${userId}}`,
  invitations: (userId: string) => `invitations:{user:${userId}}`,
  inviting: (userId: string) => `inviting:{user:${userId}}`,
  sessionDetails: (userId: string) => `session-details:{user:${userId}}`,
  attempts: (limit: string, who: string) => `attempts:${limit}:${who}`,
  presence: (userId: string) => `presence:{user:${userId}}`,

  roomName: (id: string) => `room:${id}:name`,
  room: (id: string) => `room:${id}`,
  log: (roomId: string) => `log:{room:${roomId}}`,
  meta: (roomId: string) => `meta:{room:${roomId}}`,
  foreign: (roomId: string) => `foreign:{room:${roomId}}`,
  own: (roomId: string) => `own:{room:${roomId}}`,
  mentioned: (roomId: string) => `mentioned:{room:${roomId}}`,
  reads: (roomId: string) => `reads:{room:${roomId}}`,
  members: (roomId: string) => `members:{room:${roomId}}`,
  invited: (roomId: string) => `invited:{room:${roomId}}`,
  reactions: (roomId: string) => `reactions:{room:${roomId}}`,
  making: (userId: string, hash: string) => `making:${userId}:${hash}`,
  made: (roomId: string) => `made:{room:${roomId}}`,
  /** @param shard chosen by the room's id, in `room-list.store` */
  spoken: (shard: number) => `spoken:${shard}`,
  deleted: (roomId: string) => `deleted:{room:${roomId}}`,
  /** @param day days since 1970, UTC */
  sent: (roomId: string, day: number) => `sent:{room:${roomId}}:${day}`,

  confirmed: (roomId: string) => `confirmed:{room:${roomId}}`,
  asked: (roomId: string) => `asked:{room:${roomId}}`,
  withdrawn: (roomId: string) => `withdrawn:{room:${roomId}}`,
  reply: (roomId: string) => `reply:{room:${roomId}}`,
  writing: (roomId: string) => `writing:{room:${roomId}}`,
  assistant: "assistant",
  requests: "requests:{assistant}",
  waiting: "waiting:{assistant}",
  deadLetters: "dead:{assistant}",
  replies: "replies:{assistant}",
  sweeping: "sweeping:{assistant}",

  onlineUsers: "online_users",
  onlineVersions: "versions:{online_users}",
  announced: "announced:{online_users}",
  lease: (server: string) => `lease:${server}`,
  sweep: (server: string) => `sweep:${server}`,
  serverUsers: (server: string) => `users:${server}`,
  servers: "servers",
  /** @param tag a hash tag in a slot of the probed node, empty if there is only one node @param server the server that probes */
  probe: (tag: string, server: string) => `probe:${tag}${tag && ":"}${server}`,
  trimming: "trimming",
  seeding: "seeding:{total_users}",
} as const;

export const channels = {
  room: (id: string) => `room:${id}`,
  user: (id: string) => `user:${id}`,
  onlineUsers: "online_users",
  /** The demo apps' own channel; not sharded. */
  demos: "MESSAGES",
} as const;

/**
 * A channel's name in a database. Pub/sub is independent of the database: without the number, servers on two databases of one Redis
 * would receive each other's events. In database 0, the only one that clusters have, the name is plain, because older servers use it.
 */
export const channelIn = (database: number, channel: string) => (database === 0 ? channel : `${database}|${channel}`);

/** The general room; every account is a member. */
export const GENERAL = "0";
