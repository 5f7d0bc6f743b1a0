import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

const AT_END = 40; // px from the end within which a reader who scrolls down counts as at the end

/** A row on the screen, and the distance of its top from the upper edge (px). */
type Seen = readonly [row: Element, top: number];

/**
 * Keeps the reader's place in a list that grows and shrinks at both ends, and whose rows may change height at any time. The first
 * row on the screen stays where it is; a reader at the end stays there. Only the reader's own scrolling moves what they see.
 *
 * The styles turn the browser's scroll anchoring off: not every browser has it, and none applies it at the very top of a list.
 * @param scroller the scrolling element; the rows are the elements in it that match `rows`
 * @param goesOn whether newer rows are not loaded yet, so that the last row is not the end
 */
export function usePlace(scroller: RefObject<HTMLElement | null>, rows: string, goesOn: boolean) {
  const [isAtEnd, setIsAtEnd] = useState(true);
  const place = useRef({ isAtEnd: true, top: 0, height: 0, seen: [] as Seen[] });

  const follow = useCallback((isFollowing: boolean) => {
    place.current.isAtEnd = isFollowing; // readers of the ref see it before the next render
    setIsAtEnd(isFollowing);
  }, []);

  /** Called after any change: the reader scrolled, rows were added or removed, or a height changed. Several may have happened at once. */
  const keep = useCallback(() => {
    const { current: element } = scroller;
    const { current: before } = place;
    if (!element) return;
    const { scrollTop, scrollHeight, clientHeight } = element;
    const below = scrollHeight - clientHeight - scrollTop;
    // Rows that are added or grow do not scroll. When a list shrinks, the browser may scroll to its end.
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

  useLayoutEffect(keep); // at each render, before the browser paints

  useEffect(() => {
    const { current: element } = scroller;
    if (!element) return;
    const observer = new ResizeObserver(keep);
    for (const one of [element, ...element.children]) observer.observe(one);
    return () => observer.disconnect();
  }, [scroller, keep]);

  return {
    /** Whether the reader is at the end and follows it. */
    isAtEnd,
    /** The same, but current rather than as of the last render. */
    isFollowing: useCallback(() => place.current.isAtEnd, []),
    toEnd: useCallback(() => {
      follow(true);
      if (scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
      keep();
    }, [scroller, follow, keep]),
    /** Stops following the end. */
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
