import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { Work } from "../../src/api/work.js";

it("[LIMIT8] one operation reads few messages at a time, however many pages it asks for", async () => {
  const work = new Work();
  let reading = 0;
  let most = 0;
  const done: number[] = [];
  const page = (n: number, count: number) =>
    work.reading(count, async () => {
      reading += count;
      most = Math.max(most, reading);
      await setImmediate();
      reading -= count;
      done.push(n);
      if (n === 3) throw new Error("no");
    });
  const pages = await Promise.allSettled(Array.from({ length: 17 }, (_, n) => page(n, 100)));
  expect(pages.filter(({ status }) => status === "rejected")).toHaveLength(1);
  expect(done).toEqual(Array.from({ length: 17 }, (_, n) => n));
  expect(most).toBe(100);

  most = 0;
  await Promise.all(Array.from({ length: 50 }, (_, n) => page(n + 100, 1)));
  expect(most).toBe(50); // the newest message of each room of a list
  await page(500, 1_000);
});
