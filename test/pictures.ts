/** Takes the README's pictures of the built product as it runs: `npm run pictures`. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { readConfig } from "../src/config.js";
import { startServer } from "../src/server/server.js";
import { launchBrowser } from "./helpers/browser.js";
import { execute, openGraphiql, response, setHeaders, showTab } from "./helpers/graphiql.js";

const folder = await mkdtemp(join(tmpdir(), "palaver-pictures-"));
const server = await startServer(readConfig({ port: "0", "data-dir": folder }, {}), pino({ level: "warn" }));
const browser = await launchBrowser();
try {
  const page = await browser.newPage({ viewport: { width: 1200, height: 720 } });
  page.setDefaultTimeout(10_000); // ms
  await openGraphiql(page, server.url);
  const tokens = [await logIn("Pablo"), await logIn("Mary")];
  await showTab(page, "Follow");
  await setHeaders(page, { Authorization: `Bearer ${tokens[0]}` });
  await execute(page);
  await page.getByRole("button", { name: "Stop query" }).waitFor();
  // The subscription has no answer until something happens: something does, until it shows.
  for (let attempt = 1; !(await response(page)).includes("good morning"); attempt++) {
    if (attempt > 50) throw new Error(`GraphiQL does not show the message, but: ${await response(page)}`);
    await send(tokens[1], "Pablo, good morning! The first users are in.");
    await page.waitForTimeout(100); // ms
  }
  await page.screenshot({ path: "docs/graphiql.png" });
  await page.close();

  const chat = await browser.newPage({ viewport: { width: 1200, height: 720 } });
  await chat.goto(server.url);
  await chat.getByRole("button", { name: "Pablo", exact: true }).click();
  await chat.getByRole("navigation").getByRole("button", { name: "General" }).click();
  await chat.getByLabel("Message to General").fill("Good morning, Mary! Does it resume?");
  await chat.keyboard.press("Enter");
  await chat.getByText("Does it resume?").first().waitFor();
  await send(tokens[1], "It does. I closed my laptop for an hour, and nothing was missing when I came back.");
  await chat.getByText("nothing was missing").last().waitFor();
  await chat.screenshot({ path: "docs/chat.png" });
} finally {
  await browser.close();
  await server.stop();
  await rm(folder, { recursive: true });
}

async function logIn(username: string): Promise<string> {
  const { login } = await ask(`mutation { login(username: "${username}", password: "password123") { token } }`);
  return (login as { token: string }).token;
}

async function send(token = "", text = ""): Promise<void> {
  await ask(`mutation { send(roomId: "0", text: ${JSON.stringify(text)}) { id } }`, token);
}

async function ask(query: string, token?: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  return ((await response.json()) as { data: Record<string, unknown> }).data;
}
