import { afterAll, onTestFinished, TestRunner } from "vitest";

/** Does this when the test that runs is finished, or where none runs, when the file is. */
export function cleanUp(work: () => unknown): void {
  if (TestRunner.getCurrentTest()) onTestFinished(async () => void (await work()));
  else afterAll(async () => void (await work()));
}
