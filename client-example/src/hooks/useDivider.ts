import { useEffect, useState } from "react";
import type { Room } from "../chat/rooms";

/**
 * After which message the new ones begin: where the user had read up to when the room was opened, or when they looked
 * away and something came. It stays while they read.
 * @returns null for the room's beginning, undefined where nothing is new
 */
export function useDivider({ unread, readUpTo }: Room, isReading: boolean) {
  const hasNews = unread.count > 0;
  const [divider, setDivider] = useState(hasNews ? readUpTo : undefined);
  const comes = hasNews && !isReading;
  // biome-ignore lint/correctness/useExhaustiveDependencies: where they had read up to at the moment when it came
  useEffect(() => {
    if (comes) setDivider(readUpTo);
  }, [comes]);
  return { divider, clear: () => setDivider(undefined) };
}
