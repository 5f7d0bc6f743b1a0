import { useMemo } from "react";
import type { Room } from "../chat/rooms";
import { useChat, useStore } from "./useChat";

/** The user's rooms, newest message first. */
export function useRooms(): { rooms: Room[]; isLoaded: boolean } {
  const { byId, loaded } = useStore(useChat().rooms);
  const rooms = useMemo(() => [...byId.values()].sort(byNewest), [byId]);
  return { rooms, isLoaded: loaded };
}

const newestOf = ({ newest }: Room) => newest?.sentAt ?? "";
const byNewest = (one: Room, other: Room) => newestOf(other).localeCompare(newestOf(one));
