import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { userKeys } from "../../src/users/keys.js";
import { TestClient } from "../helpers/client.js";
import { DemoApp } from "../helpers/demo-apps.js";
import { fillRoom } from "../helpers/fill.js";
import { user } from "../helpers/ids.js";
import { ownRedis } from "../helpers/redis.js";
import { expectNothingSkipped, frame, seenRows, watchRows } from "../helpers/scrolling.js";
import { ownServer } from "../helpers/server.js";
import { visitors } from "../helpers/visitors.js";

const redis = await ownRedis();
const server = await ownServer(redis.url, { demoData: true });
const open = visitors();
const MESSAGES = 10_000;
const AWAY = 300; // messages to scroll past: more than the page keeps at once
await fillRoom(redis.client, "1:3", MESSAGES, "3");
await redis.client.sadd(userKeys.userRooms(user("1")), "1:3");
await redis.client.sadd(userKeys.userRooms(user("3")), "1:3");

const message = (page: Page, text: string) => page.locator(".message").filter({ has: page.locator(".text", { hasText: text }) });
const wheel = (y: number) => (page: Page) => page.mouse.wheel(0, y);

/** Opens Pablo's page at the end of a room with 10,000 messages, then adds 400 ms of network latency. */
async function openLongRoom(options: BrowserContextOptions = {}): Promise<Page> {
  const page = await open(server.url, { viewport: { width: 1100, height: 700 }, ...options });
  await page.getByRole("button", { name: "Pablo", exact: true }).click();
  await page.getByRole("region", { name: "People" }).getByRole("button", { name: "Mary" }).click();
  await message(page, `message ${MESSAGES - 1}`).waitFor();
  const devtools = await page.context().newCDPSession(page);
  const slow = { offline: false, latency: 400 /* ms */, downloadThroughput: -1, uploadThroughput: -1 };
  await devtools.send("Network.emulateNetworkConditions", slow);
  return page;
}

describe("the list of messages", () => {
  it("[PAGE30] skips no message and does not jump on a slow network: wheel up and down", async () => {
    const page = await openLongRoom();
    await page.mouse.move(700, 300);
    await watchRows(page, 1);
    await expectNothingSkipped(
      page,
      ([first = MESSAGES]) => first < MESSAGES - AWAY,
      () => wheel(-120)(page),
    );
    expect(await page.locator(".message").count()).toBeLessThanOrEqual(200);
    await page.evaluate(() => Object.assign((globalThis as unknown as { seen: object }).seen, { isOver: true }));
    await frame(page);
    await watchRows(page, -1);
    await expectNothingSkipped(
      page,
      (numbers) => numbers.at(-1) === MESSAGES - 1,
      () => wheel(120)(page),
    );
    await page.getByRole("button", { name: "Jump to latest" }).waitFor({ state: "detached" });
  });

  it("[PAGE30] skips no message and does not jump on a slow network: touch", async () => {
    const page = await openLongRoom({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    const touch = await page.context().newCDPSession(page);
    const send = (type: "touchStart" | "touchMove" | "touchEnd", y?: number) =>
      touch.send("Input.dispatchTouchEvent", { type, touchPoints: y === undefined ? [] : [{ x: 200, y }] });
    await watchRows(page, 1);
    await expectNothingSkipped(
      page,
      ([first = MESSAGES]) => first < MESSAGES - AWAY,
      async () => {
        await send("touchStart", 250);
        for (let y = 300; y <= 650; y += 50) {
          await send("touchMove", y);
          await frame(page);
        }
        await send("touchEnd");
      },
    );
  });

  it("[PAGE30] skips no message and does not jump on a slow network: arrow keys and PageUp", async () => {
    const page = await openLongRoom();
    await page.getByLabel("Message to Mary").focus();
    await page.keyboard.press("Shift+Tab");
    await watchRows(page, 1);
    await expectNothingSkipped(
      page,
      ([first = MESSAGES]) => first < MESSAGES - 120,
      () => page.keyboard.press("ArrowUp"),
    );
    expect(await page.evaluate(() => document.activeElement?.matches(".message"))).toBe(true);
    await expectNothingSkipped(
      page,
      ([first = MESSAGES]) => first < MESSAGES - AWAY,
      () => page.keyboard.press("PageUp"),
    );
    // The page has dropped the focused message, which is far away. The list has the focus now, and moves it to a visible message.
    await page.locator(".scroller").evaluate(async (scroller) => {
      for (let frames = 0, top = -1; frames < 20; frames = scroller.scrollTop === top ? frames + 1 : 0) {
        top = scroller.scrollTop; // the last PageUp may still scroll
        await new Promise(requestAnimationFrame);
      }
    });
    await page.keyboard.press("ArrowUp");
    const { isMessage, isShown } = await page.evaluate(() => {
      const { activeElement: element } = document;
      const { top = 0, bottom = 0 } = element?.getBoundingClientRect() ?? {};
      const list = element?.closest(".scroller")?.getBoundingClientRect();
      return { isMessage: element?.matches(".message"), isShown: list && top >= list.top - 1 && bottom <= list.bottom + 1 };
    });
    expect([isMessage, isShown]).toEqual([true, true]);
  });

  it("[PAGE30] keeps the first row in place while pictures, late rows and deletions change rows above", async () => {
    const page = await openLongRoom();
    const rows = page.locator(".message[data-id]");
    while ((await rows.count()) < 140) {
      const before = await rows.count();
      await page.locator(".scroller").evaluate((scroller) => scroller.scrollTo({ top: 0 }));
      await expect.poll(() => rows.count()).toBeGreaterThan(before);
    }
    await rows.nth(120).evaluate((row) => row.scrollIntoView({ block: "start" }));
    await frame(page);
    const first = () =>
      page.locator(".scroller").evaluate((scroller) => {
        const edge = scroller.getBoundingClientRect().top;
        const row = [...scroller.querySelectorAll<HTMLElement>(".message[data-id]")].find(
          (one) => one.getBoundingClientRect().bottom > edge,
        );
        return { id: row?.dataset.id ?? "", top: (row?.getBoundingClientRect().top ?? 0) - edge };
      });
    const expectTheSame = async (before: { id: string; top: number }) => {
      await frame(page);
      const after = await first();
      expect(after.id).toBe(before.id);
      expect(Math.abs(after.top - before.top)).toBeLessThan(2); // px
    };
    // Adds a picture of unknown height to each row above and below, one after the other, as if they loaded.
    let before = await first();
    await page.evaluate(async () => {
      for (const text of document.querySelectorAll(".message .text")) {
        const picture = new Image();
        const canvas = Object.assign(document.createElement("canvas"), { width: 10, height: 40 });
        picture.src = canvas.toDataURL();
        picture.style.display = "block";
        text.append(picture);
        await picture.decode();
      }
    });
    await expectTheSame(before);

    // The same while the user scrolls.
    await page.mouse.move(700, 300);
    await watchRows(page, 1);
    const growing = page.evaluate(async () => {
      for (const picture of document.querySelectorAll<HTMLElement>(".message img")) {
        picture.style.height = "90px";
        await new Promise(requestAnimationFrame);
      }
    });
    for (let n = 0; n < 20; n++) {
      await page.mouse.wheel(0, -20);
      await frame(page);
    }
    await growing;
    expect((await seenRows(page)).against).toBeLessThan(3); // px

    // A demo app's late message is inserted above; then a message above is deleted.
    before = await first();
    const date = Math.floor(Number(before.id.split("/")[1]) / 1e6); // seconds; there are 100 messages a second
    await new DemoApp("Node", redis.client).say({ id: 3, username: "Mary" }, "late ".repeat(100), { roomId: "1:3", date });
    await message(page, "late late").waitFor({ state: "attached" });
    await expectTheSame(before);
    const above = rows.nth(100);
    const { login } = await new TestClient(server.url).ask('mutation { login(username: "Mary", password: "password123") { token } }');
    const mary = new TestClient(server.url, login.token);
    const gone = await above.getAttribute("data-id");
    await mary.ask("mutation ($id: ID!) { deleteMessage(id: $id) }", { id: gone });
    await page.locator(`[data-id="${gone}"]`).waitFor({ state: "detached" });
    await expectTheSame(before);
  });
});

describe("rendering", () => {
  it("[PAGE31] renders one row for a message, and none for typing", async () => {
    const [pablo, mary] = [await openGeneral("Pablo"), await openGeneral("Mary")];
    const say = async (text: string) => {
      await mary.getByLabel("Message to General").fill(text);
      await mary.keyboard.press("Enter");
      await message(pablo, text).waitFor();
    };
    for (let n = 0; n < 20; n++) await say(`filling ${n}`);
    await mary.getByText("Sending…").waitFor({ state: "detached" });

    await renderedRows(pablo); // resets the count
    await mary.getByLabel("Message to General").pressSequentially("a");
    await pablo.getByText("Mary is typing…").waitFor();
    expect(await renderedRows(pablo)).toBe(0);
    await say("and one");
    await pablo.getByText("Mary is typing…").waitFor({ state: "detached" });
    await frame(pablo);
    expect(await renderedRows(pablo)).toBe(1);
    await say("and another");
    await frame(pablo);
    expect(await renderedRows(pablo)).toBe(1);
  });
});

/** Opens a page with the general room, and counts its renders as React's developer tools do. */
async function openGeneral(name: string): Promise<Page> {
  const page = await open(server.url, { viewport: { width: 1100, height: 700 } });
  await page.addInitScript(countRows);
  await page.reload();
  await page.getByRole("button", { name, exact: true }).click();
  await page.getByRole("navigation").getByRole("button", { name: "General" }).click();
  return page;
}

/** The number of rows rendered since the last call. */
const renderedRows = (page: Page) =>
  page.evaluate(() => {
    const counted = globalThis as unknown as { rows: number };
    const { rows } = counted;
    counted.rows = 0;
    return rows;
  });

interface Fiber {
  flags: number;
  alternate: Fiber | null;
  child: Fiber | null;
  sibling: Fiber | null;
  stateNode: unknown;
}

/** Runs in the page, before React. At each commit, counts the components that React called and whose element is a message. */
function countRows(): void {
  const PERFORMED_WORK = 1;
  const counted = Object.assign(globalThis, { rows: 0 });
  const visit = (fiber: Fiber, isNew: boolean) => {
    const element = fiber.child?.stateNode;
    const isRow = element instanceof HTMLElement && element.matches("article.message") && !(fiber.stateNode instanceof HTMLElement);
    if (isRow && (fiber.flags & PERFORMED_WORK) !== 0) counted.rows++;
    if (!isNew && fiber.alternate?.child === fiber.child) return; // React skipped the children
    for (let child = fiber.child; child; child = child.sibling) visit(child, child.alternate === null);
  };
  Object.assign(globalThis, {
    __REACT_DEVTOOLS_GLOBAL_HOOK__: {
      supportsFiber: true,
      inject: () => 1,
      onCommitFiberRoot: (_renderer: number, root: { current: Fiber }) => visit(root.current, false),
      onCommitFiberUnmount: () => {},
    },
  });
}
