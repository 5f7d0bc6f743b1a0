import { readdir, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { GENERAL } from "../../src/api/ids.js";
import { logKeys } from "../../src/log/keys.js";
import { userKeys } from "../../src/users/keys.js";
import { seriousFindings } from "../helpers/browser.js";
import { DemoApp } from "../helpers/demo-apps.js";
import { room, user } from "../helpers/ids.js";
import { answers, chunk, event, modelEndpoint, sendParts } from "../helpers/model-endpoint.js";
import { emptyFolder, launch } from "../helpers/program.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";
import { visitors } from "../helpers/visitors.js";

const redis = await ownRedis();
// The assistant's first answer is complete; the second continues until it is stopped.
const endpoint = await modelEndpoint(answers("Ask me ", "anything."), (response) =>
  sendParts(response, [event(chunk("Once upon a time ")), event(chunk("there was "))]),
);
const thinking = { assistant: true, assistantUrl: endpoint.url, assistantModel: "test" };
const server = await ownServer(redis.url, { demoData: true, ...thinking });
const open = visitors();

/** A separate browser for one person, signed in with one click. */
async function signIn(name: string, options: BrowserContextOptions = {}, url = server.url): Promise<Page> {
  const page = await open(url, { viewport: { width: 1100, height: 700 }, ...options });
  await page.getByRole("button", { name, exact: true }).click();
  await page.getByRole("navigation").getByRole("button", { name: "General" }).waitFor();
  return page;
}

const rooms = (page: Page) => page.getByRole("navigation");
const composer = (page: Page, room: string) => page.getByLabel(`Message to ${room}`);
const message = (page: Page, text: string) => page.locator(".message").filter({ has: page.locator(".text", { hasText: text }) });
const texts = (page: Page) => page.locator(".message .text").allInnerTexts();

async function goTo(page: Page, room: string | RegExp): Promise<void> {
  await rooms(page).getByRole("button", { name: room }).click();
  await page.getByRole("main").waitFor();
}

async function talkTo(page: Page, person: string): Promise<void> {
  await page.getByRole("region", { name: "People" }).getByRole("button", { name: person }).click();
}

async function say(page: Page, room: string, text: string): Promise<void> {
  await composer(page, room).fill(text);
  await page.keyboard.press("Enter");
}

/** Presses a button of a message. */
async function press(page: Page, text: string, button: string): Promise<void> {
  await message(page, text).hover();
  await message(page, text).getByRole("button", { name: button, exact: true }).click();
}

describe("the chat page", () => {
  it("[PAGE2] shows typing, mentions, replies, reactions, edits and deletions live in General", async () => {
    const [pablo, mary] = [await signIn("Pablo"), await signIn("Mary")];
    await goTo(pablo, "General");
    await goTo(mary, "General");

    await mary.getByLabel("Message to General").pressSequentially("hi @Pab");
    await pablo.getByText("Mary is typing…").waitFor();
    await mary.getByRole("option", { name: /Pablo/ }).waitFor();
    await mary.keyboard.press("Enter");
    await mary.keyboard.type("how is life?");
    await mary.keyboard.press("Enter");
    await pablo.locator("mark.me", { hasText: "@Pablo" }).waitFor();
    await pablo.getByText("Mary is typing…").waitFor({ state: "detached" });

    await press(pablo, "how is life?", "React");
    await pablo.getByRole("button", { name: "🎉" }).click();
    await mary.getByRole("button", { name: "🎉 1" }).click();
    await pablo.getByRole("button", { name: "🎉 2" }).waitFor();

    await press(pablo, "how is life?", "Reply");
    await say(pablo, "General", "fine");
    await message(mary, "fine").locator(".quote", { hasText: "how is life?" }).waitFor();
    await pablo.keyboard.press("ArrowUp");
    await pablo.getByLabel("Edit message").fill("very well");
    await pablo.keyboard.press("Enter");
    await message(mary, "very well").getByText("edited").waitFor();

    await press(mary, "how is life?", "Delete");
    await message(mary, "how is life?").getByRole("button", { name: "Delete message" }).click();
    await message(pablo, "very well").getByText("This message was deleted.").waitFor();
    await pablo.locator("mark.me").waitFor({ state: "detached" });
  });

  it("[PAGE2] highlights mentions in any script, and nothing else", async () => {
    const [pablo, mary] = [await signIn("Pablo"), await signIn("Mary")];
    await goTo(pablo, "General");
    await goTo(mary, "General");
    await say(mary, "General", "请@pablo看一下, (@Joe), `@Pablo`, https://example.com/@Pablo and mary@Pablo");
    const row = pablo.locator("p.text", { hasText: "请@pablo看一下" });
    await expect.poll(() => row.locator("mark").allTextContents()).toEqual(["@pablo", "@Joe"]);
    expect(await row.locator("mark.me").allTextContents()).toEqual(["@pablo"]);
    expect(await row.locator("a").getAttribute("href")).toBe("https://example.com/@Pablo");
    await composer(mary, "General").fill("交给@pab");
    await mary.getByRole("option", { name: /Pablo/ }).waitFor();
    await composer(mary, "General").fill("");
  });

  it("[PAGE2] supports private rooms with unread counts and read markers, and a group's whole life", async () => {
    const [joe, mary] = [await signIn("Joe"), await signIn("Mary")];
    await goTo(mary, "General");
    await talkTo(joe, "Mary");
    const before = await rooms(mary).getByRole("button", { name: /Joe/ }).locator(".badge").innerText();
    await say(joe, "Mary", "psst");
    await rooms(mary)
      .getByRole("button", { name: new RegExp(`Joe.*psst.*${Number.parseInt(before, 10) + 1} unread`, "s") })
      .click();
    await mary.getByText("New messages").first().waitFor();
    await joe.getByText("Read by Mary").waitFor();
    expect(await rooms(mary).getByRole("button", { name: /Joe/ }).locator(".badge").count()).toBe(0);

    await joe.getByRole("button", { name: "New group" }).click();
    const dialog = joe.getByRole("dialog");
    await dialog.getByLabel("Group name").fill("Weekend");
    await dialog.getByRole("button", { name: "Add Mary" }).click();
    await dialog.getByRole("button", { name: "Create group" }).click();
    await say(joe, "Weekend", "who comes?");
    await goTo(mary, /Weekend/);
    await say(mary, "Weekend", "I do");
    await message(joe, "I do").waitFor();
    await joe.getByText("Read by Mary").waitFor();

    await joe.getByRole("button", { name: "Members and settings" }).click();
    await dialog.getByLabel("Group name").fill("Long weekend");
    await dialog.getByRole("button", { name: "Rename" }).click();
    await mary.getByRole("heading", { name: "Long weekend" }).waitFor();
    await dialog.getByRole("button", { name: "Add people" }).click();
    await dialog.getByRole("button", { name: "Add Alex" }).click();
    await mary.getByText("3 members").waitFor();
    await dialog.getByRole("button", { name: "Remove Mary" }).click();
    await rooms(mary)
      .getByRole("button", { name: /weekend/ })
      .waitFor({ state: "detached" });
    await dialog.getByRole("button", { name: "Leave group" }).click();
    await dialog.getByRole("button", { name: "Yes, leave group" }).click();
    await rooms(joe)
      .getByRole("button", { name: /weekend/ })
      .waitFor({ state: "detached" });
  });

  it("[PAGE4] keeps messages written offline across a reload, and sends them once, in order", async () => {
    const [joe, mary] = [await signIn("Joe"), await signIn("Mary")];
    await goTo(joe, "General");
    await goTo(mary, "General");
    await say(joe, "General", "before");
    await message(mary, "before").waitFor();

    await joe.context().setOffline(true);
    await joe.getByText("No connection.").waitFor();
    for (const text of ["away 1", "away 2", "away 3"]) await say(joe, "General", text);
    await say(mary, "General", "meanwhile");
    await expect.poll(() => joe.getByText("Waiting for connection").count()).toBe(3);

    // The page loads, but the API does not answer.
    await joe.context().route("**/graphql", (route) => route.abort());
    await joe.context().setOffline(false);
    await joe.reload();
    await joe.context().unroute("**/graphql");
    await message(joe, "away 3").waitFor({ timeout: 60_000 });
    await message(mary, "away 3").waitFor({ timeout: 60_000 });
    await say(joe, "General", "after");
    await message(mary, "after").waitFor();
    const expected = ["before", "meanwhile", "away 1", "away 2", "away 3", "after"];
    for (const page of [joe, mary]) await expect.poll(async () => (await texts(page)).slice(-6)).toEqual(expected);
  });

  it("[PAGE5] keeps two tabs of one user in sync, including what is read", async () => {
    const [pablo, mary] = [await signIn("Pablo"), await signIn("Mary")];
    await goTo(pablo, "General");
    const tab = await pablo.context().newPage();
    tab.setDefaultTimeout(10_000); // ms
    await tab.goto(server.url);
    await goTo(tab, "General");
    await say(tab, "General", "from one tab");
    await message(pablo, "from one tab").waitFor();
    expect(await message(pablo, "from one tab").count()).toBe(1);

    await talkTo(mary, "Pablo");
    await say(mary, "Pablo", "for both tabs");
    for (const page of [pablo, tab])
      await rooms(page)
        .getByRole("button", { name: /Mary.*for both tabs.*unread/s })
        .waitFor();
    await goTo(tab, /Mary.*for both tabs/s);
    await rooms(pablo)
      .getByRole("button", { name: /Mary.*for both tabs/s })
      .locator(".badge")
      .waitFor({ state: "detached" });
  });

  it("[PAGE6] lets a demo app user and a page user chat in General and in private", async () => {
    const demo = new DemoApp("Node", redis.client);
    const nina = await demo.register("nina");
    await demo.connect(nina);
    const pablo = await signIn("Pablo");
    await goTo(pablo, "General");
    await demo.say(nina, "hello from elsewhere");
    await message(pablo, "hello from elsewhere").waitFor();
    await talkTo(pablo, "nina");
    await say(pablo, "nina", "welcome");
    await pablo.getByText("Sending…").waitFor({ state: "detached" });
    await demo.say(nina, "thank you", { roomId: await demo.openRoom(nina, { id: "1", username: "Pablo" }) });
    await message(pablo, "thank you").waitFor();
    await demo.disconnect(nina);
    await pablo.getByRole("main").getByText("Offline").waitFor();
  });

  it("[PAGE19] streams the assistant's answer, and keeps the text when the user stops it", async () => {
    const pablo = await signIn("Pablo");
    await talkTo(pablo, "assistant");
    await say(pablo, "assistant", "Who are you?");
    await message(pablo, "Ask me anything.").locator(".quote", { hasText: "Who are you?" }).waitFor();
    await say(pablo, "assistant", "Tell me a story");
    await pablo.locator(".reply", { hasText: "Once upon a time there was" }).waitFor();
    await pablo.reload(); // the text so far is delivered again
    await pablo.locator(".reply", { hasText: "Once upon a time there was" }).waitFor();
    await pablo.getByRole("button", { name: "Stop" }).click();
    await message(pablo, "Once upon a time there was").locator(".quote", { hasText: "Tell me a story" }).waitFor();
    await pablo.locator(".reply").waitFor({ state: "detached" });
    expect(await message(pablo, "Once upon a time").count()).toBe(1);
    await (await endpoint.request(1)).gone; // the request to the model ends too
  });

  it("[PAGE20] marks an incomplete answer, and lets the user continue it", async () => {
    const pablo = await signIn("Pablo");
    await talkTo(pablo, "assistant");
    const cut = message(pablo, "Once upon a time there was");
    await cut.getByText("This answer is incomplete.").waitFor();
    await cut.getByRole("button", { name: "Continue" }).click();
    await pablo.locator(".reply", { hasText: "Once upon a time there was" }).waitFor(); // the endpoint sends the same text again
    await pablo.getByRole("button", { name: "Stop" }).click();
    await expect.poll(() => cut.count()).toBe(2);
    expect(await cut.getByRole("button", { name: "Try again" }).count()).toBe(1); // only at the newer answer
  });

  it("[PAGE7] scrolls 10,000 messages without jumps, in at most 200 rows, and jumps to a quoted one", async () => {
    const first = Math.floor(Date.now() / 1_000) - 200_000; // seconds
    const pipeline = redis.client.pipeline();
    // Like an existing database: in a room that Palaver knows, this many messages at once would restart its log and reload the page.
    for (const key of [logKeys.room, logKeys.log, logKeys.meta, logKeys.foreign, logKeys.own]) pipeline.del(key(room("2:4")));
    for (let n = 0; n < 10_000; n++) {
      const text = `number ${n}. ${"and so on ".repeat(n % 17)}`;
      const member = JSON.stringify({ from: n % 3 ? "2" : "4", date: first + n, message: text, roomId: "2:4" });
      pipeline.zadd(logKeys.room("2:4"), first + n, member);
    }
    pipeline.sadd(userKeys.userRooms(user("2")), "2:4");
    pipeline.sadd(userKeys.userRooms(user("4")), "2:4");
    await pipeline.exec();
    const joe = await signIn("Joe");
    await talkTo(joe, "Alex");
    await message(joe, "number 9999.").waitFor();

    // When older messages load, the messages on the screen keep their place.
    let release = () => {};
    let asked = () => {};
    await joe.route("**/graphql", async (route) => {
      if (!route.request().postData()?.includes("OlderMessages")) return route.continue();
      await new Promise<void>((resolve) => {
        release = resolve;
        asked();
      });
      await route.continue();
    });
    const scroller = joe.locator(".scroller");
    for (let page = 1; page <= 6; page++) {
      const isAsked = new Promise<void>((resolve) => {
        asked = resolve;
      });
      await scroller.evaluate((element) => element.scrollTo({ top: 300 }));
      await isAsked;
      const before = await placeOnScreen(joe);
      const first = () => joe.locator(".message[data-id]").first().getAttribute("data-id");
      const oldest = await first();
      release();
      await expect.poll(first).not.toBe(oldest);
      await frames(joe);
      const after = await placeOnScreen(joe, before.id);
      expect(Math.abs(after.top - before.top)).toBeLessThan(3); // px
    }
    await joe.unroute("**/graphql");
    expect(await joe.locator(".message").count()).toBeLessThanOrEqual(200);

    await joe.getByRole("button", { name: "Jump to latest" }).click();
    await message(joe, "number 9999.").waitFor();
    const alex = await signIn("Alex");
    await talkTo(alex, "Joe");
    const answered = await alex.evaluate(
      async ([roomId]) => {
        const ask = (query: string) =>
          fetch("/graphql", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ query }) }).then(
            (r) => r.json(),
          );
        let before: string | null = null;
        let first = { id: "", text: "" };
        for (let page = 0; page < 30; page++) {
          const { data } = await ask(
            `{ messages(roomId: "${roomId}", last: 100, before: ${JSON.stringify(before)}) { nodes { id text } pageInfo { startCursor } } }`,
          );
          before = data.messages.pageInfo.startCursor;
          [first] = data.messages.nodes;
        }
        await ask(`mutation { send(roomId: "${roomId}", text: "do you remember?", replyTo: ${JSON.stringify(first.id)}) { id } }`);
        return first.text.trim();
      },
      ["2:4"],
    );
    await message(joe, "do you remember?").locator(".quote").click();
    await joe.locator(".message.target", { hasText: answered }).waitFor();
    await joe.getByRole("button", { name: "Jump to latest" }).click();
    await message(joe, "do you remember?").waitFor();
  });

  it("[PAGE8] fits a phone 360 pixels wide, in any script and direction, and shows markup as text", async () => {
    const phone = await signIn("Alex", { viewport: { width: 360, height: 720 }, hasTouch: true, isMobile: true });
    const width = () => phone.evaluate(() => document.documentElement.scrollWidth);
    expect(await width()).toBe(360);
    await goTo(phone, "General");
    const long = "x".repeat(300);
    const said = ['<img src=x onerror="document.title=`owned`">', "مرحبا بكم في الغرفة", "日本語のメッセージ", long];
    for (const text of said) {
      await composer(phone, "General").fill(text);
      await phone.getByRole("button", { name: "Send" }).click();
    }
    await expect.poll(async () => (await texts(phone)).slice(-4)).toEqual(said);
    expect(await width()).toBe(360);
    expect(await phone.title()).not.toContain("owned");
    expect(
      await message(phone, "مرحبا")
        .locator(".text")
        .evaluate((element) => getComputedStyle(element).direction),
    ).toBe("rtl");
    await phone.getByRole("button", { name: "Back to rooms" }).click();
    await rooms(phone).waitFor();
  });

  it.each(["light", "dark"] as const)("[PAGE9] passes axe without serious findings in chat and dialogs: %s", async (colorScheme) => {
    const mary = await signIn("Mary", { colorScheme });
    await goTo(mary, "General");
    await say(mary, "General", `@Pablo, see https://example.org/${colorScheme}`);
    await press(mary, `see https://example.org/${colorScheme}`, "Reply");
    expect(await seriousFindings(mary)).toEqual([]);
    await mary.getByRole("button", { name: "New group" }).click();
    await mary.getByRole("button", { name: "Add Joe" }).waitFor();
    expect(await seriousFindings(mary)).toEqual([]);
  });

  it("[PAGE9] lets the user reach and reply to messages by keyboard", async () => {
    const mary = await signIn("Mary");
    await goTo(mary, "General");
    for (const text of ["one thing", "another thing"]) await say(mary, "General", text);
    await message(mary, "another thing").waitFor();
    await mary.getByText("Sending…").waitFor({ state: "detached" });
    await message(mary, "another thing").focus();
    await mary.keyboard.press("ArrowUp");
    await expect.poll(() => mary.evaluate(() => document.activeElement?.textContent)).toContain("one thing");
    await mary.keyboard.press("Tab"); // to its buttons
    await mary.keyboard.press("Tab");
    await mary.keyboard.press("Enter"); // Reply
    await mary.keyboard.type("answered");
    await mary.keyboard.press("Enter");
    await message(mary, "answered").locator(".quote", { hasText: "one thing" }).waitFor();
  });

  it("[PAGE10] reloads the room and continues when the log is lost", async () => {
    const [pablo, mary] = [await signIn("Pablo"), await signIn("Mary")];
    await goTo(pablo, "General");
    await goTo(mary, "General");
    await say(mary, "General", "before the loss");
    await message(pablo, "before the loss").waitFor();
    await pablo.context().setOffline(true);
    await pablo.getByText("No connection.").waitFor();
    await redis.client.del(logKeys.log(GENERAL), logKeys.meta(GENERAL));
    await say(mary, "General", "after the loss");
    await mary.getByText("Sending…").waitFor({ state: "detached" });
    await pablo.context().setOffline(false);
    await message(pablo, "after the loss").waitFor({ timeout: 60_000 });
    await say(mary, "General", "and on");
    await message(pablo, "and on").waitFor();
    await expect.poll(async () => (await texts(pablo)).slice(-3)).toEqual(["before the loss", "after the loss", "and on"]);
  });

  it("[PAGE1] loses, repeats and reorders nothing when the server is killed and restarted mid-chat", async () => {
    const cwd = await emptyFolder();
    const run = (port: string) =>
      launch({ cwd, args: ["--redis", redis.url, "--port", port, "--rate-limits", "off", "--demo-data", "on", "--bcrypt-cost", "4"] });
    const first = run("0");
    await first.ready();
    const [pablo, mary] = [await signIn("Pablo", {}, first.url), await signIn("Mary", {}, first.url)];
    await goTo(pablo, "General");
    await goTo(mary, "General");
    for (const [page, name] of [
      [pablo, "pablo"],
      [mary, "mary"],
    ] as const)
      await say(page, "General", `talk ${name} 0`);
    await message(pablo, "talk mary 0").waitFor();
    first.kill("SIGKILL"); // the last messages may or may not be stored
    for (let n = 1; n <= 3; n++) await say(pablo, "General", `talk pablo ${n}`);
    for (let n = 1; n <= 3; n++) await say(mary, "General", `talk mary ${n}`);
    await first.end();
    await run(new URL(first.url).port).ready();
    const talk = async (page: Page) => (await texts(page)).filter((text) => text.startsWith("talk "));
    for (const page of [pablo, mary]) {
      await expect.poll(async () => (await talk(page)).length, { timeout: 60_000 }).toBe(8);
      await expect.poll(() => page.locator(".outgoing").count()).toBe(0);
      await page.getByText("Live", { exact: true }).waitFor({ timeout: 60_000 });
    }
    // The answer to a send may arrive before the events of earlier messages.
    await expect.poll(async () => (await talk(pablo)).join() === (await talk(mary)).join()).toBe(true);
    for (const name of ["pablo", "mary"])
      expect((await talk(pablo)).filter((text) => text.includes(name))).toEqual([0, 1, 2, 3].map((n) => `talk ${name} ${n}`));
  });

  it("[PAGE11] loads less than 120 kB of script, gzipped", async () => {
    const folder = new URL("../../client-example/dist/assets/", import.meta.url);
    const scripts = (await readdir(folder)).filter((name) => name.endsWith(".js"));
    const sizes = await Promise.all(scripts.map(async (name) => gzipSync(await readFile(new URL(name, folder))).length));
    expect(scripts.length).toBeGreaterThan(0);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(120_000); // bytes
  });
});

/** Waits until the page has drawn. */
const frames = (page: Page) =>
  page.evaluate(async () => {
    for (let frame = 0; frame < 10; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
  });

/** The screen position of a message, or without an id, of the message in the middle. */
const placeOnScreen = async (page: Page, id?: string) => {
  await frames(page);
  return page.locator(".scroller").evaluate((scroller, wanted) => {
    const messages = [...scroller.querySelectorAll<HTMLElement>(".message")];
    const one = messages.find((each) => (wanted === undefined ? each.getBoundingClientRect().top > 250 : each.dataset.id === wanted));
    return { id: one?.dataset.id ?? "", top: one?.getBoundingClientRect().top ?? Number.NaN };
  }, id);
};
