/**
 * Measures what a delivery costs: Palaver as it is built, beside a bare loop over sockets and beside the stock libraries, in
 * turn and in the same run. CPU time of the server's process, as the system counts it, per frame that a client got.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { WebSocket } from "ws";

const SUBSCRIBERS = Number(process.env.SUBSCRIBERS ?? 1_000);
const SECONDS = Number(process.env.SECONDS ?? 10);
const TICK = 10; // ms; the system counts CPU time in hundredths of a second
const PADDING = "x".repeat(60);
const QUERY = 'subscription { messageAdded(roomId: "0") { id text position } }';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "palaver-bench-"));
const children: ChildProcess[] = [];

interface Contender {
  name: string;
  pid: number;
  url: string;
  token?: string;
  publish(text: string): void;
}

interface Figures {
  microseconds: number;
  perSecond: number;
  p50: number;
  p99: number;
  lost: number;
}

try {
  const { palaver, redisUrl } = await startPalaver();
  const redis = new Redis(redisUrl);
  const contenders = [
    palaver,
    await startPeer("bare loop", "./peers/bare.ts", redisUrl, redis),
    await startPeer("stock", "./peers/stock.ts", redisUrl, redis),
  ];

  say(`${SUBSCRIBERS} subscribers of one room; ${SECONDS} s of 20 messages/s, then bursts of 500 messages.\n`);
  const steady = new Map<string, Figures>();
  const burst = new Map<string, Figures>();
  for (const contender of contenders) {
    process.stderr.write(`measuring ${contender.name} …\n`);
    const load = fork(file("./load.ts"), { execArgv: ["--import", "tsx"] });
    children.push(load);
    await ask(load, { url: contender.url, sockets: SUBSCRIBERS, query: QUERY, ...(contender.token && { token: contender.token }) });
    await delay(1_000);
    await measure(contender, load, 40, 50); // warm
    steady.set(contender.name, await measure(contender, load, SECONDS * 20, 50));
    burst.set(contender.name, await measure(contender, load, 500, 0));
    load.kill();
    await once(load, "exit");
    await delay(1_000);
  }
  redis.disconnect();
  print("steady", steady);
  print("burst", burst);
} finally {
  for (const child of children) if (child.exitCode === null) child.kill();
  await delay(500);
  await rm(folder, { recursive: true, force: true });
}

/** Sends messages at a pace (ms between two; 0 for all at once), and waits until they have arrived or no more come. */
async function measure({ pid, publish }: Contender, load: ChildProcess, messages: number, pause: number): Promise<Figures> {
  await ask(load, "reset");
  const cpuBefore = await cpuOf(pid);
  const start = performance.now();
  for (let n = 0; n < messages; n++) {
    publish(`${performance.timeOrigin + performance.now()} ${PADDING}`);
    if (pause > 0) await delay(pause);
  }
  let counted = await ask(load, "count");
  let end = performance.now();
  for (let still = 0; counted.frames < messages * SUBSCRIBERS && still < 100; ) {
    await delay(50);
    const next = await ask(load, "count");
    still = next.frames === counted.frames ? still + 1 : 0;
    if (still === 0) end = performance.now();
    counted = next;
  }
  const cpu = (await cpuOf(pid)) - cpuBefore;
  if (counted.frames === 0) throw new Error("no frame arrived");
  return {
    microseconds: (cpu * 1_000) / counted.frames,
    perSecond: counted.frames / ((end - start) / 1_000),
    p50: counted.p50,
    p99: counted.p99,
    lost: messages * SUBSCRIBERS - counted.frames,
  };
}

function print(scenario: string, figures: Map<string, Figures>): void {
  const bare = figures.get("bare loop")?.microseconds ?? Number.NaN;
  const stock = figures.get("stock");
  say(`${scenario.padEnd(12)} CPU µs/delivery   × bare   × stock   deliveries/s   × stock   p50 ms   p99 ms   lost`);
  for (const [name, { microseconds, perSecond, p50, p99, lost }] of figures) {
    const cells = [
      microseconds.toFixed(2).padStart(15),
      (microseconds / bare).toFixed(2).padStart(8),
      (microseconds / (stock?.microseconds ?? Number.NaN)).toFixed(2).padStart(9),
      Math.round(perSecond).toString().padStart(14),
      (perSecond / (stock?.perSecond ?? Number.NaN)).toFixed(2).padStart(9),
      p50.toFixed(1).padStart(8),
      p99.toFixed(1).padStart(8),
      String(lost).padStart(6),
    ];
    say(`  ${name.padEnd(10)} ${cells.join(" ")}`);
  }
  say("");
}

async function startPalaver(): Promise<{ palaver: Contender; redisUrl: string }> {
  const child = spawn(
    process.execPath,
    [
      ...(process.env.PROFILE ? ["--cpu-prof", `--cpu-prof-dir=${process.env.PROFILE}`] : []),
      file("../dist/main.js"),
      "--port",
      "0",
      "--data-dir",
      folder,
      "--log-level",
      "warn",
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  children.push(child);
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  while (!/Redis\s+redis:/.test(printed)) await delay(50);
  const url = /API\s+(\S+)/.exec(printed)?.[1] ?? "";
  const redisUrl = /Redis\s+(\S+)/.exec(printed)?.[1] ?? "";
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: 'mutation { login(username: "Pablo", password: "password123") { token } }' }),
  });
  const { token } = ((await response.json()) as { data: { login: { token: string } } }).data.login;

  const socketUrl = url.replace(/^http/, "ws");
  const sender = new WebSocket(socketUrl, "graphql-transport-ws");
  await once(sender, "open");
  sender.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${token}` } }));
  await once(sender, "message");
  let sent = 0;
  const publish = (text: string) => {
    const payload = { query: 'mutation ($t: String!) { send(roomId: "0", text: $t) { id } }', variables: { t: text } };
    sender.send(JSON.stringify({ id: `send-${++sent}`, type: "subscribe", payload }));
  };
  return { palaver: { name: "palaver", pid: child.pid as number, url: socketUrl, token, publish }, redisUrl };
}

async function startPeer(name: string, path: string, redisUrl: string, redis: Redis): Promise<Contender> {
  const child = fork(file(path), [redisUrl], { execArgv: ["--import", "tsx"] });
  children.push(child);
  const [port] = (await once(child, "message")) as [number];
  let id = 0;
  const position = "YWJkZjdlOTkzZjExZDNhNS4xLjE3OTUzOTM3MTYwMDAwMDAuMA"; // as long as Palaver's
  return {
    name,
    pid: child.pid as number,
    url: `ws://127.0.0.1:${port}`,
    publish: (text) => void redis.publish("bench", JSON.stringify({ id: `0/${1_795_393_716_000_000 + ++id}`, text, position })),
  };
}

/** CPU time of a process so far, in ms: user and system, from Linux's own count. */
async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

async function ask(load: ChildProcess, message: object | string): Promise<{ frames: number; p50: number; p99: number }> {
  const answer = once(load, "message");
  load.send(message);
  const [value] = await answer;
  return value as { frames: number; p50: number; p99: number };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
