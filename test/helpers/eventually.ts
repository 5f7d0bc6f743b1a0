import { vi } from "vitest";

/** Waits until a check passes, as long as a busy machine may need, which is far longer than vitest's default of one second. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 100_000, interval: 50 });

/** The factor by which tests may exceed documented times: they must pass while eight other processes compete for the same two cores. */
export const BUSY = 5;
