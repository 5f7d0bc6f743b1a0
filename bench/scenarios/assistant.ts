import { setTimeout as delay } from "node:timers/promises";
import type { Answered, Order } from "../askers.js";
import type { Sent } from "../load.js";
import { ask, cpuOf, end, startAskers, startLoad, startPalaver, startPeer, startWorker } from "../processes.js";
import { printTable, type Row } from "../table.js";

const AT_ONCE = 200; // answers
const SENDS = 1_500; // one at a time, 5 ms apart: about 10 s
const SHORT = 60; // words per answer: 2 s
const LONG = 800; // 24 s: longer than the sends, so that all answers overlap with them

/** Latency of the assistant's words, and of sends by another user while 200 answers are written. */
export async function assistant(): Promise<void> {
  const palaver = await startPalaver(undefined, ["--assistant", "off", "--bcrypt-cost", "4"]);
  const model = await startPeer("model", "./peers/model.ts", "");
  const work = (words: number) => {
    const settings = { url: model.url, model: "bench", "max-tokens": words, rooms: AT_ONCE };
    return startWorker(
      palaver.redisUrl,
      Object.entries(settings).flatMap(([name, value]) => [`--assistant-${name}`, String(value)]),
    );
  };
  const [sender, askers] = [startLoad(), startAskers()];
  const question = (atOnce: number, times: number, apart = 0) => ask<Answered>(askers, { ask: { atOnce, times, apart } } satisfies Order);
  const send = (count: number) => {
    const sends = { url: palaver.url.replace(/^http/, "ws"), token: palaver.token, connections: 1, inFlight: 1, count, pause: 5 };
    return ask<Sent>(sender, { sends });
  };

  const quick = await work(SHORT);
  process.stderr.write(`opening ${AT_ONCE} private rooms with the assistant …\n`);
  await ask(askers, { open: { url: palaver.url, askers: AT_ONCE } } satisfies Order);
  await Promise.all([send(SENDS / 5), question(AT_ONCE, 1)]); // warm-up
  process.stderr.write(`measuring 1, 10 and ${AT_ONCE} answers at once …\n`);
  const words: Row[] = [];
  for (const [atOnce, times] of [
    [1, 20],
    [10, 10],
    [AT_ONCE, 3],
  ] as const) {
    const [server, worker] = [await cpuOf(palaver), await cpuOf(quick)];
    const { p50, p95, p99, done } = await question(atOnce, times);
    words.push({
      name: `${atOnce} at once`,
      answers: done,
      "p50 ms": p50,
      "p95 ms": p95,
      "p99 ms": p99,
      "server CPU ms/answer": ((await cpuOf(palaver)) - server) / done,
      "worker CPU ms/answer": ((await cpuOf(quick)) - worker) / done,
    });
  }
  await end(quick.child);

  await work(LONG);
  process.stderr.write("measuring sends alone …\n");
  const idle = await send(SENDS);
  process.stderr.write("measuring sends beside answers …\n");
  const answers = question(AT_ONCE, 1, 10);
  await delay(AT_ONCE * 10 + 1_000); // until all answers are being written
  const busy = await send(SENDS);
  await answers;

  printTable("assistant: time of the first word from the endpoint to the asker", words);
  const row = (name: string, { p50, p99 }: Sent): Row => ({ name, "p50 ms": p50, "p99 ms": p99, "× idle p99": p99 / idle.p99 });
  printTable(`assistant: time of a send, alone and while ${AT_ONCE} answers are written`, [
    row("alone", idle),
    row("beside answers", busy),
  ]);
}
