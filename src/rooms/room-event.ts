import type { RoomEventKind } from "../api/room-event.js";
import type { UserId } from "../util/ids.js";
import { MemberJoined, MemberLeft, RoomRenamed } from "./room-event.type.js";

declare module "../api/room-event.js" {
  interface RoomEventFields {
    "member.joined": { userId: UserId; byId: UserId };
    "member.left": { userId: UserId; byId: UserId; newOwnerId: string | null };
    "room.renamed": { name: string; byId: UserId };
  }
}

/** The events of a room's members and of its name. */
export const roomEvents: readonly RoomEventKind[] = [
  {
    kind: "member.joined",
    type: MemberJoined,
    read: ({ userId, by }) =>
      typeof userId === "string" && typeof by === "string" ? { userId: userId as UserId, byId: by as UserId } : undefined,
  },
  {
    kind: "member.left",
    type: MemberLeft,
    read: ({ userId, by, newOwner }) =>
      typeof userId === "string" && typeof by === "string"
        ? { userId: userId as UserId, byId: by as UserId, newOwnerId: typeof newOwner === "string" ? newOwner : null }
        : undefined,
  },
  {
    kind: "room.renamed",
    type: RoomRenamed,
    read: ({ name, by }) => (typeof name === "string" && typeof by === "string" ? { name, byId: by as UserId } : undefined),
  },
];
