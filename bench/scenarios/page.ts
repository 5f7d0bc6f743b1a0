import { Redis } from "ioredis";
import { launchBrowser } from "../../test/helpers/browser.js";
import { fillRoom } from "../../test/helpers/fill.js";
import { startPalaver } from "../processes.js";
import { printTable } from "../table.js";

const MESSAGES = 10_000;
const STEP = 120; // px per turn of the wheel
const EVERY = 33; // ms

/** Scrolls the page from the newest of 10,000 messages to the oldest: frame times, and tasks that block the page. */
export async function page(): Promise<void> {
  const { redisUrl, ...server } = await startPalaver(undefined, ["--demo-data", "on", "--rate-limits", "off"]);
  const redis = new Redis(redisUrl);
  await fillRoom(redis, "1:3", MESSAGES, "3");
  await redis.sadd("user:1:rooms", "1:3");
  await redis.sadd("user:3:rooms", "1:3");
  redis.disconnect();

  const browser = await launchBrowser();
  try {
    const tab = await browser.newPage({ viewport: { width: 1100, height: 700 } });
    await tab.addInitScript("globalThis.__name = (named) => named"); // tsx adds calls of it to functions that run in the page
    await tab.goto(new URL("/", server.url).href);
    await tab.getByRole("button", { name: "Pablo", exact: true }).click();
    await tab.getByRole("region", { name: "People" }).getByRole("button", { name: "Mary" }).click();
    await tab
      .getByText(`message ${MESSAGES - 1}`)
      .last()
      .waitFor();
    await tab.mouse.move(700, 300);
    process.stderr.write(`scrolling past ${MESSAGES} messages …\n`);
    await tab.evaluate(() => {
      const measured = Object.assign(globalThis, { frames: [] as number[], tasks: [] as number[], most: 0 });
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) measured.tasks.push(duration);
      }).observe({ type: "longtask" });
      let before = performance.now();
      const look = () => {
        const now = performance.now();
        measured.frames.push(now - before);
        measured.most = Math.max(measured.most, document.getElementsByTagName("*").length);
        before = now;
        requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
    const start = performance.now();
    for (let isAtBegin = false; !isAtBegin; ) {
      for (let turn = 0; turn < 20; turn++) {
        await tab.mouse.wheel(0, -STEP);
        await tab.waitForTimeout(EVERY);
      }
      isAtBegin = (await tab.getByText("This is the start of the conversation.").count()) > 0;
    }
    const seconds = (performance.now() - start) / 1_000;
    const { frames, tasks, most } = await tab.evaluate(() => {
      const { frames, tasks, most } = globalThis as unknown as { frames: number[]; tasks: number[]; most: number };
      return { frames, tasks, most };
    });
    frames.sort((one, other) => one - other);
    const at = (share: number) => frames[Math.min(frames.length - 1, Math.floor(frames.length * share))] ?? Number.NaN;
    printTable(`page: scrolling past ${MESSAGES} messages, ${STEP} px every ${EVERY} ms`, [
      {
        name: "palaver",
        s: seconds,
        "messages/s": Math.round(MESSAGES / seconds),
        "frame p50 ms": at(0.5),
        "p95 ms": at(0.95),
        "p99 ms": at(0.99),
        "worst ms": at(1),
        "tasks over 50 ms": tasks.length,
        "ms in them": tasks.reduce((sum, ms) => sum + ms, 0),
        "max elements": most,
      },
    ]);
  } finally {
    await browser.close();
  }
}
