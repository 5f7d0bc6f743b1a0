import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../helpers/browser.js";
import { cleanUp } from "../helpers/cleanup.js";
import { TestClient } from "../helpers/client.js";
import { execute, openGraphiql, response, setHeaders, showTab } from "../helpers/graphiql.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const server = await ownServer(redis.url, { demoData: true });
let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe("GraphiQL in a browser", () => {
  it("[GIQL3] logs in, subscribes and shows messages live, and loads nothing from other sites", async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(100_000); // ms
    const foreign: string[] = [];
    const complaints: string[] = [];
    page.on(
      "request",
      (request) => /^(blob:|data:)/.test(request.url()) || request.url().startsWith(server.url) || foreign.push(request.url()),
    );
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));

    await openGraphiql(page, server.url);
    await showTab(page, "Follow");
    await execute(page);
    await expect.poll(() => response(page)).toContain("UNAUTHENTICATED");
    await showTab(page, "LogIn");
    await execute(page); // one login is enough for all tabs
    await expect.poll(() => response(page)).toContain('"name": "Pablo"');
    expect(await response(page)).not.toContain("token");
    const { login } = await new TestClient(server.url).ask('mutation { login(username: "Pablo", password: "password123") { token } }');
    const pablo = new TestClient(server.url, login.token);

    await showTab(page, "Follow");
    await execute(page);
    await expect
      .poll(async () => {
        await pablo.send("Can you see this?");
        return response(page);
      })
      .toContain("Can you see this?");

    await openGraphiql(page, server.url);
    await showTab(page, "History");
    await execute(page);
    await expect.poll(() => response(page)).toContain('"text": "Hello!"');
    expect(foreign).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("[GIQL3] accepts a token in the Headers pane, and asks for a new login when it ends", async () => {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(100_000); // ms
    const alice = await TestClient.register(server, "alice");
    await openGraphiql(page, server.url);
    await showTab(page, "Rooms");
    await setHeaders(page, { Authorization: `Bearer ${alice.token}` });
    await execute(page);
    await expect.poll(() => response(page)).toContain(`"id": "${alice.id}"`);
    await alice.ask("mutation { logout }");
    await execute(page);
    await expect.poll(() => response(page)).toContain("Log in again");
    await page.context().close();
  });
});

describe("a page of another origin", () => {
  it("[SEC1] can read only the reason for its refusal", async () => {
    const other = createServer((_request, response) => response.setHeader("content-type", "text/html").end("<!doctype html>"));
    cleanUp(() => other.close());
    await once(other.listen(0, "127.0.0.1"), "listening");
    const page = await (await browser.newContext()).newPage();
    await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}`);
    const ask = (path: string, init: RequestInit) =>
      page.evaluate(
        async ([url, init]) => {
          try {
            const response = await fetch(url, init);
            return `${response.status} ${await response.text()}`;
          } catch (error) {
            return String(error);
          }
        },
        [server.url + path, init] as const,
      );
    const json = {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer x" },
      body: '{"query":"{ me { id } }"}',
    };
    expect(await ask("/graphql", json)).toMatch(/^403 .*ALLOWED_ORIGINS/);
    expect(await ask("/graphql?query={me{id}}", {})).toMatch(/^403 .*ALLOWED_ORIGINS/);
    expect(await ask("/graphql", { ...json, credentials: "include" })).toContain("Failed to fetch");
    expect(await ask("/metrics", {})).toMatch(/^403 /);
    await page.context().close();
  });
});
