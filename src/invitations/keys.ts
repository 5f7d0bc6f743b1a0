import type { RoomId, UserId } from "../util/ids.js";

/**
 * | key | type | holds |
 * |---|---|---|
 * | `invited:{room:ID}` | hash | of a group: user → `INVITER µs`, open for 30 days; authoritative, `invitations` and `inviting` are only copies |
 * | `invitations:{user:ID}` | sorted set | group → when (µs) the user was last invited |
 * | `inviting:{user:ID}` | sorted set | `USER ROOM` → when (µs) this user invited them; used to count open invitations |
 */
export const invitationKeys = {
  invitations: (userId: UserId) => `invitations:{user:${userId}}`,
  inviting: (userId: UserId) => `inviting:{user:${userId}}`,
  invited: (roomId: RoomId) => `invited:{room:${roomId}}`,
} as const;
