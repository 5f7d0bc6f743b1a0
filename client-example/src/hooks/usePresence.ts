import { useEffect } from "react";
import { useChat, useStore } from "./useChat";

/** The users who are online, kept up to date for `userIds`. */
export function usePresence(userIds: readonly string[]): ReadonlySet<string> {
  const { presence } = useChat();
  const watched = userIds.join(" "); // a new array of the same users changes nothing
  useEffect(() => presence.watch(watched === "" ? [] : watched.split(" ")), [presence, watched]);
  return useStore(presence.online);
}
