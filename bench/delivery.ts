/** Measures the cost of delivering messages that other processes publish. */

import { readConfig } from "../src/program/settings.js";
import type { RoomId, UserId } from "../src/util/ids.js";
import "reflect-metadata"; // must load before any module with decorators
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { pino } from "pino";
import type { SendStore } from "../src/messages/send.store.js";
import { assemble } from "../src/program/platform.js";
import { connectRedis } from "../src/redis/connect.js";
import type { Count } from "./load.js";
import { ask, cpuOf, end, type Server, startLoad, startPalaver, startPeer } from "./processes.js";
import type { Row } from "./table.js";

const PADDING = "x".repeat(60);

export interface Contender {
  server: Server;
  publish(room: string, text: string): void;
}

/**
 * Palaver and its peers on one Redis. This process publishes all messages, Palaver's in the same way as its servers, so that
 * only the handling of messages from Redis is measured.
 */
export async function contenders(): Promise<{ palaver: Contender; bare: Contender; stock: Contender; redis: Redis; redisUrl: string }> {
  const server = await startPalaver();
  const { redisUrl } = server;
  const redis = new Redis(redisUrl);
  const sends = await openSends(redisUrl);
  const palaver: Contender = { server, publish: (roomId, text) => void sends.send("1" as UserId, { roomId: roomId as RoomId, text }) };
  let sent = 0;
  const position = "YWJkZjdlOTkzZjExZDNhNS4xLjE3OTUzOTM3MTYwMDAwMDAuMA"; // as long as a position of Palaver
  const publish = (room: string, text: string) => {
    const id = `${room}/${1_795_393_716_000_000 + ++sent}`;
    void redis.publish(`room:${room}`, JSON.stringify({ id, text, position }));
  };
  const bare = { server: await startPeer("bare loop", "./peers/bare.ts", redisUrl), publish };
  const stock = { server: await startPeer("stock", "./peers/stock.ts", redisUrl), publish };
  return { palaver, bare, stock, redis, redisUrl };
}

/** Opens the store of sends of a Redis like a Palaver server. */
async function openSends(redisUrl: string): Promise<SendStore> {
  const log = pino({ level: "silent" }); // the run stops Redis before it closes this connection
  const connections = await connectRedis([redisUrl], {}, log);
  return assemble(readConfig({ interop: "off" }, {}), connections, "bench", log).stores.sends;
}

export interface Delivered {
  microseconds: number;
  perSecond: number;
  p50: number;
  p99: number;
  lost: number;
}

/** Opens sockets, distributed over the rooms in turn, runs the work with them, and closes them. */
export async function withSockets<T>(
  { server }: Contender,
  sockets: number,
  rooms: string[],
  work: (load: Load) => Promise<T>,
): Promise<T> {
  const load = startLoad();
  process.stderr.write(`measuring ${server.name}, ${sockets} sockets in ${rooms.length} rooms …\n`);
  const { url, token } = server;
  await ask(load, { open: { url, token, sockets, rooms } });
  await delay(1_000);
  try {
    return await work(load);
  } finally {
    await end(load);
    await delay(1_000);
  }
}

type Load = ReturnType<typeof startLoad>;

/** Sends messages to the rooms in turn, `pause` ms apart (0 for all at once), and counts deliveries until no more arrive. */
export async function deliver(
  { server, publish }: Contender,
  load: Load,
  { rooms, messages, pause, expected }: { rooms: string[]; messages: number; pause: number; expected: number },
): Promise<Delivered> {
  await ask(load, "reset");
  const cpuBefore = await cpuOf(server);
  const start = performance.now();
  for (let n = 0; n < messages; n++) {
    publish(rooms[n % rooms.length] as string, `${performance.timeOrigin + performance.now()} ${PADDING}`);
    const ahead = start + n * pause - performance.now();
    if (ahead > 1) await delay(ahead);
  }
  let counted = await ask<Count>(load, "count");
  let last = performance.now();
  for (let still = 0; counted.frames < expected && still < 100; ) {
    await delay(50);
    const next = await ask<Count>(load, "count");
    still = next.frames === counted.frames ? still + 1 : 0;
    if (still === 0) last = performance.now();
    counted = next;
  }
  const cpu = (await cpuOf(server)) - cpuBefore;
  return {
    microseconds: (cpu * 1_000) / counted.frames,
    perSecond: counted.frames / ((last - start) / 1_000),
    p50: counted.p50,
    p99: counted.p99,
    lost: expected - counted.frames,
  };
}

/** Rows with ratios to the bare loop and to stock. */
export function compare(measured: Map<string, Delivered>): Row[] {
  const bare = measured.get("bare loop");
  const stock = measured.get("stock");
  return [...measured].map(([name, { microseconds, perSecond, p50, p99, lost }]) => ({
    name,
    "CPU µs/delivery": microseconds,
    ...(bare && { "× bare": microseconds / bare.microseconds }),
    ...(stock && { "× stock": microseconds / stock.microseconds }),
    "deliveries/s": Math.round(perSecond),
    ...(stock && { "× stock's": perSecond / stock.perSecond }),
    "p50 ms": p50,
    "p99 ms": p99,
    lost,
  }));
}
