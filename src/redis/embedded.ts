import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Logger } from "pino";
import { RedisUnusable } from "./connect.js";
import { lockFolder } from "./data-folder.js";
import { redisBinary } from "./install.js";

export interface EmbeddedRedis {
  url: string;
  /** Saves everything and ends Redis; idempotent. */
  stop(): Promise<void>;
}

interface Options {
  dataDir: string;
  /** When Redis forces writes to the disk. In both cases it hands each write to the operating system before it answers. */
  fsync: "everysec" | "always";
  log: Logger;
}

/**
 * Starts Redis, and ends it when the server's end of the pipe closes. The operating system closes the pipe however the server dies; a
 * plain child process would survive a `kill -9` of the server and hold its files. The signal is repeated until Redis ends, because
 * Redis refuses to shut down while it writes its first append-only file.
 */
const SUPERVISOR = `
  exec 3<&0
  "$@" &
  redis=$!
  { read -r _ <&3; while kill -TERM $redis; do sleep 1; done; } 2>/dev/null &
  wait $redis
`;

const START_TIMEOUT = 60_000; // ms: a large append-only file takes a while to load
const RESTART_PAUSE = 500; // ms

/**
 * Starts a Redis for this server on a free loopback port, with append-only persistence in `dataDir`. If it dies, it is restarted on
 * the same port and files.
 * @throws RedisUnusable if no Redis is installed, it does not start, or another server uses the folder
 */
export async function startEmbeddedRedis({ dataDir, fsync, log }: Options): Promise<EmbeddedRedis> {
  const binary = redisBinary((line) => process.stderr.write(`${line}\n`));
  const folder = resolve(dataDir);
  const lock = await lockFolder(folder).catch((error: Error) => {
    if (error instanceof RedisUnusable) throw error;
    throw new RedisUnusable(`Cannot store data in ${folder}: ${error.message}\nChoose another folder with --data-dir (or DATA_DIR).`);
  });

  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  await lock.write(url); // before Redis runs: if this server is killed, the next one knows which Redis to wait for
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
      log.error({ output: running.output }, "the embedded Redis ended unexpectedly; restarting it");
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

/** A Redis under its supervisor, with its last lines of output and a promise that resolves when it ends. */
interface Running {
  supervisor: ChildProcessWithoutNullStreams;
  output: string[];
  over: boolean;
  exited: Promise<void>;
}

function launch(command: string[]): Running {
  const supervisor = spawn("sh", ["-c", SUPERVISOR, "sh", ...command], {
    detached: true, // a Ctrl-C in the terminal must reach only the server, which ends Redis last
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
      throw new RedisUnusable(`The embedded Redis did not start. Its last output:\n${redis.output.join("\n")}`);
    }
    await delay(10); // ms
  }
}

/** Whether a Redis at this URL serves commands: it listens and has loaded its data. */
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
