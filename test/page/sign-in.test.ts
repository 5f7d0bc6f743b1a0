import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { seriousFindings } from "../helpers/browser.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";
import { visitors } from "../helpers/visitors.js";

const redis = await ownRedis();
const server = await ownServer(redis.url, { demoData: true });
const visit = visitors();
const open = (options: BrowserContextOptions = {}, url = server.url) => visit(url, options);

const isIn = (page: Page) => page.getByRole("navigation").getByRole("button", { name: "General" }).waitFor();
const isOut = (page: Page) => page.getByRole("heading", { name: "Sign in" }).waitFor();

async function register(page: Page, username: string): Promise<void> {
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Display name (optional)").fill("نینا");
  await page.getByLabel("Password", { exact: true }).fill("correct horse");
  await page.keyboard.press("Enter");
  await isIn(page);
}

describe("signing in", () => {
  it("[PAGE15] lets users register, stay signed in over a reload, sign out, and sign in again", async () => {
    const page = await open();
    await register(page, "nina");
    expect(await page.context().cookies()).toMatchObject([{ name: "palaver-session", httpOnly: true, sameSite: "Strict" }]);
    expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]))).not.toContain(
      "session",
    );
    await page.reload();
    await isIn(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await isOut(page);

    await page.getByLabel("Username").fill("nina");
    await page.getByLabel("Password", { exact: true }).fill("wrong horse");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect.poll(() => page.getByRole("alert").innerText()).toContain("is wrong");
    await page.getByRole("button", { name: "Show password" }).click();
    await page.getByLabel("Password", { exact: true }).fill("correct horse");
    await page.keyboard.press("Enter");
    await isIn(page);
  });

  it("[PAGE15] lets a guest join with a name, chat, and become an account", async () => {
    const page = await open();
    await page.getByRole("button", { name: "Continue as guest" }).click();
    await page.getByLabel("Your name").fill("Passer-by");
    await page.keyboard.press("Enter");
    await isIn(page);
    await page.locator("footer", { hasText: "Passer-by guest" }).waitFor();
    expect(await page.getByRole("button", { name: "New group" }).count()).toBe(0);
    await page.getByRole("navigation").getByRole("button", { name: "General" }).click();
    await page.getByLabel("Message to General").fill("just looking");
    await page.keyboard.press("Enter");
    await page.locator(".message", { hasText: "just looking" }).waitFor();

    await page.getByRole("button", { name: "Create account" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Username").fill("Joe"); // exists already
    await dialog.getByLabel("Password").fill("a good password");
    await page.keyboard.press("Enter");
    await dialog.getByRole("alert").filter({ hasText: "taken" }).waitFor();
    await dialog.getByLabel("Username").fill("passer.by");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "New group" }).waitFor();
    await page.locator("footer", { hasText: "Passer-by" }).waitFor();
    expect(await page.getByText("guest").count()).toBe(0);
    await page.locator(".message.mine", { hasText: "just looking" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await isOut(page);
    await page.getByLabel("Username").fill("passer.by");
    await page.getByLabel("Password", { exact: true }).fill("a good password");
    await page.keyboard.press("Enter");
    await isIn(page);
  });

  it("[PAGE16] and signing out in one tab apply to all tabs", async () => {
    const page = await open();
    const tab = await page.context().newPage();
    await tab.goto(server.url);
    await isOut(tab);
    await page.getByRole("button", { name: "Joe" }).click();
    await isIn(page);
    await isIn(tab);
    await tab.getByRole("button", { name: "Sign out" }).click();
    await isOut(page);
  });

  it("[PAGE16] is offered with a reason when the server ends the session", async () => {
    const page = await open();
    await page.getByRole("button", { name: "Alex" }).click();
    await isIn(page);
    const other = await open();
    await other.getByRole("button", { name: "Alex" }).click();
    await isIn(other);
    await other.evaluate(() =>
      fetch("/graphql", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query: "mutation { logout(everywhere: true) }" }),
      }),
    );
    await page.getByText("Your session has ended.").waitFor();
  });

  it("[PAGE16] continues by itself after an outage of the server, which the page reports", async () => {
    const page = await open();
    await page.getByRole("button", { name: "Mary" }).click();
    await isIn(page);
    await page.context().route("**/graphql", (route) => route.abort());
    await page.reload();
    await page.getByText("The server cannot be reached.").waitFor();
    await page.context().unroute("**/graphql");
    await isIn(page);
  });

  it("[PAGE17] offers demo accounts only if the server has some", async () => {
    const page = await open();
    await page.getByRole("heading", { name: "Try a demo account" }).waitFor();
    const { url } = await ownServer((await ownRedis()).url, { demoData: false });
    const bare = await open({}, url);
    await isOut(bare);
    expect(await bare.getByRole("heading", { name: "Try a demo account" }).count()).toBe(0);
  });

  it.each(["light", "dark"] as const)("[PAGE9] has no serious axe finding in %s colors, and fits a phone", async (colorScheme) => {
    const page = await open({ colorScheme, viewport: { width: 360, height: 720 } });
    await isOut(page);
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole("button", { name: "Create account" }).click();
    expect(await seriousFindings(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });
});
