import { readFile } from "node:fs/promises";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { launchBrowser } from "../helpers/browser.js";
import { cleanUp } from "../helpers/cleanup.js";
import { ownRedis } from "../helpers/redis.js";
import { frame } from "../helpers/scrolling.js";
import { ownServer } from "../helpers/server.js";
import { visitors } from "../helpers/visitors.js";

const redis = await ownRedis();
const server = await ownServer(redis.url, { demoData: true });
const open = visitors();
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

async function signIn(name: string, options: BrowserContextOptions = {}, address = server.url): Promise<Page> {
  const page = await open(server.url, { viewport: { width: 1100, height: 700 }, ...options });
  if (address !== server.url) await page.goto(address);
  await page.getByRole("button", { name, exact: true }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor({ state: "attached" });
  return page;
}

const rooms = (page: Page) => page.getByRole("navigation");
const composer = (page: Page, room: string) => page.getByLabel(`Message to ${room}`);
const message = (page: Page, text: string) => page.locator(".message").filter({ has: page.locator(".text", { hasText: text }) });
const goTo = (page: Page, room: string | RegExp) => rooms(page).getByRole("button", { name: room }).click();
const talkTo = (page: Page, person: string) => page.getByRole("region", { name: "People" }).getByRole("button", { name: person }).click();

async function say(page: Page, room: string, text: string): Promise<void> {
  await composer(page, room).fill(text);
  await page.keyboard.press("Enter");
}

/** Fills the browser's storage completely. */
const fillStorage = (page: Page) =>
  page.evaluate(() => {
    let text = "x".repeat(1_000_000);
    for (let n = 0; text !== ""; n++) {
      try {
        localStorage.setItem(`filler ${n}`, text);
      } catch {
        text = text.slice(Math.ceil(text.length / 2));
      }
    }
  });

/** The name or the text of the focused element. */
const focused = (page: Page) =>
  page.evaluate(() => document.activeElement?.getAttribute("name") ?? document.activeElement?.textContent ?? "");

describe("without browser storage", () => {
  it("[PAGE32] still sends messages if the storage is full, also from the tab that is not the leader", async () => {
    const [joe, mary] = [await signIn("Joe"), await signIn("Mary")];
    await goTo(mary, "General");
    await goTo(joe, "General");
    const tab = await joe.context().newPage();
    tab.setDefaultTimeout(100_000); // ms
    await tab.goto(server.url);
    await goTo(tab, "General");
    await fillStorage(joe);
    await say(joe, "General", "there is no room for this");
    await message(mary, "there is no room for this").waitFor();
    await say(tab, "General", "nor for this");
    await message(mary, "nor for this").waitFor();
    for (const page of [joe, tab]) await page.getByText("Sending…").waitFor({ state: "detached" });

    await joe.context().setOffline(true);
    await joe.getByText("No connection.").waitFor();
    await say(joe, "General", "kept in memory");
    await joe.getByText("Waiting for connection").waitFor();
    await joe.context().setOffline(false);
    await message(mary, "kept in memory").waitFor();
    expect(await message(mary, "no room for this").count()).toBe(1);
  });

  it("[PAGE32] still sends messages if the browser denies access to the storage", async () => {
    const joe = await open(server.url);
    await joe.addInitScript(() => {
      Object.defineProperty(globalThis, "localStorage", {
        get() {
          throw new DOMException("The operation is insecure.", "SecurityError");
        },
      });
    });
    await joe.reload();
    await joe.getByRole("button", { name: "Joe", exact: true }).click();
    await goTo(joe, "General");
    await say(joe, "General", "said without a storage");
    await joe.locator(".message[data-id]", { hasText: "said without a storage" }).waitFor();
    await joe.getByRole("button", { name: "Sign out" }).click();
    await joe.getByRole("heading", { name: "Sign in" }).waitFor();
  });

  it("[PAGE32] keeps the text of a failed edit in the composer", async () => {
    const joe = await signIn("Joe");
    await goTo(joe, "General");
    await say(joe, "General", "first wording");
    await joe.locator(".message[data-id]", { hasText: "first wording" }).waitFor();
    await joe.keyboard.press("ArrowUp");
    await joe.getByLabel("Edit message").fill("second wording");
    await joe.route("**/graphql", (route) => route.abort());
    await joe.keyboard.press("Enter");
    await joe.getByRole("alert").filter({ hasText: "cannot be reached" }).waitFor();
    expect(await joe.getByLabel("Edit message").inputValue()).toBe("second wording");
    await joe.unroute("**/graphql");
    await joe.keyboard.press("Enter");
    await message(joe, "second wording").waitFor();
    expect(await composer(joe, "General").inputValue()).toBe("");
  });
});

describe("content that the page cannot show", () => {
  it("[PAGE33] opens General for an invalid address", async () => {
    const joe = await signIn("Joe", {}, `${server.url}/#room=%E0%A4%A`);
    await joe.getByRole("heading", { name: "General" }).waitFor();
    await goTo(joe, "General");
    await composer(joe, "General").waitFor();
  });

  it("[PAGE33] shows an error in the list or the page with a way out; the rest keeps working", async () => {
    const browser = await launchBrowser(); // unlike `open`, does not fail the test on page errors
    cleanUp(() => browser.close());
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(100_000); // ms
    // Fakes a newer or broken server with invalid times: first in the messages of a room, then in the list of rooms as well.
    let broken = /query OlderMessages/;
    await page.route("**/graphql", async (route) => {
      if (!broken.test(route.request().postData() ?? "")) return route.continue();
      const response = await route.fetch();
      return route.fulfill({ response, body: (await response.text()).replace(/"sentAt":"[^"]*"/g, '"sentAt":"some day"') });
    });
    await page.goto(server.url);
    await page.getByRole("button", { name: "Joe", exact: true }).click();
    await page.getByText("These messages cannot be shown.").waitFor();
    await composer(page, "General").waitFor();
    await rooms(page).waitFor();
    broken = /query (OlderMessages|Rooms)/;
    await page.getByRole("button", { name: "Reload" }).click();
    await page.getByText("Something went wrong on this page.").waitFor();
    broken = /nothing any more/;
    await page.getByRole("button", { name: "Reload" }).click();
    await composer(page, "General").waitFor();
    await page.locator(".message").first().waitFor();
  });
});

describe("the page's files", () => {
  it("[PAGE34] are compressed as the browser accepts; hashed ones are cached, the page is revalidated", async () => {
    const get = (path: string, encoding: string) => fetch(server.url + path, { headers: { "accept-encoding": encoding } });
    const html = await (await get("/", "identity")).text();
    const assets = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path = ""]) => path);
    expect(assets.map((path) => path.split(".").at(-1)).sort()).toEqual(["css", "js"]);
    for (const path of ["/", ...assets]) {
      const plain = await get(path, "identity");
      const text = await plain.text();
      expect(plain.headers.get("content-encoding")).toBeNull();
      for (const encoding of ["br", "gzip"]) {
        const response = await get(path, encoding);
        expect(response.headers.get("content-encoding")).toBe(encoding);
        expect(response.headers.get("vary")).toContain("accept-encoding");
        expect(response.headers.get("content-type")).toBe(plain.headers.get("content-type"));
        expect(response.headers.get("cache-control")).toBe(path === "/" ? "no-cache" : "public, max-age=31536000, immutable");
        expect(await response.text()).toBe(text); // fetch decompresses
      }
      const file = new URL(`../../client-example/dist${path === "/" ? "/index.html" : path}`, import.meta.url);
      const read = async (ending: string) => readFile(new URL(file.href + ending));
      expect(brotliDecompressSync(await read(".br")).toString()).toBe(text);
      expect(gunzipSync(await read(".gz")).toString()).toBe(text);
    }
    const missing = await fetch(`${server.url}/assets/index-00000000.js`);
    expect([missing.status, missing.headers.get("cache-control")]).toEqual([404, null]);
    const etag = (await get("/", "gzip")).headers.get("etag") ?? "";
    const again = await fetch(server.url, {
      headers: { "if-none-match": etag, "accept-encoding": "gzip", "cache-control": "max-age=0" }, // otherwise fetch adds `no-cache`
    });
    expect(again.status).toBe(304);
  });

  it("[PAGE34] take under 100 kB on the first visit, and no script on the second", async () => {
    const browser = await launchBrowser();
    cleanUp(() => browser.close());
    const page = await browser.newPage();
    page.setDefaultTimeout(100_000); // ms
    const { encodedBytes, responses } = await load(page);
    expect(encodedBytes).toBeGreaterThan(10_000); // bytes
    expect(encodedBytes).toBeLessThan(100_000);
    expect(responses.every(({ encoding }) => encoding === "br" || encoding === "gzip")).toBe(true);
    const second = await load(page);
    expect(second.responses.filter(({ path, fromCache }) => path.startsWith("/assets/") && !fromCache)).toEqual([]);
  });
});

/** Loads the page, and records its files as the network delivered them. */
async function load(page: Page) {
  const session = await page.context().newCDPSession(page);
  const responses: { path: string; encoding: string | undefined; fromCache: boolean }[] = [];
  let encodedBytes = 0;
  await session.send("Network.enable");
  const requests = new Set<string>();
  const cached = new Set<string>();
  session.on("Network.requestServedFromCache", ({ requestId }) => void cached.add(requestId));
  session.on("Network.responseReceived", ({ requestId, response, type }) => {
    if (type !== "Script" && type !== "Stylesheet" && type !== "Document") return;
    requests.add(requestId);
    const encoding = Object.entries(response.headers).find(([name]) => name.toLowerCase() === "content-encoding")?.[1];
    responses.push({ path: new URL(response.url).pathname, encoding, fromCache: response.fromDiskCache === true || cached.has(requestId) });
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (requests.has(requestId)) encodedBytes += encodedDataLength;
  });
  await page.goto(server.url);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await session.detach();
  return { encodedBytes, responses };
}

describe("on a slow network", () => {
  it("[PAGE12] keeps a room open, and live, that was opened while the list loaded", async () => {
    const joe = await signIn("Joe");
    const nina = await open(server.url, { viewport: { width: 1100, height: 700 } });
    await nina.getByRole("button", { name: "Create account" }).click();
    await nina.getByLabel("Username").fill("Nina");
    await nina.getByLabel("Password", { exact: true }).fill("correct horse battery");
    await nina.keyboard.press("Enter");
    await nina.getByRole("button", { name: "Sign out" }).waitFor({ state: "attached" });
    let hasRead = () => {};
    let release = () => {};
    const read = new Promise<void>((resolve) => {
      hasRead = resolve;
    });
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await joe.route("**/graphql", async (route) => {
      if (!route.request().postData()?.includes("query RoomsSince")) return route.continue();
      const response = await route.fetch();
      const { data } = await response.json();
      // The page repeats this query until the front of its list has nothing new. The test holds that last answer.
      if (data.rooms.nodes.length === 0) {
        hasRead();
        await released;
      }
      await route.fulfill({ response });
    });
    await joe.goto(server.url);
    await read;
    await talkTo(joe, "Nina");
    await composer(joe, "Nina").fill("hello");
    release();
    await rooms(joe).getByRole("button", { name: "General" }).waitFor();
    expect(await composer(joe, "Nina").inputValue()).toBe("hello");
    await joe.keyboard.press("Enter");
    await goTo(nina, /Joe.*hello/s);
    await say(nina, "Joe", "hello back");
    await message(joe, "hello back").waitFor();
  });
});

describe("details of a room", () => {
  it("[PAGE35] shows the time of a following row on hover and to screen readers", async () => {
    const joe = await signIn("Joe");
    await talkTo(joe, "Alex");
    for (const text of ["one thing", "and one more"]) await say(joe, "Alex", text);
    const row = joe.locator(".message.follows[data-id]", { hasText: "and one more" });
    await row.waitFor();
    const time = row.locator("time");
    const opacity = () => row.locator(".tools").evaluate((element) => getComputedStyle(element).opacity);
    await joe.mouse.move(0, 0);
    expect(await opacity()).toBe("0");
    await row.hover();
    await expect.poll(opacity).toBe("1");
    expect(await time.innerText()).toMatch(/\d:\d\d/);
    const { left, right } = (await time.evaluate((element) => element.getBoundingClientRect())) as DOMRect;
    expect(right - left).toBeGreaterThan(10); // px
    expect(await row.ariaSnapshot()).toMatch(/time|\d:\d\d/);
    expect(await row.getAttribute("aria-label")).toMatch(/^You, .*\d:\d\d/);
  });

  it("[PAGE36] shows read markers on others' messages only, not on the reader's own", async () => {
    const [joe, mary] = [await signIn("Joe"), await signIn("Mary")];
    await talkTo(joe, "Mary");
    await say(joe, "Mary", "have you seen this?");
    await goTo(mary, /Joe.*have you seen/s);
    await message(joe, "have you seen this?").getByText("Read by Mary").waitFor();
    await say(mary, "Joe", "yes");
    await message(joe, "yes").waitFor();
    await say(mary, "Joe", "and this");
    await message(joe, "and this").waitFor();
    await message(joe, "have you seen this?").getByText("Read by Mary").waitFor();
    expect(await joe.getByText("Read by").count()).toBe(1);
  });

  it("[PAGE37] keeps each room's draft over a reload, and deletes drafts when the user signs out", async () => {
    const joe = await signIn("Joe");
    await goTo(joe, "General");
    await composer(joe, "General").fill("half a thought");
    await talkTo(joe, "Alex");
    await composer(joe, "Alex").fill("another one");
    await joe.reload();
    await expect.poll(() => composer(joe, "Alex").inputValue()).toBe("another one");
    await goTo(joe, "General");
    await expect.poll(() => composer(joe, "General").inputValue()).toBe("half a thought");
    await joe.keyboard.press("Enter");
    await joe.locator(".message[data-id]", { hasText: "half a thought" }).waitFor();
    await joe.reload();
    await expect.poll(() => composer(joe, "General").inputValue()).toBe("");
    await joe.getByRole("button", { name: "Sign out" }).click();
    await joe.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await joe.evaluate(() => Object.keys(localStorage))).toEqual([]);
  });

  it("[PAGE38] announces five messages in a burst one by one, and a flood by its number", async () => {
    const [joe, mary] = [await signIn("Joe"), await signIn("Mary")];
    await goTo(joe, "General");
    await goTo(mary, "General");
    await composer(mary, "General").waitFor();
    await message(mary, "announced 0").waitFor({ state: "detached" });
    const burst = (first: number, count: number) =>
      joe.evaluate(
        async ([from, to]) => {
          const fields = Array.from({ length: to - from }, (_, n) => `m${n}: send(roomId: "0", text: "announced ${from + n}.") { id }`);
          const body = JSON.stringify({ query: `mutation { ${fields.join(" ")} }` });
          await fetch("/graphql", { method: "POST", headers: { "content-type": "application/json" }, body });
        },
        [first, first + count] as const,
      );
    const log = mary.getByRole("log");
    await burst(0, 5);
    await expect.poll(() => log.locator("p").allInnerTexts()).toEqual([0, 1, 2, 3, 4].map((n) => `Joe: announced ${n}.`));
    // All at once: the page is offline until all of them are stored.
    await mary.context().setOffline(true);
    await mary.getByText("No connection.").waitFor();
    await burst(5, 12);
    await mary.context().setOffline(false);
    await message(mary, "announced 16.").waitFor();
    await expect
      .poll(async () => (await log.locator("p").allInnerTexts()).slice(5))
      .toSatisfy((texts: string[]) => texts.reduce((sum, text) => sum + Number(/^(\d+) new messages$/.exec(text)?.[1] ?? 1), 0) === 12);
  });

  it("[PAGE39] focuses a field after a failed attempt, and never loses the focus", async () => {
    const page = await open(server.url);
    await page.getByLabel("Username").fill("Joe");
    await page.getByLabel("Password", { exact: true }).fill("not his password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").filter({ hasText: "wrong" }).waitFor();
    await expect.poll(() => focused(page)).toBe("password");
    await page.getByRole("button", { name: "Create account" }).click();
    expect(await focused(page)).toBe("username");
    await page.getByLabel("Username").fill("Joe");
    await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "taken" }).waitFor();
    await expect.poll(() => focused(page)).toBe("username");
    await page.getByRole("button", { name: "Continue as guest" }).click();
    expect(await focused(page)).toBe("name");

    // Other buttons replace a message's buttons, and the focus moves to them.
    await page.keyboard.type("Gast");
    await page.keyboard.press("Enter");
    await goTo(page, "General");
    await say(page, "General", "to be reacted to");
    const row = page.locator(".message[data-id]", { hasText: "to be reacted to" });
    await row.waitFor();
    await row.focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect.poll(() => focused(page)).toBe("👍");
    await page.keyboard.press("Enter");
    await row.getByRole("button", { name: "👍 1" }).waitFor();
    expect(await row.evaluate((element) => element === document.activeElement)).toBe(true);
  });

  it("[PAGE45] shows messages while the browser draws no frames", async () => {
    const [joe, mary] = [await signIn("Joe"), await signIn("Mary")];
    for (const page of [joe, mary]) await goTo(page, "General");
    await say(mary, "General", "the browser draws");
    await message(joe, "the browser draws").waitFor();
    await joe.evaluate(() => {
      globalThis.requestAnimationFrame = () => 0; // as browsers do for a page that cannot be seen
    });
    for (const text of ["without a frame", "and another one"]) {
      await say(mary, "General", text);
      await message(joe, text).waitFor();
    }
  });

  it("[PAGE39] moves the focus to the list when the focused message is deleted elsewhere", async () => {
    const joe = await signIn("Joe");
    await talkTo(joe, "Alex");
    for (const text of ["stays", "goes away"]) await say(joe, "Alex", text);
    const row = joe.locator(".message[data-id]", { hasText: "goes away" });
    await row.waitFor();
    await joe.getByText("Sending…").waitFor({ state: "detached" });
    await row.focus();
    await joe.keyboard.press("Tab"); // to one of its buttons
    await joe.evaluate(
      async (id) => {
        const body = JSON.stringify({ query: "mutation ($id: ID!) { deleteMessage(id: $id) }", variables: { id } });
        await fetch("/graphql", { method: "POST", headers: { "content-type": "application/json" }, body });
      },
      await row.getAttribute("data-id"),
    );
    await row.waitFor({ state: "detached" });
    await frame(joe);
    expect(await joe.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("Messages");
    await joe.keyboard.press("ArrowUp");
    await expect.poll(() => joe.evaluate(() => document.activeElement?.querySelector(".text")?.textContent)).toBe("stays");
  });

  it.each([
    ["a phone", PHONE],
    ["a desk", { viewport: { width: 1100, height: 700 } }],
    ["a narrow window", { viewport: { width: 780, height: 600 } }],
  ] as const)("[PAGE40] shows all buttons of a message on %s, and they cover no words", async (where, options) => {
    const [joe, mary] = [await signIn("Joe", options), await signIn("Mary")];
    const name = `Buttons on ${where}`;
    await mary.getByRole("button", { name: "New group" }).click();
    await mary.getByLabel("Group name").fill(name);
    await mary.getByRole("button", { name: "Add Joe", exact: true }).click();
    await mary.getByRole("button", { name: "Create group" }).click();
    for (let n = 0; n < 12; n++) await say(mary, name, n % 2 ? `short ${n}` : `long ${n} ${"and so on ".repeat(20)}`);
    await goTo(joe, name);
    await message(joe, "short 11").waitFor();
    await say(joe, name, "mine");
    await joe.locator(".message.mine[data-id]").waitFor();
    for (const row of await joe.locator(".message[data-id]").all()) {
      await row.scrollIntoViewIfNeeded();
      if ("hasTouch" in options) await row.locator(".text").tap();
      else await row.hover();
      await frame(joe);
      const { buttons, covered } = await row.evaluate((element) => {
        const list = element.closest(".scroller")?.getBoundingClientRect() as DOMRect;
        const shown = [...element.querySelectorAll(".tools button")].map((button) => button.getBoundingClientRect());
        const words = [...document.querySelectorAll(".message .meta, .message .text, .conversation header")];
        const overlaps = (one: DOMRect, other: DOMRect) =>
          one.left < other.right - 1 && other.left < one.right - 1 && one.top < other.bottom - 1 && other.top < one.bottom - 1;
        return {
          buttons: shown.map(({ left, right, width, height }) => ({
            isWhole: left >= list.left && right <= list.right,
            area: width * height,
          })),
          covered: words
            .filter((word) => shown.some((button) => overlaps(button, word.getBoundingClientRect())))
            .map((word) => word.textContent),
        };
      });
      expect(buttons.length).toBeGreaterThanOrEqual(2);
      expect(buttons.every(({ isWhole, area }) => isWhole && area > 500)).toBe(true); // px²
      expect(covered).toEqual([]);
    }
    // The topmost row as well.
    await joe.locator(".scroller").evaluate((scroller) => scroller.scrollTo({ top: 0 }));
    const top = joe.locator(".message[data-id]").first();
    if ("hasTouch" in options) await top.locator(".text").tap();
    else await top.hover();
    await top.getByRole("button", { name: "React" }).click();
    await top.getByRole("button", { name: "🎉" }).click();
    await top.getByRole("button", { name: "🎉 1" }).waitFor();
  });

  it("[PAGE41] shows online users, the open room and the user's own reactions in forced colours", async () => {
    const [joe, mary] = [await signIn("Joe", { forcedColors: "active" }), await signIn("Mary")];
    await goTo(joe, "General");
    await say(joe, "General", "in forced colours");
    const row = joe.locator(".message[data-id]", { hasText: "in forced colours" });
    await row.hover();
    await row.getByRole("button", { name: "React" }).click();
    await row.getByRole("button", { name: "🎉" }).click();
    await goTo(mary, "General");
    await message(mary, "in forced colours").getByRole("button", { name: "🎉 1" }).click();
    await message(mary, "in forced colours").hover();
    await message(mary, "in forced colours").getByRole("button", { name: "React" }).click();
    await message(mary, "in forced colours").getByRole("button", { name: "👀" }).click();
    await row.getByRole("button", { name: "👀 1" }).waitFor();
    const people = joe.getByRole("region", { name: "People" });
    await people.getByRole("button", { name: /\bonline.*Mary/s }).waitFor();
    const looks = (selector: string) =>
      joe
        .locator(selector)
        .first()
        .evaluate((element) => {
          const { backgroundColor, borderColor, borderInlineStartWidth, outlineStyle } = getComputedStyle(element);
          return [backgroundColor, borderColor, borderInlineStartWidth, outlineStyle].join(" ");
        });
    expect(await looks(".dot.online")).not.toBe(await looks(".dot:not(.online)"));
    await talkTo(joe, "Alex");
    await composer(joe, "Alex").waitFor(); // otherwise Alex's room could open after General
    await goTo(joe, "General");
    expect(await looks("nav .row[aria-current]")).not.toBe(await looks("nav .row:not([aria-current])"));
    expect(await looks(".reactions [aria-pressed=true]")).not.toBe(await looks(".reactions [aria-pressed=false]"));
  });

  it("[PAGE42] shows a guest's name next to the buttons", async () => {
    for (const width of [1100, 390]) {
      const page = await open(server.url, { viewport: { width, height: 700 } });
      await page.getByRole("button", { name: "Continue as guest" }).click();
      await page.getByLabel("Your name").fill("Wilhelmina");
      await page.keyboard.press("Enter");
      const name = page.locator("footer bdi", { hasText: "Wilhelmina" });
      await name.waitFor();
      const box = await name.evaluate((element) => {
        const { left, right } = element.getBoundingClientRect();
        const footer = element.closest("footer") as HTMLElement;
        const shown = element.closest(".ellipsis")?.getBoundingClientRect() as DOMRect;
        return { isWhole: right <= shown.right + 1 && right - left > 20, isInside: footer.scrollWidth <= footer.clientWidth };
      });
      expect(box).toEqual({ isWhole: true, isInside: true });
      await page.getByRole("button", { name: "Create account" }).waitFor();
      await page.getByRole("button", { name: "Sign out" }).waitFor();
    }
  });
});
