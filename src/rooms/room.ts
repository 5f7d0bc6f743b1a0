/** A room: named and open to everyone, between two users, or for the members of a group. */
export type RoomRecord =
  | { id: string; kind: "GENERAL"; name: string }
  | { id: string; kind: "PRIVATE"; userIds: [string, string] }
  | { id: string; kind: "GROUP"; name: string; membersMayInvite: boolean };
