import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { inPortions, startInPortions } from "../../src/util/portions.js";

it("[LIMIT8] runs many lookups in batches, in order, and stops at the first failure", async () => {
  let underWay = 0;
  let most = 0;
  const looked: number[] = [];
  const lookUp = async (n: number) => {
    most = Math.max(most, ++underWay);
    looked.push(n);
    await setImmediate();
    underWay--;
    if (n === 30) throw new Error("no");
    return n * 2;
  };
  const items = Array.from({ length: 25 }, (_, n) => n);
  expect(await inPortions(items, 10, lookUp)).toEqual(items.map((n) => n * 2));
  expect(most).toBe(10);
  expect(await inPortions([], 10, lookUp)).toEqual([]);
  looked.length = 0;
  await expect(inPortions([30, ...items], 10, lookUp)).rejects.toThrow("no");
  expect(looked.length).toBe(10);
});

it("[LIMIT8] does not wait long for a slow batch, but still reports its failure", async () => {
  let fail = (_: Error) => {};
  const begun: number[] = [];
  const all = startInPortions([0, 1, 2], 1, (n) => {
    begun.push(n);
    return n === 0 ? new Promise<void>((_, reject) => (fail = reject)) : Promise.resolve();
  });
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  fail(new Error("no"));
  await expect(all).rejects.toThrow("no");
});
