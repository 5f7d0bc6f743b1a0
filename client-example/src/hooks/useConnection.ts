import { isCaughtUp } from "../chat/rooms";
import { useChat, useStore } from "./useChat";

/** `catching up`: connected again, and what happened meanwhile is on its way. */
export type ConnectionState = "connecting" | "catching up" | "live" | "offline";

/** How the live connection stands, and how to try again at once. */
export function useConnection(): { state: ConnectionState; retry: () => void } {
  const { live, refreshing, rooms } = useChat();
  const { state } = useStore(live.status);
  const isRefreshing = useStore(refreshing);
  const caughtUp = useStore(rooms, isCaughtUp);
  return { state: state === "live" && (isRefreshing || !caughtUp) ? "catching up" : state, retry: live.retry };
}
