import { setTimeout as delay } from "node:timers/promises";

/**
 * Maps items with an asynchronous function, at most `size` of them at a time. All commands of a server share one connection to Redis, so
 * thousands of commands sent together would delay everyone else's.
 * @param patience ms after which the next portion starts even if this one is not done, as when a part of a cluster does not answer
 */
export async function inPortions<T, R>(
  items: readonly T[],
  size: number,
  map: (item: T) => Promise<R>,
  patience = Number.POSITIVE_INFINITY,
): Promise<R[]> {
  const results: Promise<R>[] = [];
  for (let start = 0; start < items.length; start += size) {
    const portion = items.slice(start, start + size).map(map);
    results.push(...portion);
    const done = Promise.all(portion);
    done.catch(() => {}); // thrown at the end
    await (patience < Number.POSITIVE_INFINITY ? Promise.race([done, delay(patience, undefined, { ref: false })]) : done);
  }
  return Promise.all(results);
}
