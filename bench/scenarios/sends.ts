import { ask, cpuOf, end, type Server, startLoad, startPalaver, startPeer } from "../processes.js";
import { printTable, type Row } from "../table.js";

const COUNT = 10_000;
const WARM_UP = 2_000;
/** Messages per measurement, including the warm-up. */
export const SENT = COUNT + WARM_UP;

/** Sends over sockets, and over HTTP like the stock stack. */
export async function sends(): Promise<void> {
  const palaver = await startPalaver();
  const apollo = await startPeer("Apollo", "./peers/apollo.ts", palaver.redisUrl);
  const overSockets: Server = { ...palaver, url: palaver.url.replace(/^http/, "ws") };
  const rows = [
    await measureSends("Apollo, HTTP, 50 connections", apollo, 50, 1),
    await measureSends("palaver, HTTP, 50 connections", palaver, 50, 1),
    await measureSends("palaver, one socket, 50 in flight", overSockets, 1, 50),
    await measureSends("palaver, 50 sockets", overSockets, 50, 1),
  ];
  const [stock] = rows;
  printTable(
    `sends: ${COUNT} messages, each authenticated, stored and published`,
    rows.map((row): Row => ({ ...row, "× Apollo's": Number(row["sends/s"]) / Number(stock?.["sends/s"]) })),
  );
}

/** The messages per second that a server accepts, and the CPU time per message. */
export async function measureSends(name: string, server: Server, connections: number, inFlight: number): Promise<Row> {
  process.stderr.write(`measuring ${name} …\n`);
  const load = startLoad();
  const order = (count: number) => ({ sends: { url: server.url, token: server.token, connections, inFlight, count } });
  await ask(load, order(WARM_UP));
  const before = await cpuOf(server);
  const { ms } = await ask<{ ms: number }>(load, order(COUNT));
  const cpu = (await cpuOf(server)) - before;
  await end(load);
  return { name, "sends/s": Math.round(COUNT / (ms / 1_000)), "CPU µs/send": Math.round((cpu * 1_000) / COUNT) };
}
