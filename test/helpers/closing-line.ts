import type { Reporter, TestModule } from "vitest/node";

/** Ends the run with a line that a script can read: `N passed, N failed`. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const broken = modules.filter((module) => module.state() === "failed" && module.children.size === 0).length;
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    process.stdout.write(`\n${count("passed")} passed, ${count("failed") + broken + unhandledErrors.length} failed\n`);
  }
}
