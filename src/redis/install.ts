import { spawnSync } from "node:child_process";
import { RedisUnusable } from "./connect.js";

const BINARIES = ["redis-server", "valkey-server"];

/** How Redis is installed where a package manager is at hand; each step is printed before it runs. */
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
 * The path of a `redis-server` or `valkey-server` on this machine. Where there is none, it is installed with the
 * machine's package manager, openly: `say` gets each command before it runs.
 * @throws RedisUnusable with what to do, where it can be neither found nor installed
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
    const { status } = spawnSync(command, args, { stdio: ["ignore", 2, 2] }); // nobody is asked anything
    if (status !== 0) throw new RedisUnusable(`That did not work (exit ${status}).\n\n${HOW_TO}`);
  }
  const installed = which(...BINARIES);
  if (!installed) throw new RedisUnusable(HOW_TO);
  return installed;
}

const HOW_TO = `Palaver keeps its data in Redis 7 (or Valkey), and there is no redis-server on this machine. Do one of these:

  Debian, Ubuntu   sudo apt-get install redis-server
  Fedora           sudo dnf install valkey
  macOS            brew install redis
  elsewhere        npm start -- --redis redis://HOST:6379   (a Redis that runs already)

Then start Palaver again.`;

/** The path of the first of these programs that is installed. */
function which(...names: string[]): string | undefined {
  return names
    .map((name) => spawnSync("sh", ["-c", 'command -v "$1"', "sh", name], { encoding: "utf8" }).stdout.trim())
    .find((path) => path !== "");
}

/** What to put before a command so that it may run here: nothing, or a sudo that asks for no password. */
function rightsFor({ asRoot }: Recipe): string[] | undefined {
  if (!asRoot || process.getuid?.() === 0) return [];
  return which("sudo") && spawnSync("sudo", ["--non-interactive", "true"]).status === 0 ? ["sudo", "--non-interactive"] : undefined;
}
