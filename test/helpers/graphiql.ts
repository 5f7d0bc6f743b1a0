import type { Page } from "playwright-core";

/** Opens GraphiQL, and waits until it is ready. */
export async function openGraphiql(page: Page, serverUrl: string): Promise<void> {
  await page.goto(`${serverUrl}/graphql`);
  await page.getByRole("button", { name: "Execute query" }).waitFor();
  await page.locator(".graphiql-query-editor .view-line").first().waitFor();
}

/** Shows the tab of an operation, and waits until GraphiQL has read it. Before that, GraphiQL would run the previous tab's operation. */
export async function showTab(page: Page, operation: string): Promise<void> {
  // With the keyboard, because GraphiQL mistakes a fast click on a tab for a drag.
  await page.getByRole("tab").getByRole("button", { name: operation, exact: true }).press("Enter");
  await page.locator(".graphiql-query-editor .view-line", { hasText: operation }).first().waitFor();
  // GraphiQL stores the tab shortly after it has read the tab's document.
  await page.waitForFunction((operation) => {
    const { activeTabIndex, tabs } = JSON.parse(localStorage.getItem("graphiql:tabState") ?? "{}");
    return tabs?.[activeTabIndex]?.operationName === operation;
  }, operation);
}

/** Fills the Headers pane of the tab that is shown. */
export async function setHeaders(page: Page, headers: Record<string, string>): Promise<void> {
  await page.getByRole("button", { name: "Headers" }).click();
  await page.locator(".graphiql-editor-tool .monaco-editor:visible").click();
  await page.keyboard.insertText(JSON.stringify(headers));
}

/** Presses ▶. */
export async function execute(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Execute query" }).click();
}

/** Returns the text of the response pane, whose editor uses no-break spaces. */
export async function response(page: Page): Promise<string> {
  const lines = await page.locator(".graphiql-response .view-line").allInnerTexts();
  return lines.join("\n").replaceAll("\u00a0", " ");
}
