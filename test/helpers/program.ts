import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { redisBinary } from "../../src/redis/install.js";
import { eventually } from "./eventually.js";
import { ownFolder } from "./redis.js";

/** The built program; `npm test` builds it first. */
export const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
/** The built worker of the assistant. */
export const WORKER = fileURLToPath(new URL("../../dist/worker.js", import.meta.url));

const scratch = await ownFolder();
let launched = 0;

/** Creates a new folder to start the program in, without a stray .env. */
export async function emptyFolder(): Promise<string> {
  return mkdtemp(join(scratch, "run-"));
}

/** Writes an executable shell script. */
export async function writeScript(path: string, ...lines: string[]): Promise<void> {
  await writeFile(path, `${["#!/bin/sh", ...lines].join("\n")}\n`, { mode: 0o755 });
}

/**
 * A folder for the PATH with a `redis-server` that records its process group, which is that of the supervisor that started it, and then
 * runs the real one.
 */
export const redisTools = join(scratch, "tools");
await mkdir(redisTools);
await writeScript(
  join(redisTools, "redis-server"),
  'echo "$PPID" >>"$REDIS_GROUPS"',
  `exec "${redisBinary(() => {})}" "$@"`, // the global setup has installed it
);

interface Launch {
  /** The program; by default the server. */
  file?: string;
  /** The working directory. */
  cwd: string;
  args?: string[];
  /** Its whole environment, except PATH. */
  env?: NodeJS.Dict<string>;
  /** Its PATH; by default that of the tests, with `redisTools` first. */
  path?: string;
}

/** Starts the program without adding any options. */
export function launch(how: Launch): Program {
  return new Program(how);
}

/** Starts the program on a free port, with cheap passwords, and waits until it runs. */
export async function start(cwd: string, ...args: string[]): Promise<Program> {
  const program = launch({ cwd, args: ["--port", "0", "--bcrypt-cost", "4", ...args] });
  await program.ready();
  return program;
}

/**
 * The program as a user runs it, in a separate process group, as a shell starts it. After the test, all its remaining processes are
 * killed. A Redis that does not end with the program fails the test.
 */
export class Program {
  stdout = "";
  stderr = "";
  /** How it ended: an exit code, or the signal that killed it. */
  ended: number | NodeJS.Signals | undefined;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #groups: string;

  constructor({ file = MAIN, cwd, args = [], env = {}, path = [redisTools, process.env.PATH].join(delimiter) }: Launch) {
    this.#groups = join(scratch, `groups-${++launched}`);
    this.#child = spawn(process.execPath, [file, ...args], {
      cwd,
      env: { ...env, PATH: path, REDIS_GROUPS: this.#groups },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.pid = this.#child.pid ?? 0;
    for (const name of ["stdout", "stderr"] as const) {
      this.#child[name]?.setEncoding("utf8").on("data", (text: string) => {
        this[name] += text;
      });
    }
    this.#closed = once(this.#child, "close").then(([code, signal]) => {
      this.ended = code ?? signal;
    });
    onTestFinished(() => this.#dispose());
  }

  /** The URL at which it listens, from its output. */
  get url(): string {
    return /^ {2}Chat +(\S+)\/$/m.exec(this.stdout)?.[1] ?? "";
  }

  /** The URL of its Redis, from its output. */
  get redisUrl(): string {
    return /^ {2}Redis +(\S+)/m.exec(this.stdout)?.[1] ?? "";
  }

  /** The process groups in which it has started a Redis. */
  get redisGroups(): number[] {
    return existsSync(this.#groups) ? readFileSync(this.#groups, "utf8").trim().split("\n").map(Number) : [];
  }

  /** Waits until it prints that it runs. */
  async ready(): Promise<void> {
    while (this.redisUrl === "") {
      if (this.ended !== undefined) throw new Error(`the program ended with ${this.ended}:\n${this.stdout}${this.stderr}`);
      await Promise.race([this.#closed, once(this.#child.stdout ?? this.#child, "data")]);
    }
  }

  /** Waits until it ends. @returns its exit code or signal */
  async end(): Promise<number | NodeJS.Signals | undefined> {
    await this.#closed;
    return this.ended;
  }

  /** Sends a signal to the program alone, as `kill PID` does. */
  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Sends a signal to its process group, as a terminal does. */
  killGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  /** Waits until all processes of the Redis that it started have ended. */
  async redisGone(): Promise<void> {
    await eventually(() => {
      const left = this.redisGroups.filter(runs);
      if (left.length > 0) throw new Error(`an embedded Redis still runs, in process group ${left}`);
    });
  }

  async #dispose(): Promise<void> {
    if (this.ended === undefined) this.kill("SIGKILL");
    await this.#closed;
    try {
      await this.redisGone();
    } finally {
      for (const group of this.redisGroups.filter(runs)) process.kill(-group, "SIGKILL");
    }
  }
}

/** Whether a process group has a running process. Zombies do not count. */
function runs(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  return readdirSync("/proc").some((pid) => {
    const [, state, member] = / ([A-Z]) \d+ (\d+) /.exec(statusOf(pid)) ?? [];
    return Number(member) === group && state !== "Z";
  });
}

/** Returns a process's line in /proc/PID/stat after its name; empty if there is no such process. */
function statusOf(pid: string): string {
  if (!/^\d+$/.test(pid)) return "";
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\)/s, "");
  } catch {
    return "";
  }
}

/** Whether a program listens at this URL. */
export async function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  return new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  }).finally(() => socket.destroy());
}
