import { useSyncExternalStore } from "react";

const PREFIX = "#room=";
const WIDE = matchMedia("(min-width: 48rem)"); // as in ChatPage.css
const GENERAL = "0";

/**
 * The current room, and a function that shows another. The address names the room, so that a phone's "back" leads to the list.
 * If list and room fit side by side, the general room is the default.
 */
export function useShownRoom(): [roomId: string | undefined, show: (roomId: string | undefined) => void] {
  const hash = useSyncExternalStore(onHash, () => location.hash);
  const isWide = useSyncExternalStore(onWidth, () => WIDE.matches);
  return [roomIn(hash) ?? (isWide ? GENERAL : undefined), show];
}

/** @returns undefined if the address names no room, or cannot be decoded */
function roomIn(hash: string): string | undefined {
  if (!hash.startsWith(PREFIX)) return undefined;
  try {
    return decodeURIComponent(hash.slice(PREFIX.length));
  } catch {
    return undefined;
  }
}

function show(roomId: string | undefined): void {
  location.hash = roomId === undefined ? "" : PREFIX + encodeURIComponent(roomId);
}

function onHash(listener: () => void) {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

function onWidth(listener: () => void) {
  WIDE.addEventListener("change", listener);
  return () => WIDE.removeEventListener("change", listener);
}
