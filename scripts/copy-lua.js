/** Copies the Lua scripts beside the compiled files, as part of `npm run build`. */
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [from, to] = ["../src/", "../dist/"].map((path) => fileURLToPath(new URL(path, import.meta.url)));
for (const part of readdirSync(from).filter((name) => existsSync(`${from}${name}/lua`))) {
  rmSync(`${to}${part}/lua`, { recursive: true, force: true }); // may have scripts that no longer exist
  cpSync(`${from}${part}/lua`, `${to}${part}/lua`, { recursive: true, filter: (file) => !file.endsWith(".ts") });
}
