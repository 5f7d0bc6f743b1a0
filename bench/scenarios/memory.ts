import { contenders, withSockets } from "../delivery.js";
import { memoryOf } from "../processes.js";
import { printTable, type Row } from "../table.js";

const SOCKETS = 5_000;
const KB = 1_000;

/** Memory of a connected, authenticated and subscribed socket, after a forced collection. */
export async function memory(): Promise<void> {
  const { palaver, bare, stock, redis } = await contenders();
  const rows: Row[] = [];
  for (const contender of [palaver, bare, stock]) {
    const { server } = contender;
    await withSockets(contender, 500, ["0"], async () => {}); // loads everything that is loaded once
    const before = await memoryOf(server);
    const during = await withSockets(contender, SOCKETS, ["0"], () => memoryOf(server));
    rows.push({
      name: server.name,
      "KB/socket": (during.held - before.held) / SOCKETS / KB,
      "resident KB/socket": (during.rss - before.rss) / SOCKETS / KB,
    });
  }
  redis.disconnect();
  printTable(`memory: ${SOCKETS} sockets with one subscription each`, rows);
}
