import type { Page } from "playwright-core";
import { expect } from "vitest";

/** A record of a scrolled list over all frames. */
interface Seen {
  /** The numbers in the texts of all messages that were on the screen. */
  numbers: number[];
  /** The farthest that a row moved against the scroll direction between two frames (px). */
  against: number;
}

/** Starts to record, at each frame, the visible messages and their places. @param hand 1 if rows should move down, -1 if up */
export async function watchRows(page: Page, hand: 1 | -1): Promise<void> {
  await page.locator(".scroller").evaluate((scroller, direction) => {
    const seen = { numbers: new Set<number>(), against: 0, isOver: false };
    Object.assign(globalThis, { seen });
    let before = new Map<string, number>();
    const look = () => {
      const { top, bottom } = scroller.getBoundingClientRect();
      const now = new Map<string, number>();
      for (const row of scroller.querySelectorAll<HTMLElement>(".message[data-id]")) {
        const rect = row.getBoundingClientRect();
        if (rect.bottom <= top || rect.top >= bottom) continue;
        const { id = "" } = row.dataset;
        now.set(id, rect.top);
        seen.numbers.add(Number(/message (\d+)/.exec(row.querySelector(".text")?.textContent ?? "")?.[1]));
      }
      // Compares the first row of the previous frame, because rows below it may grow or be inserted.
      const first = [...before].find(([id]) => now.has(id));
      if (first) seen.against = Math.max(seen.against, (first[1] - (now.get(first[0]) as number)) * direction);
      before = now;
      if (!seen.isOver) requestAnimationFrame(afterwards);
    };
    // Looks after the paint, because the layout is not final while a frame's callbacks run.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = look;
    const afterwards = () => port2.postMessage(undefined);
    requestAnimationFrame(afterwards);
  }, hand);
}

/** Returns the record since `watchRows`. */
export async function seenRows(page: Page): Promise<Seen> {
  return page.evaluate(() => {
    const { seen } = globalThis as unknown as { seen: { numbers: Set<number>; against: number } };
    return { numbers: [...seen.numbers].sort((one, other) => one - other), against: seen.against };
  });
}

/** Scrolls until `isThere` holds for the messages seen, then asserts that no message was skipped and none jumped. */
export async function expectNothingSkipped(page: Page, isThere: (numbers: number[]) => boolean, move: () => Promise<void>): Promise<void> {
  for (let step = 0; step < 5_000; step++) {
    await move();
    await frame(page);
    if (step % 10 === 0 && isThere((await seenRows(page)).numbers)) break;
  }
  const { numbers, against } = await seenRows(page);
  expect(isThere(numbers)).toBe(true);
  const [first = 0] = numbers;
  expect(numbers).toEqual(numbers.map((_, index) => first + index)); // none is missing
  expect(against).toBeLessThan(3); // px
}

/** Waits until the page has drawn a frame. */
export const frame = (page: Page) =>
  page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
