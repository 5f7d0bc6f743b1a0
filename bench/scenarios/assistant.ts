import type { Answered, Order } from "../askers.js";
import type { Sent } from "../load.js";
import { ask, cpuOf, startAskers, startLoad, startPalaver, startPeer, startWorker } from "../processes.js";
import { printTable, type Row } from "../table.js";

const AT_ONCE = 200; // answers
const SENDS = 1_500; // one after the other, 5 ms apart: they go on for longer than an answer is written

/** How soon the assistant's words arrive, and what someone who chats notices of 200 answers that are written at the same time. */
export async function assistant(): Promise<void> {
  const palaver = await startPalaver(undefined, ["--assistant", "off", "--bcrypt-cost", "4"]);
  const { url: modelUrl } = await startPeer("model", "./peers/model.ts", "");
  const worker = await startWorker(palaver.redisUrl, [
    "--assistant-url",
    modelUrl,
    "--assistant-model",
    "bench",
    "--assistant-rooms",
    String(AT_ONCE),
  ]);
  const [sender, askers] = [startLoad(), startAskers()];
  const question = (atOnce: number, times: number) => ask<Answered>(askers, { ask: { atOnce, times } } satisfies Order);
  const send = (count: number) => {
    const sends = { url: palaver.url.replace(/^http/, "ws"), token: palaver.token, connections: 1, inFlight: 1, count, pause: 5 };
    return ask<Sent>(sender, { sends });
  };

  process.stderr.write(`opening ${AT_ONCE} private rooms with the assistant …\n`);
  await ask(askers, { open: { url: palaver.url, askers: AT_ONCE } } satisfies Order);
  await Promise.all([send(SENDS / 5), question(AT_ONCE, 1)]); // warm
  process.stderr.write("measuring answers one after the other, 10 at once and 200 at once …\n");
  const words: Row[] = [];
  for (const [atOnce, times] of [
    [1, 20],
    [10, 10],
    [AT_ONCE, 3],
  ] as const) {
    const [server, workers] = [await cpuOf(palaver), await cpuOf(worker)];
    const { p50, p95, p99, done } = await question(atOnce, times);
    words.push({
      name: `${atOnce} at once`,
      answers: done,
      "p50 ms": p50,
      "p95 ms": p95,
      "p99 ms": p99,
      "server CPU ms/answer": ((await cpuOf(palaver)) - server) / done,
      "worker CPU ms/answer": ((await cpuOf(worker)) - workers) / done,
    });
  }
  process.stderr.write("measuring sends alone …\n");
  const idle = await send(SENDS);
  process.stderr.write("measuring sends beside answers …\n");
  let isOver = false;
  const answers = (async () => {
    let done = 0;
    while (!isOver) done += (await question(AT_ONCE, 1)).done;
    return done;
  })();
  const busy = await send(SENDS);
  isOver = true;
  const done = await answers;

  printTable("assistant: from the endpoint's sending of the first word to its arrival at who asked", words);
  const row = (name: string, { p50, p99 }: Sent): Row => ({ name, "p50 ms": p50, "p99 ms": p99, "× idle p99": p99 / idle.p99 });
  printTable(`assistant: a send's answer, alone and beside ${AT_ONCE} answers at once (${done} in all)`, [
    row("alone", idle),
    row("beside answers", busy),
  ]);
}
