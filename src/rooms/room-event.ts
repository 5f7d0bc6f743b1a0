import type { RoomEventKind } from "../api/room-event.js";
import { MemberJoined, MemberLeft, RoomRenamed } from "./room-event.type.js";

declare module "../api/room-event.js" {
  interface RoomEventFields {
    "member.joined": { userId: string; byId: string };
    "member.left": { userId: string; byId: string; newOwnerId: string | null };
    "room.renamed": { name: string; byId: string };
  }
}

/** The events of a room's members and of its name. */
export const roomEvents: readonly RoomEventKind[] = [
  {
    kind: "member.joined",
    type: MemberJoined,
    read: ({ userId, by }) => (typeof userId === "string" && typeof by === "string" ? { userId, byId: by } : undefined),
  },
  {
    kind: "member.left",
    type: MemberLeft,
    read: ({ userId, by, newOwner }) =>
      typeof userId === "string" && typeof by === "string"
        ? { userId, byId: by, newOwnerId: typeof newOwner === "string" ? newOwner : null }
        : undefined,
  },
  {
    kind: "room.renamed",
    type: RoomRenamed,
    read: ({ name, by }) => (typeof name === "string" && typeof by === "string" ? { name, byId: by } : undefined),
  },
];
