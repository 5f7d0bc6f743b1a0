import type { RoomId, UserId } from "../../src/util/ids.js";

export const room = (id: string) => id as RoomId;
export const user = (id: string) => id as UserId;
