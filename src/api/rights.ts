import type { RoomId } from "../util/ids.js";
import { isGroup, privatePair } from "./ids.js";

/** What a user is in a room. Everyone is a member of the general room, and both users are members of a private room. */
export type Role = "OWNER" | "MEMBER";

/**
 * Who may do something in a room, besides reading and writing in it, by kinds of rooms. Features declare their rights in `feature.ts`.
 * Scripts get the roles as an argument, and check them in the same step as the change. `docs/ROOMS.md` has the table of all rights.
 */
export interface Right {
  /** What it allows, such as "pin messages". */
  about: string;
  GENERAL: readonly Role[];
  PRIVATE: readonly Role[];
  GROUP: readonly Role[];
}

/** The roles that have a right in a room. */
export function rolesWith(right: Right, roomId: RoomId): readonly Role[] {
  if (isGroup(roomId)) return right.GROUP;
  return privatePair(roomId) ? right.PRIVATE : right.GENERAL;
}
