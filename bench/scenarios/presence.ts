import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Count } from "../load.js";
import { ask, cpuOf, end, startLoad, startPalaver } from "../processes.js";
import { printTable, type Row } from "../table.js";

const FOLLOWERS = [100, 1_000];
const USERS = 10_000;
const SECONDS = 5; // within which all users come online, as after a deployment
const WATCH = 10; // seconds of measurement

/** The cost of many users coming online together, for subscribers to all users. */
export async function presence(): Promise<void> {
  const { redisUrl, ...server } = await startPalaver();
  const redis = new Redis(redisUrl);
  const rows: Row[] = [];
  for (const [round, followers] of FOLLOWERS.entries()) {
    process.stderr.write(`measuring ${followers} subscribers to ${USERS} users …\n`);
    const load = startLoad();
    await ask(load, {
      open: { ...server, child: undefined, sockets: followers, rooms: ["0"], query: "subscription { userOnline { id online } }" },
    });
    await delay(1_000);
    await ask(load, "reset");
    const cpuBefore = await cpuOf(server);
    let most = 0;
    let before = 0;
    for (let tick = 0; tick < WATCH * 10; tick++) {
      const [from, to] = [tick, tick + 1].map((at) => Math.min(USERS, Math.floor((USERS * at) / (SECONDS * 10)))) as [number, number];
      for (let n = from; n < to; n++) void redis.spublish("online_users", `{"userId":"${(round + 1) * 1_000_000 + n}","online":true}`);
      await delay(100);
      const { frames } = await ask<Count>(load, "count");
      most = Math.max(most, frames - before);
      before = frames;
    }
    const cpu = (await cpuOf(server)) - cpuBefore;
    rows.push({
      name: `${followers} subscribers to all users`,
      "frames per subscriber in 10 s": Math.round(before / followers),
      "max in 100 ms": Math.round(most / followers),
      "CPU share of one core": cpu / (WATCH * 1_000),
      "CPU µs/frame": (cpu * 1_000) / before,
    });
    await end(load);
    await delay(1_000);
  }
  redis.disconnect();
  printTable(`presence: ${USERS} users come online within ${SECONDS} s`, rows);
}
