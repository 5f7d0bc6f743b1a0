import { useSyncExternalStore } from "react";

const PREFIX = "#room=";
const WIDE = matchMedia("(min-width: 48rem)"); // as in styles.css
const GENERAL = "0";

/**
 * The room that is shown, and how to show another. It stands in the address, so that a phone's "back" leads to the list.
 * Where list and room fit side by side, it is the general room unless another is chosen.
 */
export function useShownRoom(): [roomId: string | undefined, show: (roomId: string | undefined) => void] {
  const hash = useSyncExternalStore(onHash, () => location.hash);
  const isWide = useSyncExternalStore(onWidth, () => WIDE.matches);
  return [roomIn(hash) ?? (isWide ? GENERAL : undefined), show];
}

/** @returns undefined where the address names none, or cannot be read */
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
