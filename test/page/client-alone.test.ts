import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { expect, it } from "vitest";
import { launchBrowser, openPage } from "../helpers/browser.js";
import { cleanUp } from "../helpers/cleanup.js";
import { ownFolder, ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const source = fileURLToPath(new URL("../../client-example", import.meta.url));

it("[PAGE43] installs, tests, builds and serves client-example from a copy in an empty folder", { timeout: 900_000 }, async () => {
  const folder = await ownFolder();
  await cp(source, folder, { recursive: true, filter: (path) => !/\/(node_modules|dist|gql)$/.test(path) });
  for (const args of [["install"], ["run", "build"], ["test"]]) expect(await npm(folder, args)).toEqual([args, 0, ""]);
  expect((await readdir(join(folder, "dist"))).sort()).toEqual(["assets", "index.html", "index.html.br", "index.html.gz"]);
  expect(await readFile(join(folder, "package.json"), "utf8")).not.toContain("..");
  await rm(join(folder, "dist"), { recursive: true });

  // Like `npm run dev`: Vite serves the page, and a separate server the API.
  const server = await ownServer((await ownRedis()).url, { demoData: true });
  process.env.PALAVER_URL = server.url;
  const vite = await createServer({ root: folder, server: { port: 0, host: "127.0.0.1" }, logLevel: "error" });
  cleanUp(() => vite.close());
  await vite.listen();
  const browser = await launchBrowser();
  cleanUp(() => browser.close());
  const { page } = await openPage(browser, vite.resolvedUrls?.local[0] ?? "");
  await page.getByRole("button", { name: "Pablo", exact: true }).click();
  await page.getByText("Live", { exact: true }).waitFor();
  await page.getByLabel("Message to General").fill("from a page of its own");
  await page.keyboard.press("Enter");
  await page.locator(".message[data-id]", { hasText: "from a page of its own" }).waitFor();
});

/** Runs npm; returns the arguments, the exit code, and the output if it failed. */
async function npm(cwd: string, args: string[]): Promise<[string[], number, string]> {
  const { NODE_ENV: _, VITEST: __, ...env } = process.env; // a production build, not a test build
  const child = spawn("npm", args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  const [code] = await once(child, "close");
  return [args, code, code === 0 ? "" : said];
}
