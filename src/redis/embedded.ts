import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { link, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Logger } from "pino";
import { RedisUnusable } from "./connect.js";
import { redisBinary } from "./install.js";

export interface EmbeddedRedis {
  url: string;
  /** Saves everything and ends Redis; can be called twice. */
  stop(): Promise<void>;
}

interface Options {
  dataDir: string;
  /** When writes are forced to the disk. Redis hands every write to the system before it answers either way. */
  fsync: "everysec" | "always";
  log: Logger;
}

/**
 * Starts Redis and ends it when the server's end of the pipe closes, which the system does however the server dies.
 * A plain child would live on after a `kill -9` of the server, and hold its files.
 */
const SUPERVISOR = `
  exec 3<&0
  "$@" &
  redis=$!
  { read -r _ <&3; kill -TERM $redis; } 2>/dev/null &
  wait $redis
`;

const START_TIMEOUT = 60_000; // a minute: a big append-only file takes a while to load
const RESTART_PAUSE = 500; // ms
const LOCK_PAUSE = 50; // ms
const LOCK_PATIENCE = 5_000; // ms

/**
 * Starts a Redis of our own on a free loopback port, with append-only persistence in `dataDir`. Should it die, it is
 * started again on the same port and files.
 * @throws RedisUnusable when there is no Redis to start, it does not start, or another server uses the folder
 */
export async function startEmbeddedRedis({ dataDir, fsync, log }: Options): Promise<EmbeddedRedis> {
  const binary = redisBinary((line) => process.stderr.write(`${line}\n`));
  const folder = resolve(dataDir);
  const lock = await lockFolder(folder).catch((error: Error) => {
    if (error instanceof RedisUnusable) throw error;
    throw new RedisUnusable(`Cannot keep data in ${folder}: ${error.message}\nChoose another folder with --data-dir (or DATA_DIR).`);
  });

  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  await lock.write(url); // before Redis runs: should we be killed, the next server knows whose end to wait for
  const command = [binary, ...redisOptions(port, folder, fsync)];
  let running = launch(command);
  try {
    await waitUntilReady(url, running);
  } catch (error) {
    running.supervisor.stdin.end();
    await running.exited;
    await lock.release();
    throw error;
  }

  let stopping: Promise<void> | undefined;
  void (async () => {
    for (;;) {
      await running.exited;
      if (stopping) return;
      log.error({ output: running.output }, "the embedded Redis ended by itself; starting it again");
      await delay(RESTART_PAUSE);
      if (stopping) return;
      running = launch(command);
    }
  })();

  return {
    url,
    stop: () => {
      stopping ??= (async () => {
        running.supervisor.stdin.end();
        await running.exited;
        await lock.release();
      })();
      return stopping;
    },
  };
}

/** A Redis under its supervisor: what it printed last, and a promise of its end. */
interface Running {
  supervisor: ChildProcessWithoutNullStreams;
  output: string[];
  over: boolean;
  exited: Promise<void>;
}

function launch(command: string[]): Running {
  const supervisor = spawn("sh", ["-c", SUPERVISOR, "sh", ...command], {
    detached: true, // a Ctrl-C at the terminal is for the server, which ends Redis last
  });
  const running: Running = {
    supervisor,
    output: [],
    over: false,
    exited: once(supervisor, "exit").then(() => {
      running.over = true;
      supervisor.stdin.destroy();
    }),
  };
  supervisor.stdin.on("error", () => {}); // the pipe breaks when Redis ends first
  for (const stream of [supervisor.stdout, supervisor.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      running.output = [...running.output, ...text.split("\n").filter((line) => line !== "")].slice(-12);
    });
  }
  return running;
}

function redisOptions(port: number, folder: string, fsync: string): string[] {
  return Object.entries({
    bind: "127.0.0.1",
    port: String(port),
    dir: folder,
    appendonly: "yes",
    appendfsync: fsync,
    save: "",
    "maxmemory-policy": "noeviction",
    loglevel: "notice",
  }).flatMap(([name, value]) => [`--${name}`, value]);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

async function waitUntilReady(url: string, redis: Running): Promise<void> {
  const giveUp = AbortSignal.timeout(START_TIMEOUT);
  while (!(await answers(url))) {
    if (redis.over || giveUp.aborted) {
      throw new RedisUnusable(`The embedded Redis did not start. It said:\n${redis.output.join("\n")}`);
    }
    await delay(10); // ms
  }
}

/** Whether a Redis at this URL serves commands: listening, and done with loading its data. */
async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, enableReadyCheck: false, maxRetriesPerRequest: 0 });
  client.on("error", () => {});
  try {
    await client.connect();
    return (await client.ping()) === "PONG";
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

/** A data folder that this process alone uses. */
interface FolderLock {
  write(url: string): Promise<void>;
  release(): Promise<void>;
}

/**
 * Makes sure that there is a data folder, and that one server at a time uses it: two Redis on the same files would destroy them.
 * The file in it names the owner's process and the address of its Redis.
 */
async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, "palaver.lock");
  const draft = `${path}.${process.pid}`;
  const patience = AbortSignal.timeout(LOCK_PATIENCE);
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
      if (wait) await delay(LOCK_PAUSE);
      else if (read(path) === owner) rmSync(path, { force: true }); // unless another has found it stale too, and put its own there
    }
  } finally {
    await rm(draft, { force: true });
  }
  return {
    write: async (url) => {
      await writeFile(draft, `${process.pid}\n${url}\n`, { mode: 0o600 });
      await rename(draft, path); // whole, whenever it is read
    },
    release: () => rm(path, { force: true }),
  };
}

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
