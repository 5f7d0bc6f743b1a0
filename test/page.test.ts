import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningServer } from "../src/server/server.js";
import { launchBrowser } from "./helpers/browser.js";
import { ownRedis } from "./helpers/redis.js";
import { ownServer } from "./helpers/server.js";

const redis = await ownRedis();
let server: RunningServer = await ownServer(redis.url, { demoData: true });
let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** What the browsers would not do for the pages. */
const violations: string[] = [];

/** A browser of a person's own, signed in with one click, in the general room. */
async function signIn(name: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(10_000); // ms
  page.on("console", (message) => /content security policy/i.test(message.text()) && violations.push(message.text()));
  await page.goto(server.url);
  await page.getByRole("button", { name, exact: true }).click();
  await page.getByRole("navigation").getByRole("button", { name: "General" }).click();
  await page.getByLabel("Message to General").waitFor();
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message to General").fill(text);
  await page.keyboard.press("Enter");
}

describe("the page at /", () => {
  it("[PAGE1] two people chat, and a server that restarts in between loses and doubles nothing", async () => {
    const [pablo, mary] = [await signIn("Pablo"), await signIn("Mary")];
    const expected: string[] = [];
    for (let n = 1; n <= 6; n++) {
      if (n === 4) {
        const { port } = new URL(server.url);
        await server.stop();
        server = await ownServer(redis.url, { port: Number(port) });
      }
      await say(n % 2 ? pablo : mary, `word ${n}`);
      expected.push(`word ${n}`);
      for (const page of [pablo, mary]) {
        const said = page.getByRole("main").getByText(/^word \d+$/);
        await expect.poll(() => said.allInnerTexts(), { timeout: 20_000 }).toEqual(expected);
      }
    }
    expect(violations).toEqual([]);
  }, 90_000);
});
