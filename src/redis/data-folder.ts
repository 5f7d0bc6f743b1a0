import { readFileSync, renameSync } from "node:fs";
import { link, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { RedisUnusable } from "./connect.js";

const CHECK_PAUSE = 50; // ms between two checks
const PATIENCE = 5_000; // ms

/** A data folder that only this process uses. */
export interface FolderLock {
  write(url: string): Promise<void>;
  release(): Promise<void>;
}

/**
 * Creates the data folder if it is missing, and ensures that only one server at a time uses it: two Redis servers on the same files
 * would destroy them. A lock file in the folder names the owner's process and the address of its Redis.
 * @throws RedisUnusable if another server uses the folder, or the file system's error if it cannot be created
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
      // Either may need a moment: the Redis of a killed server saves, or a live server starts or restarts its Redis. If no Redis
      // appears, the process id of the dead server now belongs to another program.
      const wait = listening || (alive && Number(pid) !== process.pid && !patience.aborted);
      if (wait) await delay(CHECK_PAUSE);
      else if (read(path) === owner) {
        // Other processes may find the lock stale at the same moment: each replaces it with its own, and the last one wins.
        renameSync(draft, path);
        await delay(CHECK_PAUSE);
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
      await rename(draft, path); // atomic, so that no process reads half a file
    },
    release: async () => {
      if (isOurs(path)) await rm(path, { force: true });
    },
  };
}

const isOurs = (path: string) => read(path)?.startsWith(`${process.pid}\n`) === true;

/** Links `path` to the file `draft`, so that it appears with its full content. @returns false if `path` exists already */
async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** The content of a file; undefined if it does not exist. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether something listens at this URL, even a Redis that does not answer because it loads, saves or hangs. */
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
To share its data:      npm start -- --port ANOTHER --redis ${url}
To keep separate data:  npm start -- --port ANOTHER --data-dir FOLDER`;
}

function notEnded(path: string, pid: string, url: string): string {
  return `The server that used this data (process ${pid}) has ended, but the Redis that it started at ${url} is still running.
Wait until that Redis ends. If another program uses this address now, delete ${path}`;
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
