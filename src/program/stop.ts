import type { Logger } from "pino";

const LONGEST = 9_000; // ms, so that a program ends within ten seconds, whatever Redis does

/**
 * Stops one part after the other. After the deadline, each step still begins, so that all connections are closed, but none is awaited.
 * @param patience additional ms for all steps together
 */
export async function stopInOrder(steps: Iterable<() => Promise<unknown>>, log: Logger, patience = 0): Promise<void> {
  const longest = LONGEST + patience;
  const deadline = AbortSignal.timeout(longest);
  const late = new Promise<"late">((resolve) => deadline.addEventListener("abort", () => resolve("late")));
  let gaveUp = false;
  for (const step of steps) {
    const stopped = step().catch((err: Error) => log.warn({ err }, "a part did not stop cleanly; stopping the rest"));
    if ((await Promise.race([stopped, late])) === "late") gaveUp = true;
  }
  if (gaveUp) log.warn(`not everything stopped within ${longest / 1_000} s; the program exits anyway`);
}
