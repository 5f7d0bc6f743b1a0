import { compare, contenders, type Delivered, deliver, withSockets } from "../delivery.js";
import { printTable } from "../table.js";

const SUBSCRIBERS = 1_000;
const SECONDS = 10;
const rooms = ["0"];

/** One room with many subscribers, at a steady pace and in a burst. */
export async function fanOut(): Promise<void> {
  const { palaver, bare, stock, redis } = await contenders();
  const steady = new Map<string, Delivered>();
  const burst = new Map<string, Delivered>();
  for (const contender of [palaver, bare, stock]) {
    const { name } = contender.server;
    const run = (load: Parameters<typeof deliver>[1], messages: number, pause: number) =>
      deliver(contender, load, { rooms, messages, pause, expected: messages * SUBSCRIBERS });
    await withSockets(contender, SUBSCRIBERS, rooms, async (load) => {
      await run(load, 60, 50); // warm-up
      steady.set(name, await run(load, SECONDS * 20, 50));
      burst.set(name, await run(load, 500, 0));
    });
  }
  redis.disconnect();
  printTable(`steady: ${SUBSCRIBERS} subscribers to one room, 20 messages/s`, compare(steady));
  printTable(`burst: ${SUBSCRIBERS} subscribers to one room, 500 messages at once`, compare(burst));
}
