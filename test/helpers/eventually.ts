import { vi } from "vitest";

/** Waits until a check holds: as long as a busy machine may need, which is far longer than vitest's own second. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 100_000, interval: 50 });

/** How many times as long a promise in seconds may take here: the tests have to pass where eight other processes want the same two cores. */
export const BUSY = 5;
