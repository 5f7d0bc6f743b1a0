import { setTimeout as delay } from "node:timers/promises";
import { contenders, withSockets } from "../delivery.js";
import type { Count } from "../load.js";
import { ask, startPalaver } from "../processes.js";
import { printTable } from "../table.js";

const CLIENTS = 2_000;
const MISSED = 50; // messages

/** All clients lose their server, and reconnect at once with their positions to a server that has not loaded the room yet. */
export async function comeBack(): Promise<void> {
  const { palaver, redis, redisUrl } = await contenders();
  const cold = await startPalaver(redisUrl);
  await withSockets(palaver, CLIENTS, ["0"], async (load) => {
    palaver.publish("0", "everyone has a position");
    for (let count = 0; count < CLIENTS; await delay(20)) count = (await ask<Count>(load, "count")).frames;
    await ask(load, "drop");
    for (let n = 0; n < MISSED; n++) palaver.publish("0", `missed ${n}`);
    await delay(500);
    await ask(load, "reset");

    const readsBefore = await logReads(cold.url);
    const start = performance.now();
    await ask(load, { return: { url: cold.url, token: cold.token } });
    for (let count = 0; count < CLIENTS * MISSED; await delay(10)) count = (await ask<Count>(load, "count")).frames;
    const caughtUp = performance.now() - start;
    palaver.publish("0", "all are live");
    for (let count = 0; count < CLIENTS * (MISSED + 1); await delay(10)) count = (await ask<Count>(load, "count")).frames;
    const { frames } = await ask<Count>(load, "count");
    printTable(`resume: ${CLIENTS} clients at once, each with ${MISSED} missed messages`, [
      {
        name: "palaver",
        "all caught up, s": caughtUp / 1_000,
        "log reads": (await logReads(cold.url)) - readsBefore,
        repeated: frames - CLIENTS * (MISSED + 1),
      },
    ]);
  });
  redis.disconnect();
}

async function logReads(url: string): Promise<number> {
  const metrics = await (await fetch(new URL("/metrics", url))).text();
  return Number(/^palaver_log_reads_total (\d+)$/m.exec(metrics)?.[1]);
}
