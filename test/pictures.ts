/** Takes the README's screenshots of the running product: `npm run pictures`. Needs an emoji font, such as fonts-noto-color-emoji. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { BrowserContextOptions, Page } from "playwright-core";
import { startServer } from "../src/program/server.js";
import { readConfig } from "../src/program/settings.js";
import { launchBrowser } from "./helpers/browser.js";
import { execute, openGraphiql, response, showTab } from "./helpers/graphiql.js";

const folder = await mkdtemp(join(tmpdir(), "palaver-pictures-"));
const server = await startServer(readConfig({ port: "0", "data-dir": folder }, {}), pino({ level: "warn" }));
const browser = await launchBrowser();
try {
  const page = await browser.newPage({ viewport: { width: 1200, height: 720 } });
  page.setDefaultTimeout(10_000); // ms
  await openGraphiql(page, server.url);
  const mary = await logIn("Mary");
  await execute(page); // logs Pablo in
  while (!(await response(page)).includes("Pablo")) await page.waitForTimeout(100); // ms
  await showTab(page, "Follow");
  await execute(page);
  await page.getByRole("button", { name: "Stop query" }).waitFor();
  // The subscription is silent until an event arrives, so this sends messages until one shows.
  for (let attempt = 1; !(await response(page)).includes("good morning"); attempt++) {
    if (attempt > 50) throw new Error(`GraphiQL does not show the message, but ${await response(page)}`);
    await send(mary, "Pablo, good morning! The first users are in.");
    await page.waitForTimeout(100); // ms
  }
  await page.screenshot({ path: "docs/graphiql.png" });
  await page.close();

  await converse();
  const look = async (path: string, options: BrowserContextOptions, room = "General", then?: (page: Page) => Promise<unknown>) => {
    const chat = await (await browser.newContext({ deviceScaleFactor: 2, ...options })).newPage();
    chat.setDefaultTimeout(10_000); // ms
    await chat.goto(server.url);
    await chat.getByRole("button", { name: "Pablo", exact: true }).click();
    const rooms = chat.getByRole("navigation");
    if (room === "assistant") await chat.getByRole("region", { name: "People" }).getByRole("button", { name: room }).click();
    else await rooms.getByRole("button", { name: room }).click();
    await (then ? then(chat) : chat.getByText("nothing was missing").last().waitFor());
    await chat.getByText("Live", { exact: true }).first().waitFor({ state: "attached" });
    await chat.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await chat.mouse.move(0, 0); // hides a message's buttons
    await chat.screenshot({ path });
    await chat.context().close();
  };
  await look("docs/chat-light.png", { viewport: { width: 1200, height: 720 } });
  await look("docs/chat-dark.png", { viewport: { width: 1000, height: 720 }, colorScheme: "dark" }, "Launch", async (chat) => {
    await chat.getByRole("button", { name: /pinned/i }).click();
    await chat.getByRole("dialog").getByText("we go live on Monday").waitFor();
  });
  await look("docs/chat-phone.png", { viewport: { width: 390, height: 720 }, hasTouch: true, isMobile: true });
  await look("docs/assistant.png", { viewport: { width: 1000, height: 720 } }, "assistant", async (chat) => {
    await chat.getByLabel("Message to assistant").fill("Hello! How do I start a group?");
    await chat.keyboard.press("Enter");
    await chat.locator(".reply .text").waitFor();
    await chat.waitForTimeout(500); // ms; for some more words
  });
} finally {
  await browser.close();
  await server.stop();
  await rm(folder, { recursive: true });
}

/** Sends the messages for the pictures. */
async function converse(): Promise<void> {
  const [pablo, mary, joe] = [await logIn("Pablo"), await logIn("Mary"), await logIn("Joe")];
  const question = await send(pablo, "Good morning! @Mary, does it resume?");
  const answer = await send(mary, "It does. I closed my laptop for an hour, and nothing was missing when I came back.", question);
  for (const [token, emoji] of [
    [pablo, "🎉"],
    [joe, "🎉"],
    [joe, "👀"],
  ] as const)
    await ask(`mutation { react(messageId: "${answer}", emoji: "${emoji}") { id } }`, token);
  await ask('mutation { createRoom(name: "Weekend", memberIds: ["1", "3"]) { id } }', joe);

  const { createRoom } = await ask('mutation { createRoom(name: "Launch", memberIds: ["2", "3"]) { id } }', pablo);
  const { id: launch } = createRoom as { id: string };
  for (const token of [joe, mary]) await ask(`mutation { acceptInvitation(roomId: "${launch}") { id } }`, token);
  const plan = await send(joe, "The plan: we go live on Monday at 10.", null, launch);
  await ask(`mutation { pinMessage(messageId: "${plan}") { id } }`, pablo);
  await send(mary, "Works for me. I will update the docs on Sunday.", null, launch);
  await send(pablo, "And I will tag the release as soon as the last test passes.", null, launch);
}

async function logIn(username: string): Promise<string> {
  const { login } = await ask(`mutation { login(username: "${username}", password: "password123") { token } }`);
  return (login as { token: string }).token;
}

/** Sends a message, to the general room unless another is passed. @returns its id */
async function send(token = "", text = "", replyTo: string | null = null, roomId = "0"): Promise<string> {
  const sent = await ask(
    `mutation { send(roomId: "${roomId}", text: ${JSON.stringify(text)}, replyTo: ${JSON.stringify(replyTo)}) { id } }`,
    token,
  );
  return (sent.send as { id: string }).id;
}

async function ask(query: string, token?: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  return ((await response.json()) as { data: Record<string, unknown> }).data;
}
