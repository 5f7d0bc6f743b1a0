import { compare, contenders, type Delivered, deliver, withSockets } from "../delivery.js";
import { printTable } from "../table.js";

const SECONDS = 8;
const PACE = 2_000; // deliveries per second, for any number of rooms

/** Many rooms with few subscribers each. */
export async function manyRooms(): Promise<void> {
  const { palaver, bare, stock, redis } = await contenders();
  for (const [count, each] of [
    [100, 10],
    [1_000, 1],
  ] as const) {
    const rooms = Array.from({ length: count }, (_, n) => `bench-${count}-${n}`);
    for (const room of rooms) await redis.set(`room:${room}:name`, room);
    const measured = new Map<string, Delivered>();
    const perSecond = PACE / each;
    for (const contender of [palaver, bare, stock]) {
      await withSockets(contender, count * each, rooms, async (load) => {
        const run = (messages: number) =>
          deliver(contender, load, { rooms, messages, pause: 1_000 / perSecond, expected: messages * each });
        await run(2 * perSecond); // warm-up
        measured.set(contender.server.name, await run(SECONDS * perSecond));
      });
    }
    printTable(`${count} rooms with ${each} subscribers each, ${PACE} deliveries/s`, compare(measured));
  }
  redis.disconnect();
}
