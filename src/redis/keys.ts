/**
 * Every key and channel of Palaver. The braces in some names are Redis Cluster hash tags: what is written together
 * by one script lives in one slot.
 *
 * The layout of redis-developer's Basic Redis Chat demos, shared with them:
 *
 * | key                    | type       | holds                                                             |
 * |------------------------|------------|-------------------------------------------------------------------|
 * | `total_users`          | string     | user id counter; its existence says that the database is in use   |
 * | `username:NAME`        | string     | `user:ID`                                                         |
 * | `user:ID`              | hash       | `username`, `password` (bcrypt); ours: `name`, `email`, `createdAt`, `assistant`, `passwordSince` (s; set by `changePassword`); a guest's `guest`, `until` (ms, when their last session ends), `claim` (JSON, of a registration under way), `ended` (1, once they are being forgotten) |
 * | `user:ID:rooms`        | set        | ids of the user's rooms; `0` from registration on                 |
 * | `room:ID:name`         | string     | the name; absent for private rooms. A group's follows the one in `meta` |
 * | `room:ID`              | sorted set | messages: JSON scored by time in seconds                          |
 * | `online_users`         | set        | ids of the users that are online                                  |
 *
 * Palaver's own, invisible to the demos:
 *
 * | key                      | type       | holds                                                           |
 * |--------------------------|------------|-----------------------------------------------------------------|
 * | `log:{room:ID}`          | stream     | the room's events; the entry of event `seq` is `<seq>-0`        |
 * | `meta:{room:ID}`         | hash       | `seq` (last event), `epoch` (made when the log is born), `time` (of the last event, µs), `opened:USER`; `shown` (1 once the users of a private room were told of its first message, 0 before; `showing`: since when, µs); a group's `name`, `mayInvite` and `joined:USER` (where its log stood when the user came in); `known` (members of `room:ID` that the log knows of), `since`, `puzzle`, `deadline`, `awaited`, `dated`, `at:DIGEST`: see `lua/shared/room_log.lua`; `named:µs:DIGEST`, whom a demo app's message mentions; `told:ID`, when one was taken in whose date does not say so (µs); of a private room `blocked:USER`, where that user blocks the other |
 * | `foreign:{room:ID}`      | set        | digests of the messages that others wrote and the log knows of  |
 * | `own:{room:ID}`          | sorted set | `USER:µs` of each message, by its author: what nobody has to read of their own; `@:µs:DIGEST` of a demo app's message whose mentions are to be looked up, `!:µs:DIGEST` of what is too long to be a message |
 * | `mentioned:{room:ID}`    | sorted set | `USER:µs` of each message, by who is mentioned in it; a demo app's with `:DIGEST` |
 * | `reads:{room:ID}`        | hash       | user → score and id of the message they have read up to         |
 * | `members:{room:ID}`      | hash       | of a group: user → `OWNER µs` or `MEMBER µs`, the time of joining; it says who is in the group, `user:ID:rooms` only follows |
 * | `invited:{room:ID}`      | hash       | of a group: user → `INVITER µs`, open for 30 days; it says who is invited, the two lists of users below only follow |
 * | `reactions:{room:ID}`    | hash       | message id → its reactions as JSON, `[[emoji, count, first users], …]`; `ID EMOJI` → all users, in order |
 * | `making:USER:HASH`       | string     | the room that belongs to a user's clientRoomId, and a digest of what is to be made; 25 hours |
 * | `made:{room:ID}`         | string     | `made` once the group is there, `told` once its members know; outlives `making` |
 * | `spoken:N`               | sorted set | room → when something was last said in it (µs; 0 where nothing was), for the order of `rooms`; eight keys, by a hash of the room's id. A hint: the room is in another slot |
 * | `deleted:{room:ID}`      | sorted set | `USER MESSAGE` → when it was deleted (s): who can repeat the deletion; two days |
 * | `sent:{room:ID}:DAY`     | hash       | user and clientMessageId → what that send became                |
 * | `asked:{room:ID}`        | list       | what the assistant has to answer, in order: `ID USER`, a message and who asks; `ID ATTEMPT USER` where it is not the first time: `again/ANSWER`, `continue/ANSWER` or `edit/µs` |
 * | `withdrawn:{room:ID}`    | sorted set | questions that were cancelled before a word was written → when (s); expires |
 * | `reply:{room:ID}`        | hash       | the answer that is being written, or ended a minute ago: see `lua/shared/reply.lua` |
 * | `writing:{room:ID}`      | string     | its text so far                                                 |
 * | `confirmed:{room:ID}`    | string     | written for replicas to confirm, with `ACK_REPLICAS`; expires   |
 * | `assistant`              | string     | the assistant's user id                                         |
 * | `requests:{assistant}`   | stream     | rooms in which something is asked, for the workers              |
 * | `waiting:{assistant}`    | hash       | room → its entry in `requests`, while no worker has looked at it |
 * | `dead:{assistant}`       | stream     | questions that were given up                                    |
 * | `replies:{assistant}`    | hash       | how many answers have ended, by state                           |
 * | `sweeping:{assistant}`   | string     | which worker looks for questions that no request tells of; expires |
 * | `vacant:{total_users}`   | bitmap     | ids that were handed out and are no account (yet)               |
 * | `guests:{total_users}`   | sorted set | guest → when to look whether they are to be forgotten (s)       |
 * | `looks:{total_users}`    | hash       | what a username looks like (a skeleton, see `users/likeness.ts`) → the first user who has such a name; while an account is being made, `USER DEADLINE` (s) |
 * | `named:{total_users}`    | hash       | `up_to` (the last user id whose name is in `looks`); `server` and `deadline` (s) of the one that looks |
 * | `highest_user_id:N`      | string     | the highest user id given out, thrice, in other slots than the counter |
 * | `directory:2:{total_users}`| sorted set | `<name, folded>\\0<user id>`, all of score 0: what users are searched by; `\\0<username, as mentions compare it>\\0<user id>`. Its number changes with the folding: servers of different versions keep one each |
 * | `indexed:2:{total_users}`  | hash       | `up_to` (the last user id that the directory has looked at); `server` and `deadline` (s) of the one that indexes; `guests`, once those are in their list |
 * | `sessions:{user:ID}`     | sorted set | SHA-256 of token → expiry in ms                                 |
 * | `sends:{user:ID}`      | string     | when all sends that the user was charged for are worked off (ms) |
 * | `marks:{user:ID}`      | string     | the same for `markRead`                                         |
 * | `opened:{user:ID}`       | set        | private rooms that the user opened; those that others opened are not counted |
 * | `blocked:{user:ID}`      | sorted set | user → when (µs) this user blocked them; `blocked:USER` in `meta` of their private room says whether it holds |
 * | `invitations:{user:ID}`  | sorted set | group → when (µs) the user was invited last                     |
 * | `inviting:{user:ID}`     | sorted set | `USER ROOM` → when (µs) this user invited them: open invitations are counted here |
 * | `session-details:{user:ID}` | hash    | SHA-256 of token → the session's id, kind, begin and last use (ms); expires with the last one |
 * | `attempts:LIMIT:WHO`     | string     | attempts lately, such as wrong passwords of an address; WHO is hashed; expires |
 * | `presence:{user:ID}`     | hash       | server → open connections of the user there; `version`          |
 * | `versions:{online_users}`| hash       | user → version last applied to `online_users`                   |
 * | `announced:{online_users}`| set       | ids of the users of whom followers were told last that they are online |
 * | `lease:SERVER`           | string     | expires unless the server renews it                             |
 * | `sweep:SERVER`           | string     | which server takes back the connections of that dead one; expires |
 * | `users:SERVER`           | set        | ids of the users with connections there                         |
 * | `servers`                | set        | servers whose users have to be looked after should they die     |
 * | `probe:SERVER`, `probe:{TAG}:SERVER` | string | written by that server every second to see whether it can; expires; a channel of the same name |
 * | `trimming`               | string     | which server looks for messages that are kept too long, or did so a while ago; expires |
 * | `seeding:{total_users}`  | string     | while a server fills an empty database: when another may take over (s)   |
 *
 * Channels are sharded pub/sub and named like the key they speak of: `room:ID` (events of the room), `user:ID` (what
 * concerns one user), `online_users` (presence). In a database other than 0 its number and a bar come first: `1|room:ID`.
 */
export const keys = {
  totalUsers: "total_users",
  vacant: "vacant:{total_users}",
  /** @param n 0, 1 or 2: one copy each */
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
  /** @param shard by the room's id, of `room-list.store` */
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
  /** @param tag a hash tag in a slot of the node that is probed, empty where there is one node @param server whose probe it is */
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
 * A channel's name in a database. Pub/sub knows no databases: without the number, servers on two databases of one Redis would hear
 * each other. In database 0, the only one that clusters have, it is the plain name, which older servers know.
 */
export const channelIn = (database: number, channel: string) => (database === 0 ? channel : `${database}|${channel}`);

/** The general room, which every account is in. */
export const GENERAL = "0";
