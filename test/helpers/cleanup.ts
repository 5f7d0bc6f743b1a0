import { afterAll, onTestFinished, TestRunner } from "vitest";

/** Ends a connection after the test or the file. Keeps no reference to a connection that is already closed. */
export function closeAfterwards<Connection extends { once(event: "close", listener: () => void): unknown }>(
  connection: Connection,
  end: (connection: Connection) => void,
): void {
  let open: Connection | undefined = connection;
  connection.once("close", () => {
    open = undefined;
  });
  cleanUp(() => open && end(open));
}

/** Runs `work` after the current test, or after the file if no test is running. */
export function cleanUp(work: () => unknown): void {
  if (TestRunner.getCurrentTest()) onTestFinished(async () => void (await work()));
  else afterAll(async () => void (await work()));
}
