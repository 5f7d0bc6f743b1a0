import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const PATHS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

// Without these, Chromium contacts Google at every start.
const QUIET = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Launches a headless Chromium, which the caller closes. */
export function launchBrowser(): Promise<Browser> {
  const asRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath: browserBinary(), args: [...QUIET, "--disable-gpu", ...(asRoot ? ["--no-sandbox"] : [])] });
}

/** Finds Chromium or Chrome. Installs Chromium with apt-get, visibly, if it is missing and the user is root. */
export function browserBinary(): string {
  const found = () => PATHS.find((path) => existsSync(path));
  const path = found();
  if (path) return path;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    process.stderr.write("The browser tests need Chromium. Installing it (takes some minutes):\n");
    for (const args of [["update"], ["install", "--yes", "--no-install-recommends", "chromium"]]) {
      process.stderr.write(`  $ apt-get ${args.join(" ")}\n`);
      spawnSync("apt-get", args, { stdio: ["ignore", 2, 2], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
    }
  }
  const installed = found();
  if (!installed) throw new Error("The browser tests need Chromium: sudo apt-get install chromium, or install Google Chrome on macOS.");
  return installed;
}

/** A page in a separate browser profile, and its errors. */
export interface OpenPage {
  page: Page;
  /** Exceptions of the page's scripts, errors in the browser's console, and requests to other servers. */
  complaints: string[];
}

/** Opens a page in a new browser profile. Failed requests, as during an outage of the server, are not complaints. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const page = await (await browser.newContext(options)).newPage();
  page.setDefaultTimeout(100_000); // ms
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    const isNetwork = /^(Failed to load resource|WebSocket connection to)/.test(message.text());
    if (message.type() === "error" && !isNetwork) complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) complaints.push(`request to ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints };
}

/** Returns axe's serious and critical findings on the current page: each one's rule and element. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`));
}
