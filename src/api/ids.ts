import { badInput } from "../util/errors.js";

/** Whether this has the form of a user's id. */
export const isUserId = (id: string) => /^[1-9]\d{0,14}$/.test(id);

/** @throws ChatError BAD_USER_INPUT that names the argument, for any string that cannot be a user's id */
export function checkUserId(id: string, argument: string): void {
  if (!isUserId(id)) throw badInput(argument, "must be the id of a user.");
}

/** Whether this has the form of a named room's id, which a user's id never has: ids are unique whatever their type. */
export const isRoomId = (id: string) => /^[\w-]{1,64}$/.test(id) && !isUserId(id);

/** Whether this is the id of a group, in the current or the old form. Only members may learn whether the group exists. */
export const isGroup = (roomId: string) => /^(?:9\d{17}|group-[0-9a-f]{16})$/.test(roomId);

/** The ids of a private room's two users, from its id, the lower one first; undefined for any other id. */
export function privatePair(roomId: string): [string, string] | undefined {
  const [, low, high] = /^([1-9]\d{0,14}):([1-9]\d{0,14})$/.exec(roomId) ?? [];
  return low !== undefined && high !== undefined && Number(low) < Number(high) ? [low, high] : undefined;
}

/** The id of the private room of two users. */
export const pairOf = (one: string, other: string) => (Number(one) < Number(other) ? `${one}:${other}` : `${other}:${one}`);

/** The general room; every account is a member. */
export const GENERAL = "0";
