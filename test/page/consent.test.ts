import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { seriousFindings } from "../helpers/browser.js";
import { TestClient } from "../helpers/client.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";
import { visitors } from "../helpers/visitors.js";

const redis = await ownRedis();
const server = await ownServer(redis.url, { demoData: true });
const open = visitors();

async function signIn(name: string): Promise<Page> {
  const page = await open(server.url, { viewport: { width: 1100, height: 700 } });
  await page.getByRole("button", { name, exact: true }).click();
  await page.getByRole("navigation").getByRole("button", { name: "General" }).waitFor();
  return page;
}

const rooms = (page: Page) => page.getByRole("navigation");

async function createGroup(owner: TestClient, name: string): Promise<string> {
  const { createRoom } = await owner.ask("mutation ($n: String!) { createRoom(name: $n) { id } }", { n: name });
  return createRoom.id;
}

it("[INV6] shows invitations in every tab until they are accepted, declined or withdrawn", async () => {
  const eve = await TestClient.register(server, "eve");
  const [page, tab] = [await signIn("Mary"), await signIn("Mary")];
  const { user: mary } = await eve.ask('{ user(username: "Mary") { id } }');
  const add = "mutation ($r: ID!, $u: ID!) { addMember(roomId: $r, userId: $u) { id } }";
  const [book, chess, spam] = [await createGroup(eve, "Books"), await createGroup(eve, "Chess"), await createGroup(eve, "Spam")];
  for (const r of [book, chess, spam]) await eve.ask(add, { r, u: mary.id });
  for (const one of [page, tab])
    for (const name of ["Books", "Chess", "Spam"]) await one.getByRole("button", { name: `Accept ${name}` }).waitFor();
  expect(await rooms(page).getByRole("button", { name: "Books" }).count()).toBe(0);
  expect(await seriousFindings(page)).toEqual([]);

  await page.getByRole("button", { name: "Decline Chess" }).click();
  await eve.ask("mutation ($r: ID!, $u: ID!) { removeMember(roomId: $r, userId: $u) { id } }", { r: spam, u: mary.id });
  for (const one of [page, tab])
    for (const name of ["Chess", "Spam"]) await one.getByRole("button", { name: `Accept ${name}` }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Accept Books" }).click();
  await page.getByRole("heading", { name: "Books" }).waitFor();
  await page.getByLabel("Message to Books").fill("thank you");
  await page.keyboard.press("Enter");
  await expect.poll(() => eve.history(book)).toEqual(["thank you"]);
  await rooms(tab).getByRole("button", { name: /Books/ }).waitFor();
  await tab.getByRole("region", { name: "Invitations" }).waitFor({ state: "detached" });
});

it("[INV6] shows an added stranger as invited, and lets the inviter withdraw the invitation", async () => {
  const eve = await TestClient.register(server, "eve");
  const page = await signIn("Joe");
  await page.getByRole("button", { name: "New group" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox").first().fill("Plans");
  await dialog.locator("form button.primary").click();
  await page.getByRole("heading", { name: "Plans" }).waitFor();
  await page.getByRole("button", { name: "Members and settings" }).click();
  await dialog.getByRole("button", { name: "Add people" }).click();
  await dialog.getByRole("searchbox").fill(eve.username);
  await dialog.getByRole("button", { name: `Add ${eve.username}` }).click();
  await dialog.getByRole("list", { name: "Invited" }).getByText("invited").waitFor();
  expect((await eve.ask("{ invitations { nodes { roomName } } }")).invitations.nodes).toEqual([{ roomName: "Plans" }]);
  await dialog.getByRole("button", { name: `Withdraw invitation for ${eve.username}` }).click();
  await dialog.getByRole("list", { name: "Invited" }).waitFor({ state: "detached" });
  expect((await eve.ask("{ invitations { nodes { roomName } } }")).invitations.nodes).toEqual([]);
});

it("[BLOCK5] blocks and unblocks the other person in the header of a private room", async () => {
  const eve = await TestClient.register(server, "eve");
  const page = await signIn("Pablo");
  const { user: pablo } = await eve.ask('{ user(username: "Pablo") { id } }');
  const { openPrivateRoom: room } = await eve.ask("mutation ($u: ID!) { openPrivateRoom(userId: $u) { id } }", { u: pablo.id });
  await eve.send("buy now", room.id);
  await rooms(page)
    .getByRole("button", { name: new RegExp(eve.username) })
    .click();
  await page.getByRole("button", { name: "Block", exact: true }).click();
  await page.getByRole("button", { name: "Yes, block" }).click();
  await page.getByRole("button", { name: "Unblock" }).waitFor();
  expect((await eve.refused('mutation ($r: ID!) { send(roomId: $r, text: "again") { id } }', { r: room.id })).extensions.code).toBe(
    "FORBIDDEN",
  );
  expect(await seriousFindings(page)).toEqual([]);
  await page.getByRole("button", { name: "Unblock" }).click();
  await page.getByRole("button", { name: "Block", exact: true }).waitFor();
  await eve.send("sorry", room.id);
});
