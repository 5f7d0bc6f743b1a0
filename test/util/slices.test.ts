import { expect, it } from "vitest";
import { Slices } from "../../src/util/slices.js";

/** Keeps the processor busy for some ms. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

it("[LIMIT8] begins what arrives together in order, and a little in each turn of the event loop, with what follows from it", async () => {
  const slices = new Slices();
  let turn = 0;
  let counting = true;
  const count = () => {
    turn++;
    if (counting) setImmediate(count);
  };
  const begun: { n: number; turn: number }[] = [];
  for (let n = 0; n < 30; n++) {
    // All in the same turn, each from an event of its own.
    setImmediate(() =>
      slices.run(() => {
        begun.push({ n, turn });
        void Promise.resolve().then(() => work(1)); // as after an `await`
      }),
    );
  }
  setImmediate(count);
  await expect.poll(() => begun.length).toBe(30);
  counting = false;
  expect(begun.map(({ n }) => n)).toEqual(Array.from({ length: 30 }, (_, n) => n));
  const perTurn = new Map<number, number>();
  for (const one of begun) perTurn.set(one.turn, (perTurn.get(one.turn) ?? 0) + 1);
  expect(Math.max(...perTurn.values())).toBeLessThanOrEqual(3);
});
