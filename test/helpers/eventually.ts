import { vi } from "vitest";

/** Waits until a check holds: as long as a busy machine may need, which is far longer than vitest's own second. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 30_000, interval: 50 });
