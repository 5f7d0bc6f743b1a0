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

async function joeWithAnn(ann: TestClient): Promise<Page> {
  const page = await open(server.url, { viewport: { width: 1100, height: 700 } });
  await page.getByRole("button", { name: "Joe", exact: true }).click();
  await page
    .getByRole("navigation")
    .getByRole("button", { name: new RegExp(ann.username) })
    .click();
  return page;
}

it("[PIN4] shows pinned messages, leads to them, and pins and unpins, in every tab", async () => {
  const ann = await TestClient.register(server, "ann");
  const { user: joe } = await ann.ask('{ user(username: "Joe") { id } }');
  const { openPrivateRoom: room } = await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: joe.id });
  const old = await ann.send("the old message", room.id);
  for (let n = 0; n < 120; n++) await ann.send(`message ${n}`, room.id);
  await ann.ask("mutation ($id: ID!) { pinMessage(messageId: $id) { id } }", { id: old.id });

  const [page, tab] = [await joeWithAnn(ann), await joeWithAnn(ann)];
  await page.getByRole("button", { name: "Pinned messages: 1" }).click();
  expect(await seriousFindings(page)).toEqual([]);
  await page
    .getByRole("dialog")
    .getByRole("button", { name: /the old message/ })
    .click();
  await page.locator(".message.target").getByText("the old message").waitFor();

  const newest = tab.locator(".message").filter({ hasText: "message 119" });
  await newest.hover();
  await newest.getByRole("button", { name: "Pin", exact: true }).click();
  await page.getByRole("button", { name: "Pinned messages: 2" }).waitFor();
  expect(await newest.getByRole("button", { name: "Pin", exact: true, pressed: true }).count()).toBe(1);

  await ann.ask('mutation ($id: ID!) { editMessage(id: $id, text: "the edited message") { id } }', { id: old.id });
  await tab.getByRole("button", { name: "Pinned messages: 2" }).click();
  await tab.getByRole("dialog").getByText("the edited message").waitFor();
  await tab.getByRole("dialog").getByRole("button", { name: "Unpin" }).first().click();
  await page.getByRole("button", { name: "Pinned messages: 1" }).waitFor();
  await ann.ask("mutation ($id: ID!) { deleteMessage(id: $id) }", { id: old.id });
  await page.getByRole("button", { name: /Pinned messages/ }).waitFor({ state: "detached" });
});
