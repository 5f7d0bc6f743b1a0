import { contenders, deliver, withSockets } from "../delivery.js";
import { ask, memoryOf } from "../processes.js";
import { printTable, type Row } from "../table.js";

const STEPS = 10;
const MESSAGES = 10_000; // per step

/** A burst to one client that stopped reading, and one that still reads. */
export async function stall(): Promise<void> {
  const { palaver, redis } = await contenders();
  const rows: Row[] = [];
  await withSockets(palaver, 2, ["0"], async (load) => {
    const burst = (messages: number, expected: number) => deliver(palaver, load, { rooms: ["0"], messages, pause: 0.2, expected });
    await burst(MESSAGES, 2 * MESSAGES); // warm-up; both clients read
    await ask(load, { stall: 0 });
    for (let step = 0; step <= STEPS; step++) {
      const { lost } = step === 0 ? { lost: 0 } : await burst(MESSAGES, MESSAGES);
      const { held, rss } = await memoryOf(palaver.server);
      rows.push({ name: `after ${step * MESSAGES} messages`, "held MB": held / 1e6, "resident MB": rss / 1e6, "lost to the reader": lost });
    }
  });
  redis.disconnect();
  printTable(`stall: ${STEPS * MESSAGES} messages, with one client that does not read`, rows);
}
