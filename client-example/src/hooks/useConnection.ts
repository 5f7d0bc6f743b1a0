import { isCaughtUp } from "../chat/rooms";
import { useChat, useStore } from "./useChat";

/** `catching up`: connected, and missed events are still on their way. */
export type ConnectionState = "connecting" | "catching up" | "live" | "offline";

/** The state of the live connection, and a function that retries at once. */
export function useConnection(): { state: ConnectionState; retry: () => void } {
  const { live, refreshing, rooms } = useChat();
  const { state } = useStore(live.status);
  const isRefreshing = useStore(refreshing);
  const caughtUp = useStore(rooms, isCaughtUp);
  return { state: state === "live" && (isRefreshing || !caughtUp) ? "catching up" : state, retry: live.retry };
}
