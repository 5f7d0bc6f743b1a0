import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { launchBrowser, type OpenPage, openPage } from "./browser.js";

/**
 * Returns a function that opens pages, each in a separate browser profile. They are closed after their test, which fails if a page has
 * complaints. If the test fails, the output shows what each page showed.
 */
export function visitors(): (url: string, options?: BrowserContextOptions) => Promise<Page> {
  let browser: Browser;
  let opened: OpenPage[] = [];
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());
  afterEach(async ({ task }) => {
    const pages = opened;
    opened = [];
    if (task.result?.state === "fail")
      for (const { page } of pages) process.stderr.write(`${task.name}: a page shows\n  ${await shownOn(page)}\n`);
    for (const { page } of pages) await page.context().close();
    expect(pages.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
  return async (url, options) => {
    const one = await openPage(browser, url, options);
    opened.push(one);
    return one.page;
  };
}

/** The beginning and the end of a page's text, and its address. */
async function shownOn(page: Page): Promise<string> {
  const text = await page.locator("body").innerText({ timeout: 5_000 }).catch(String);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return [page.url(), ...(lines.length > 80 ? [...lines.slice(0, 40), "…", ...lines.slice(-40)] : lines)].join("\n  ");
}
