import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
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

/**
 * Starts a Redis of our own on a free loopback port, with append-only persistence in `dataDir`. Should it die, it is
 * started again on the same port and files.
 * @throws RedisUnusable when there is no Redis to start, it does not start, or another server uses the folder
 */
export async function startEmbeddedRedis({ dataDir, fsync, log }: Options): Promise<EmbeddedRedis> {
  const binary = redisBinary((line) => process.stderr.write(`${line}\n`));
  const folder = resolve(dataDir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(folder);

  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const command = [binary, ...redisOptions(port, folder, fsync)];
  let running = launch(command);
  try {
    await waitUntilReady(url, running);
    await lock.write(url);
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
 * Makes sure that one server at a time uses a data folder: two Redis on the same files would destroy them.
 * The file in it names the owner's process and, once it runs, the address of its Redis.
 */
async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, "palaver.lock");
  const draft = `${path}.${process.pid}`;
  const patience = AbortSignal.timeout(5_000); // the Redis of a server that was just killed needs a moment to save
  try {
    for (;;) {
      await writeFile(draft, `${process.pid}\n`, { mode: 0o600 });
      const taken = await link(draft, path).then(
        () => false,
        (error: NodeJS.ErrnoException) => {
          if (error.code !== "EEXIST") throw error;
          return true;
        },
      );
      if (!taken) break;

      const [pid = "", url = ""] = (await readFile(path, "utf8").catch(() => "")).split("\n");
      const inUse = url === "" ? isAlive(Number(pid)) : await answers(url);
      if (!inUse) await rm(path, { force: true });
      else if (patience.aborted || isAlive(Number(pid))) throw new RedisUnusable(alreadyUsed(folder, pid, url));
      else await delay(50); // ms
    }
  } finally {
    await rm(draft, { force: true });
  }
  return {
    write: (url) => writeFile(path, `${process.pid}\n${url}\n`),
    release: () => rm(path, { force: true }),
  };
}

function alreadyUsed(folder: string, pid: string, url: string): string {
  const share = url === "" ? "It is just starting." : `To share its data:  npm start -- --port ANOTHER --redis ${url}`;
  return `Another Palaver (process ${pid}) uses the data in ${folder}.\n${share}\nTo have data apart:  npm start -- --port ANOTHER --data-dir FOLDER`;
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
