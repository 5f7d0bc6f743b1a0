import { type Server, startCluster, startPalaver } from "../processes.js";
import { printTable, type Row } from "../table.js";
import { measureSends } from "./sends.js";

/** The cost of a send for a server on a Redis Cluster, compared with a single Redis. */
export async function onCluster(): Promise<void> {
  const alone = await startPalaver();
  const spread = await startPalaver(await startCluster(), ["--demo-data", "on"]);
  const rows: Row[] = [];
  for (const [where, server] of [
    ["one Redis", alone],
    ["a cluster", spread],
  ] as const) {
    const overSockets: Server = { ...server, url: server.url.replace(/^http/, "ws") };
    rows.push(await measureSends(`${where}, HTTP, 50 connections`, server, 50, 1));
    rows.push(await measureSends(`${where}, one socket, 50 in flight`, overSockets, 1, 50));
  }
  printTable("sends on a cluster of three nodes", rows);
}
