import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launchBrowser, openPage } from "../helpers/browser.js";
import { emptyFolder } from "../helpers/program.js";

const project = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;
let dev: ChildProcess;
let printed = "";

beforeAll(async () => {
  // A copy, because the test edits it.
  folder = await emptyFolder();
  for (const name of ["src", "client-example", "scripts", "package.json", "schema.graphql", "tsconfig.json"]) {
    await cp(join(project, name), join(folder, name), {
      recursive: true,
      filter: (path) => !/client-example\/(node_modules|dist)/.test(path),
    });
  }
  for (const name of ["node_modules", "client-example/node_modules"]) await symlink(join(project, name), join(folder, name));
  dev = spawn(process.execPath, ["scripts/dev.js", "--port", "0", "--bcrypt-cost", "4", "--data-dir", join(folder, "data")], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  dev.stdout?.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
});

afterAll(async () => {
  if (dev.exitCode !== null) return;
  const ended = once(dev, "exit");
  dev.kill("SIGTERM");
  await ended;
});

it("[PAGE18] serves page and API on one port with `npm run dev`, and applies edits to both", async () => {
  const address = () => /Page and API.*(http:\S+)/.exec(printed)?.[1];
  await expect.poll(address, { timeout: 60_000 }).toBeDefined();
  const url = address() as string;
  const nameOfServer = async () => {
    const response = await fetch(`${url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: "{ server { name } }" }),
    });
    return response.ok ? ((await response.json()) as { data: { server: { name: string } } }).data.server.name : undefined;
  };
  await expect.poll(nameOfServer, { timeout: 60_000 }).toBe("palaver");

  const browser = await launchBrowser();
  try {
    const { page } = await openPage(browser, url);
    await page.getByRole("button", { name: "Pablo" }).click({ timeout: 60_000 }); // Vite prepares the page's imports first
    await page.getByRole("navigation").getByRole("button", { name: "General" }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByLabel("Message to General").fill("a draft");

    await edit("client-example/src/components/Sidebar.tsx", 'placeholder="Search rooms and people"', 'placeholder="Find people"');
    await page.getByPlaceholder("Find people").waitFor({ timeout: 60_000 });
    expect(await page.getByLabel("Message to General").inputValue()).toBe("a draft"); // the page was not reloaded

    await edit("src/api/server-info.ts", '"palaver"', '"palaver, edited"');
    await expect.poll(nameOfServer, { timeout: 60_000 }).toBe("palaver, edited");
    await page.keyboard.press("Enter");
    await page.locator(".message").filter({ hasText: "a draft" }).waitFor({ timeout: 60_000 });
    await page.getByText("Sending…").waitFor({ state: "detached", timeout: 60_000 });
  } finally {
    await browser.close();
  }
});

async function edit(file: string, before: string, after: string): Promise<void> {
  const path = join(folder, file);
  const text = await readFile(path, "utf8");
  expect(text).toContain(before);
  await writeFile(path, text.replace(before, after));
}
