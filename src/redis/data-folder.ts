import { readFileSync, renameSync } from "node:fs";
import { link, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { RedisUnusable } from "./connect.js";

const PAUSE = 50; // ms between two looks
const PATIENCE = 5_000; // ms

/** A data folder that this process alone uses. */
export interface FolderLock {
  write(url: string): Promise<void>;
  release(): Promise<void>;
}

/**
 * Makes sure that there is a data folder, and that one server at a time uses it: two Redis on the same files would
 * destroy them. A file in it names the owner's process and the address of its Redis.
 * @throws RedisUnusable where another server uses it, or the error of making it
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, "palaver.lock");
  const draft = `${path}.${process.pid}`;
  const patience = AbortSignal.timeout(PATIENCE);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await writeFile(draft, `${process.pid}\n`, { mode: 0o600 });
    while (!(await linked(draft, path))) {
      const owner = read(path);
      if (owner === undefined) continue; // released since
      const [pid = "", url = ""] = owner.split("\n");
      const alive = isAlive(Number(pid));
      const listening = await isListening(url);
      if (listening && alive) throw new RedisUnusable(alreadyUsed(folder, pid, url));
      if (listening && patience.aborted) throw new RedisUnusable(notEnded(path, pid, url));
      // One of the two needs a moment: the Redis of a server that was killed saves, or a living server starts its Redis
      // (again). If no Redis comes, another program has the number of a dead server by now.
      const wait = listening || (alive && Number(pid) !== process.pid && !patience.aborted);
      if (wait) await delay(PAUSE);
      else if (read(path) === owner) {
        // Others may find it stale at the same moment: each puts its own in its place, and the last one has it.
        renameSync(draft, path);
        await delay(PAUSE);
        if (isOurs(path)) break;
        await writeFile(draft, `${process.pid}\n`, { mode: 0o600 });
      }
    }
  } finally {
    await rm(draft, { force: true });
  }
  return {
    write: async (url) => {
      await writeFile(draft, `${process.pid}\n${url}\n`, { mode: 0o600 });
      await rename(draft, path); // whole, whenever it is read
    },
    release: async () => {
      if (isOurs(path)) await rm(path, { force: true });
    },
  };
}

const isOurs = (path: string) => read(path)?.startsWith(`${process.pid}\n`) === true;

/** Makes `path` another name of the file `draft`: it appears with what is in it, or not at all where there is one already. */
async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** What is in a file; undefined where there is none. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether something listens at this URL, be it a Redis that loads, saves or hangs and does not answer. */
async function isListening(url: string): Promise<boolean> {
  if (!URL.canParse(url)) return false;
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  return new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  }).finally(() => socket.destroy());
}

function alreadyUsed(folder: string, pid: string, url: string): string {
  return `Another Palaver (process ${pid}) uses the data in ${folder}.
To share its data:  npm start -- --port ANOTHER --redis ${url}
To have data apart:  npm start -- --port ANOTHER --data-dir FOLDER`;
}

function notEnded(path: string, pid: string, url: string): string {
  return `The server that used this data (process ${pid}) is gone, but what it started at ${url} has not ended.
Wait for that; or, if it is another program by now, delete ${path}`;
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
