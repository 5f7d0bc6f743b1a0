import { afterAll, onTestFinished, TestRunner } from "vitest";

/** Ends a connection when the test or the file is finished; one that is closed by then is not held on to. */
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

/** Does this when the test that runs is finished, or where none runs, when the file is. */
export function cleanUp(work: () => unknown): void {
  if (TestRunner.getCurrentTest()) onTestFinished(async () => void (await work()));
  else afterAll(async () => void (await work()));
}
