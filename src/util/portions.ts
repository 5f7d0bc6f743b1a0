import { setTimeout as delay } from "node:timers/promises";

const PATIENCE = 10; // ms until the next portion starts, even if a part of a cluster has not answered for this one

/**
 * Maps items with an asynchronous function, at most `size` of them at a time. All commands of a server share one connection to Redis, so
 * thousands of commands sent together would delay everyone else's.
 */
export async function inPortions<T, R>(items: readonly T[], size: number, map: (item: T) => Promise<R>): Promise<R[]> {
  return mapPortions(items, size, map, (portion) => portion);
}

/** The same for work that takes as long as Redis is away: a portion does not wait until the one before is done. */
export async function startInPortions<T>(items: readonly T[], size: number, start: (item: T) => Promise<void>): Promise<void> {
  await mapPortions(items, size, start, (portion) => Promise.race([portion, delay(PATIENCE, undefined, { ref: false })]));
}

async function mapPortions<T, R>(
  items: readonly T[],
  size: number,
  map: (item: T) => Promise<R>,
  beforeNext: (portion: Promise<unknown>) => Promise<unknown>,
): Promise<R[]> {
  const portions: Promise<R[]>[] = [];
  for (let start = 0; start < items.length; start += size) {
    const portion = Promise.all(items.slice(start, start + size).map(map));
    portion.catch(() => {}); // thrown at the end
    portions.push(portion);
    await beforeNext(portion);
  }
  return (await Promise.all(portions)).flat() as R[];
}
