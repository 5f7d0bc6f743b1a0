import { useEffect, useState } from "react";
import type { Room } from "../chat/rooms";

/**
 * The message after which the new ones begin: the read marker when the room was opened, or when a message arrived while the user was
 * not reading. It stays while the user reads.
 * @returns null for the room's beginning, undefined if nothing is new
 */
export function useDivider({ unread, readUpTo }: Room, isReading: boolean) {
  const hasNews = unread.count > 0;
  const [divider, setDivider] = useState(hasNews ? readUpTo : undefined);
  const comes = hasNews && !isReading;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the read marker at the moment when the message arrived
  useEffect(() => {
    if (comes) setDivider(readUpTo);
  }, [comes]);
  return { divider, clear: () => setDivider(undefined) };
}
