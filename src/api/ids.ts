import { badInput } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";

/** Whether this has the form of a user's id. */
export const isUserId = (id: string): id is UserId => /^[1-9]\d{0,14}$/.test(id);

/** @throws ChatError BAD_USER_INPUT that names the argument, for any string that cannot be a user's id */
export function readUserId(id: string, argument: string): UserId {
  if (!isUserId(id)) throw badInput(argument, "must be the id of a user.");
  return id;
}

/** Whether this has the form of a named room's id, which a user's id never has: ids are unique whatever their type. */
export const isNamedRoomId = (id: string): id is RoomId => /^[\w-]{1,64}$/.test(id) && !isUserId(id);

/** Whether this has the form of any room's id. */
export const isRoomId = (id: string): id is RoomId => isNamedRoomId(id) || privatePair(id) !== undefined;

/** @throws ChatError BAD_USER_INPUT that names the argument, for any string that cannot be a room's id */
export function readRoomId(id: string, argument: string): RoomId {
  if (!isRoomId(id)) throw badInput(argument, "must be a room id, such as 0 or 1:2.");
  return id;
}

/** Whether this is the id of a group, in the current or the old form. Only members may learn whether the group exists. */
export const isGroup = (roomId: string) => /^(?:9\d{17}|group-[0-9a-f]{16})$/.test(roomId);

/** The ids of a private room's two users, from its id, the lower one first; undefined for any other id. */
export function privatePair(roomId: string): [UserId, UserId] | undefined {
  const [, low, high] = /^([1-9]\d{0,14}):([1-9]\d{0,14})$/.exec(roomId) ?? [];
  return low !== undefined && high !== undefined && Number(low) < Number(high) ? [low as UserId, high as UserId] : undefined;
}

/** The id of the private room of two users. */
export const pairOf = (one: UserId, other: UserId) => (Number(one) < Number(other) ? `${one}:${other}` : `${other}:${one}`) as RoomId;

/** The general room; every account is a member. */
export const GENERAL = "0" as RoomId;
