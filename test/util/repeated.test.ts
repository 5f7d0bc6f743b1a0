import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { Repeated } from "../../src/util/repeated.js";

it("[SWEEP1] runs one at a time, again after an error, and not after a stop that waits for the current run", async () => {
  const [errors, ends] = [[] as string[], [] as (() => void)[]];
  let [running, mostAtOnce, begun] = [0, 0, 0];
  const runs = new Repeated(
    async () => {
      mostAtOnce = Math.max(mostAtOnce, ++running);
      begun++;
      await new Promise<void>((resolve) => ends.push(resolve));
      running--;
      if (begun === 1) throw new Error("first");
    },
    1,
    ({ message }) => errors.push(message),
  );
  await expect.poll(() => begun).toBe(1);
  ends[0]?.();
  await expect.poll(() => begun).toBe(2);
  expect(errors).toEqual(["first"]);

  let stopped = false;
  const stopping = runs.stop().then(() => {
    stopped = true;
  });
  await setImmediate();
  expect([runs.stopped, stopped, running]).toEqual([true, false, 1]);
  ends[1]?.();
  await stopping;
  expect([running, mostAtOnce, begun]).toEqual([0, 1, 2]);
});
