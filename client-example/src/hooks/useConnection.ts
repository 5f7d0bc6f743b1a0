import { useSyncExternalStore } from "react";
import { useApi } from "../api";
import type { LiveStatus } from "../live";

/** How the live connection stands. */
export function useConnection(): LiveStatus {
  const { live } = useApi();
  return useSyncExternalStore(live.onStatus, () => live.status);
}
