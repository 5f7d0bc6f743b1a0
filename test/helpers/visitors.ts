import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { launchBrowser, type OpenPage, openPage } from "./browser.js";

/**
 * Returns a function that opens pages, each in a separate browser profile. They are closed after their test, which fails if a page has
 * complaints.
 */
export function visitors(): (url: string, options?: BrowserContextOptions) => Promise<Page> {
  let browser: Browser;
  let opened: OpenPage[] = [];
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    const pages = opened;
    opened = [];
    for (const { page } of pages) await page.context().close();
    expect(pages.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
  return async (url, options) => {
    const one = await openPage(browser, url, options);
    opened.push(one);
    return one.page;
  };
}
