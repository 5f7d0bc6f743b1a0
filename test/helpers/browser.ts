import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PATHS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

// Without these, Chromium speaks with its maker at every start.
const QUIET = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** A headless Chromium; the caller closes it. */
export function launchBrowser(): Promise<Browser> {
  const asRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath: browserBinary(), args: [...QUIET, "--disable-gpu", ...(asRoot ? ["--no-sandbox"] : [])] });
}

/** The path of a Chromium or Chrome; installed openly with apt-get where there is none and that is allowed. */
export function browserBinary(): string {
  const found = () => PATHS.find((path) => existsSync(path));
  const path = found();
  if (path) return path;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    process.stderr.write("The browser tests need Chromium. Installing it (some minutes):\n");
    for (const args of [["update"], ["install", "--yes", "--no-install-recommends", "chromium"]]) {
      process.stderr.write(`  $ apt-get ${args.join(" ")}\n`);
      spawnSync("apt-get", args, { stdio: ["ignore", 2, 2], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
    }
  }
  const installed = found();
  if (!installed) throw new Error("The browser tests need Chromium: sudo apt-get install chromium, or install Google Chrome on macOS.");
  return installed;
}
