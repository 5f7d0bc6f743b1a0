import type { RoomId, UserId } from "../util/ids.js";
/** A room: named and open to everyone, between two users, or for the members of a group. */
export type RoomRecord =
  | { id: RoomId; kind: "GENERAL"; name: string }
  | { id: RoomId; kind: "PRIVATE"; userIds: [UserId, UserId] }
  | { id: RoomId; kind: "GROUP"; name: string; membersMayInvite: boolean };
