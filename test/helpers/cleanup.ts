import { afterAll, onTestFinished } from "vitest";
import { getCurrentTest } from "vitest/suite";

/** Does this when the test that runs is finished, or where none runs, when the file is. */
export function cleanUp(work: () => unknown): void {
  if (getCurrentTest()) onTestFinished(async () => void (await work()));
  else afterAll(async () => void (await work()));
}
