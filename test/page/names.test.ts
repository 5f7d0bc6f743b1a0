import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { seriousFindings } from "../helpers/browser.js";
import { TestClient } from "../helpers/client.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";
import { visitors } from "../helpers/visitors.js";

const redis = await ownRedis();
const server = await ownServer(redis.url, { demoData: true, assistant: true });
const open = visitors();
const anonymous = new TestClient(server.url);

async function signIn(name: string): Promise<Page> {
  const page = await open(server.url, { viewport: { width: 1100, height: 800 } });
  await page.getByRole("button", { name, exact: true }).click();
  await page.getByRole("navigation").getByRole("button", { name: "General" }).click();
  return page;
}

async function logIn(username: string): Promise<TestClient> {
  const query = 'mutation ($u: String!) { login(username: $u, password: "password123") { token user { id } } }';
  const { token, user } = (await anonymous.ask(query, { u: username })).login;
  return new TestClient(server.url, token, user.id, username);
}

async function join(name: string): Promise<TestClient> {
  const query = "mutation ($n: String!) { joinAsGuest(name: $n) { token user { id } } }";
  const { token, user } = (await anonymous.ask(query, { n: name })).joinAsGuest;
  return new TestClient(server.url, token, user.id, name);
}

async function register(username: string, name: string): Promise<TestClient> {
  const query = 'mutation ($u: String!, $n: String!) { register(username: $u, password: "correct horse", name: $n) { token user { id } } }';
  const { token, user } = (await anonymous.ask(query, { u: username, n: name })).register;
  return new TestClient(server.url, token, user.id, username);
}

/** Returns the line with the author above a message. */
const author = (page: Page, text: string) =>
  page
    .locator(".message")
    .filter({ has: page.locator(".text", { hasText: text }) })
    .locator(".meta");

describe("names on the page", () => {
  it("[NAME4] mark guests and the assistant, and show usernames beside names that several users share", async () => {
    const pablo = await logIn("Pablo");
    const alone = await register("ada", "Ada Lovelace");
    await alone.send("I am Ada"); // so that Pablo's name appears above his next message
    await pablo.send("I am Pablo");
    const page = await signIn("Joe");
    await author(page, "I am Pablo").waitFor();
    expect(await author(page, "I am Pablo").innerText()).not.toContain("@");

    const guest = await join("PabIo"); // with a capital I
    const namesake = await register("not-pablo", "pablo");
    await guest.send("I am Pablo, too");
    await namesake.send("And so am I");
    await author(page, "I am Pablo, too").getByText(`guest ${guest.id}`, { exact: true }).waitFor();
    await author(page, "And so am I").getByText("@not-pablo", { exact: true }).waitFor();
    await author(page, "I am Pablo").first().getByText("@Pablo", { exact: true }).waitFor();
    expect(await author(page, "I am Ada").innerText()).not.toMatch(/@|guest/);
    expect(await page.getByRole("article", { name: "PabIo (guest)," }).count()).toBe(1);

    const people = page.getByRole("region", { name: "People" });
    await people.getByRole("button", { name: "Pablo @Pablo" }).waitFor();
    await people.getByRole("button", { name: "Assistant assistant" }).waitFor();

    const { openPrivateRoom } = await guest.ask('mutation { openPrivateRoom(userId: "2") { id } }'); // Joe
    await guest.send("psst", openPrivateRoom.id);
    const room = page.getByRole("navigation").getByRole("button", { name: `PabIo guest ${guest.id}` });
    await room.waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.reload(); // after this, only the room list shows the guest
    await room.click();
    await page.getByRole("heading", { name: `PabIo guest ${guest.id}` }).waitFor();
  });

  it("[NAME4] are refused on sign-up, like weak passwords, with a reason", async () => {
    const page = await open(server.url);
    const says = (words: string) => expect.poll(() => page.getByRole("alert").innerText()).toContain(words);
    await page.getByRole("button", { name: "Create account" }).click();
    const fill = async (username: string, name: string, password: string) => {
      await page.getByLabel("Username").fill(username);
      await page.getByLabel("Display name (optional)").fill(name);
      await page.getByLabel("Password", { exact: true }).fill(password);
      await page.keyboard.press("Enter");
    };
    await fill("PabIo", "", "correct horse");
    await says("is taken, or looks like one that is");
    await fill("newcomer", "Assistаnt", "correct horse");
    await says("the assistant's");
    await fill("newcomer", "", "newcomer1");
    await says("too easy to guess");
    await page.getByRole("button", { name: "Continue as guest" }).click();
    await page.getByLabel("Your name").fill("assistant");
    await page.keyboard.press("Enter");
    await says("the assistant's");
  });
});
