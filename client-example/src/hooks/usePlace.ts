import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

const AT_END = 40; // px from the end within which a reader who scrolls down has arrived there

/** A row on the screen, and how far below the upper edge it begins (px). */
type Seen = readonly [row: Element, top: number];

/**
 * Keeps the reader's place in a list that grows and shrinks at both ends, and whose rows may change their height at any time. The first
 * row on the screen stays where it is; a reader at the end stays there. Only the reader's own scrolling moves what they see.
 *
 * The browser's scroll anchoring is off (in the styles): not every browser has it, and none at the very top of a list.
 * @param scroller what scrolls; the rows that count are those in it that match `rows`
 * @param goesOn whether the list goes on after its last row, so that its end is not the end
 */
export function usePlace(scroller: RefObject<HTMLElement | null>, rows: string, goesOn: boolean) {
  const [isAtEnd, setIsAtEnd] = useState(true);
  const place = useRef({ isAtEnd: true, top: 0, height: 0, seen: [] as Seen[] });

  const follow = useCallback((isFollowing: boolean) => {
    place.current.isAtEnd = isFollowing; // known before the next render
    setIsAtEnd(isFollowing);
  }, []);

  /** After anything: the reader scrolled, rows came or went, or a height changed. More than one may be true. */
  const keep = useCallback(() => {
    const { current: element } = scroller;
    const { current: before } = place;
    if (!element) return;
    const { scrollTop, scrollHeight, clientHeight } = element;
    const below = scrollHeight - clientHeight - scrollTop;
    // Rows that come or grow do not scroll. Of a list that shrank, the browser shows the end.
    const byHand = below <= 1 ? Math.max(0, scrollTop - before.top) : scrollTop - before.top;
    if (byHand < 0 && below > 1) follow(false);
    if (before.isAtEnd) {
      if (scrollHeight - clientHeight !== before.height) element.scrollTop = scrollHeight;
    } else {
      const [row, top = 0] = before.seen.find(([{ isConnected }]) => isConnected) ?? [];
      const moved = row ? topOf(row, element) - (top - byHand) : 0;
      if (Math.abs(moved) >= 1) element.scrollTop += moved;
      else if (!goesOn && byHand >= 0 && below < AT_END) follow(true);
    }
    before.top = element.scrollTop;
    before.height = scrollHeight - clientHeight;
    before.seen = seenIn(element, rows);
  }, [scroller, rows, goesOn, follow]);

  useLayoutEffect(keep); // with each render, before it shows

  useEffect(() => {
    const { current: element } = scroller;
    if (!element) return;
    const observer = new ResizeObserver(keep);
    for (const one of [element, ...element.children]) observer.observe(one);
    return () => observer.disconnect();
  }, [scroller, keep]);

  return {
    /** Whether the reader is at the end, and follows it. */
    isAtEnd,
    /** The same, as it is now rather than at the last render. */
    isFollowing: useCallback(() => place.current.isAtEnd, []),
    toEnd: useCallback(() => {
      follow(true);
      if (scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
      keep();
    }, [scroller, follow, keep]),
    /** Does not follow the end any more. */
    leaveEnd: useCallback(() => follow(false), [follow]),
    /** For each `scroll` event. */
    keep,
  };
}

function topOf(row: Element, scroller: Element): number {
  return row.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
}

function seenIn(scroller: Element, rows: string): Seen[] {
  const { top, bottom } = scroller.getBoundingClientRect();
  const seen: Seen[] = [];
  for (const row of scroller.querySelectorAll(rows)) {
    const rect = row.getBoundingClientRect();
    if (rect.top >= bottom) break;
    if (rect.bottom > top) seen.push([row, rect.top - top]);
  }
  return seen;
}
