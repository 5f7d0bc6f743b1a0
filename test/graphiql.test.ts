import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "./helpers/browser.js";
import { TestClient } from "./helpers/client.js";
import { execute, openGraphiql, response, setHeaders, showTab } from "./helpers/graphiql.js";
import { ownRedis } from "./helpers/redis.js";
import { ownServer } from "./helpers/server.js";

const redis = await ownRedis();
const server = await ownServer(redis.url, { demoData: true });
let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe("GraphiQL in a browser", () => {
  it("[GIQL3] logs in, follows and shows messages live, and takes nothing from elsewhere", async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(10_000); // ms
    const foreign: string[] = [];
    const complaints: string[] = [];
    page.on(
      "request",
      (request) => /^(blob:|data:)/.test(request.url()) || request.url().startsWith(server.url) || foreign.push(request.url()),
    );
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));

    await openGraphiql(page, server.url);
    await execute(page);
    await expect.poll(() => response(page)).toMatch(/"token": "1\./);
    const { login } = await new TestClient(server.url).ask('mutation { login(username: "Pablo", password: "password123") { token } }');
    const pablo = new TestClient(server.url, login.token);
    const headers = { Authorization: `Bearer ${login.token}` };

    await showTab(page, "Follow");
    await setHeaders(page, headers);
    await execute(page);
    await expect
      .poll(async () => {
        await pablo.send("Can you see this?");
        return response(page);
      })
      .toContain("Can you see this?");

    await showTab(page, "History");
    await setHeaders(page, headers);
    await execute(page);
    await expect.poll(() => response(page)).toContain('"text": "Hello!"');
    expect(foreign).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  });
});
