/** The processes of a run: servers, which are measured, and clients in separate processes, which are not. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import { redisBinary } from "../src/redis/install.js";

const env = { ...process.env, NODE_ENV: "production" };
const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const children: ChildProcess[] = [];
const folders: string[] = [];

export interface Server {
  name: string;
  child: ChildProcess;
  /** The server's address; `ws:` if it serves only WebSockets. */
  url: string;
  token?: string;
}

export interface Memory {
  /** Bytes of the JavaScript heap and of buffers, after a collection. */
  held: number;
  rss: number;
}

/**
 * Starts the built Palaver, with an embedded Redis unless a URL is passed.
 * @param settings command-line options of Palaver
 * @param flags command-line options of Node.js
 * @param checkout the folder of the checkout whose build to start
 */
export async function startPalaver(
  redisUrl?: string,
  settings: string[] = [],
  flags: string[] = [],
  checkout = file(".."),
): Promise<Server & { redisUrl: string }> {
  const folder = await mkdtemp(join(tmpdir(), "palaver-bench-"));
  folders.push(folder);
  const profile = process.env.PROFILE ? ["--cpu-prof", `--cpu-prof-dir=${process.env.PROFILE}`] : [];
  const options = [
    "--port",
    "0",
    "--data-dir",
    folder,
    "--log-level",
    "warn",
    "--rate-limits",
    "off",
    "--sockets-per-user",
    "1000000",
    ...(redisUrl ? ["--redis", redisUrl] : []),
    ...settings,
  ];
  const child = spawn(
    process.execPath,
    ["--expose-gc", ...flags, "--import", file("./probe.mjs"), ...profile, join(checkout, "dist/main.js"), ...options],
    {
      env,
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    },
  );
  children.push(child);
  let printed = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  while (!/Redis\s+redis:/.test(printed)) {
    if (child.exitCode !== null) throw new Error(`palaver ended with ${child.exitCode} instead of starting`);
    await delay(50);
  }
  const url = /API\s+(\S+)/.exec(printed)?.[1] ?? "";
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: 'mutation { login(username: "Pablo", password: "password123") { token } }' }),
  });
  const { token } = ((await response.json()) as { data: { login: { token: string } } }).data.login;
  return { name: "palaver", child, url, token, redisUrl: /Redis\s+(\S+)/.exec(printed)?.[1] ?? "" };
}

/** Starts a Redis Cluster of three nodes. @returns its addresses, in the format of `--redis` */
export async function startCluster(): Promise<string> {
  const binary = redisBinary((line) => process.stderr.write(`${line}\n`));
  const addresses: string[] = [];
  for (let n = 0; n < 3; n++) {
    const dir = await mkdtemp(join(tmpdir(), "palaver-bench-"));
    folders.push(dir);
    const port = await freePort();
    const options = ["--port", String(port), "--dir", dir, "--cluster-enabled", "yes", "--appendonly", "yes", "--save", ""];
    children.push(spawn(binary, options, { stdio: "ignore" }));
    addresses.push(`127.0.0.1:${port}`);
  }
  const create = spawn("redis-cli", ["--cluster", "create", ...addresses, "--cluster-yes"], { stdio: ["ignore", "ignore", "inherit"] });
  if ((await once(create, "exit"))[0] !== 0) throw new Error("redis-cli could not create a cluster from the nodes");
  return addresses.map((address) => `redis://${address}`).join(",");
}

/** A free port low enough that its cluster bus port, 10,000 above it, is valid too. */
async function freePort(): Promise<number> {
  for (;;) {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, "close");
    if (port <= 55_000) return port;
  }
}

/** Starts a server that Palaver is compared with. */
export async function startPeer(name: string, path: string, redisUrl: string): Promise<Server> {
  const child = fork(file(path), [redisUrl], { env, execArgv: ["--expose-gc", "--import", file("./probe.mjs"), "--import", "tsx"] });
  children.push(child);
  const [url] = (await once(child, "message")) as [string];
  return { name, child, url, token: "a-token-of-the-usual-length-for-one-of-256-random-bits" };
}

/** Starts the built assistant worker on a server's Redis. @param settings command-line options of the worker */
export async function startWorker(redisUrl: string, settings: string[]): Promise<Server> {
  const options = ["--redis", redisUrl, "--log-level", "info", ...settings];
  const child = spawn(process.execPath, [file("../dist/worker.js"), ...options], { env, stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  await once(child.stdout as Readable, "data"); // the first line says that the worker is ready
  child.stdout?.resume();
  return { name: "worker", child, url: "" };
}

/** Starts a process that runs many clients. */
export const startLoad = () => startClients("./load.ts");

/** Starts a process that runs many users of the assistant. */
export const startAskers = () => startClients("./askers.ts");

/** Starts a process of malicious clients. */
export const startAttackers = () => startClients("./attackers.ts");

function startClients(path: string): ChildProcess {
  const child = fork(file(path), { execArgv: ["--import", "tsx"] });
  children.push(child);
  return child;
}

/** Sends a message to a process and waits for its answer. */
export async function ask<T>(child: ChildProcess, message: object | string): Promise<T> {
  const answer = once(child, "message");
  child.send(message);
  const [value] = await answer;
  return value as T;
}

export const memoryOf = ({ child }: Server) => ask<Memory>(child, "memory");

/** CPU time of a server's process so far, over all threads, in ms: https://docs.kernel.org/scheduler/sched-stats.html */
export async function cpuOf({ child }: Server): Promise<number> {
  const tasks = await readdir(`/proc/${child.pid}/task`);
  const stats = await Promise.all(tasks.map((task) => readFile(`/proc/${child.pid}/task/${task}/schedstat`, "utf8")));
  return stats.reduce((sum, stat) => sum + Number(stat.split(" ")[0]) / 1e6, 0);
}

/** CPU time that a Redis has used so far, in ms. */
export async function redisCpuOf(redis: Redis): Promise<number> {
  const info = await redis.info("cpu");
  const seconds = (name: string) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1]);
  return (seconds("used_cpu_sys") + seconds("used_cpu_user")) * 1_000;
}

/** Resident bytes of a server's process, without a collection, which would block all clients. */
export async function residentOf({ child }: Server): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill();
  await gone;
}

/** Ends all started processes, last one first, and removes their folders. */
export async function endAll(): Promise<void> {
  for (const child of children.reverse()) await end(child);
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}
