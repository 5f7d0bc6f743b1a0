import type { Logger } from "pino";

const LONGEST = 9_000; // ms: so that a program has ended within ten seconds, whatever Redis does

/**
 * Stops one part after the other. Past the time each step still begins, so that all connections are closed; none is waited for.
 * @param patience ms that the parts may take in addition
 */
export async function stopInOrder(steps: Iterable<() => Promise<unknown>>, log: Logger, patience = 0): Promise<void> {
  const longest = LONGEST + patience;
  const deadline = AbortSignal.timeout(longest);
  const late = new Promise<"late">((resolve) => deadline.addEventListener("abort", () => resolve("late")));
  let gaveUp = false;
  for (const step of steps) {
    const stopped = step().catch((err: Error) => log.warn({ err }, "a part did not stop cleanly"));
    if ((await Promise.race([stopped, late])) === "late") gaveUp = true;
  }
  if (gaveUp) log.warn(`not everything stopped within ${longest / 1_000} s; the program ends all the same`);
}
