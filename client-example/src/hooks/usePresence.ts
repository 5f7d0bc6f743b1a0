import { useEffect } from "react";
import { useChat, useStore } from "./useChat";

/** Which of these users are online, as it changes. */
export function usePresence(userIds: readonly string[]): ReadonlySet<string> {
  const { presence } = useChat();
  const watched = userIds.join(" "); // a list of the same users is the same
  useEffect(() => presence.watch(watched === "" ? [] : watched.split(" ")), [presence, watched]);
  return useStore(presence.online);
}
