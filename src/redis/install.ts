import { spawnSync } from "node:child_process";
import { RedisUnusable } from "./connect.js";

const BINARIES = ["redis-server", "valkey-server"];

/** How to install Redis with one package manager; each step is printed before it runs. */
interface Recipe {
  manager: string;
  steps: string[][];
  asRoot: boolean;
}

const RECIPES: Recipe[] = [
  { manager: "brew", steps: [["brew", "install", "redis"]], asRoot: false },
  {
    manager: "apt-get",
    steps: [
      ["apt-get", "update"],
      ["apt-get", "install", "--yes", "--no-install-recommends", "redis-server"],
    ],
    asRoot: true,
  },
];

/**
 * The path of a `redis-server` or `valkey-server` on this machine. If there is none, installs it with the machine's package manager.
 * @param say called with each command before it runs
 * @throws RedisUnusable with instructions if Redis can be neither found nor installed
 */
export function redisBinary(say: (line: string) => void): string {
  const found = which(...BINARIES);
  if (found) return found;

  const recipe = RECIPES.find(({ manager }) => which(manager));
  const prefix = recipe && rightsFor(recipe);
  if (!recipe || !prefix) throw new RedisUnusable(HOW_TO);

  say("Palaver keeps its data in Redis, and this machine has no redis-server yet. Installing it (about a minute):");
  for (const step of recipe.steps) {
    const [command = "", ...args] = [...prefix, ...step];
    say(`  $ ${[command, ...args].join(" ")}`);
    const { status } = spawnSync(command, args, { stdio: ["ignore", 2, 2] }); // no input: the package manager must not ask questions
    if (status !== 0) throw new RedisUnusable(`The installation failed (exit ${status}).\n\n${HOW_TO}`);
  }
  const installed = which(...BINARIES);
  if (!installed) throw new RedisUnusable(HOW_TO);
  return installed;
}

const HOW_TO = `Palaver keeps its data in Redis 7 (or Valkey), and this machine has no redis-server. Do one of these:

  Debian, Ubuntu   sudo apt-get install redis-server
  Fedora           sudo dnf install valkey
  macOS            brew install redis
  elsewhere        npm start -- --redis redis://HOST:6379   (a Redis that is already running)

Then start Palaver again.`;

/** The path of the first of these programs that is installed; undefined if none is. */
function which(...names: string[]): string | undefined {
  return names
    .map((name) => spawnSync("sh", ["-c", 'command -v "$1"', "sh", name], { encoding: "utf8" }).stdout.trim())
    .find((path) => path !== "");
}

/** The prefix that a recipe's commands need: none, or a sudo that asks for no password; undefined if sudo would ask. */
function rightsFor({ asRoot }: Recipe): string[] | undefined {
  if (!asRoot || process.getuid?.() === 0) return [];
  return which("sudo") && spawnSync("sudo", ["--non-interactive", "true"]).status === 0 ? ["sudo", "--non-interactive"] : undefined;
}
