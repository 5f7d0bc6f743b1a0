import type { Sent } from "../load.js";
import { ask, startLoad, startPalaver } from "../processes.js";
import { printTable, type Row } from "../table.js";

const SENDS = 2_000; // one at a time, 5 ms apart
const CLIENTS = 200;
const LONG_ENOUGH = 20_000; // ms; longer than the sends take

/** Latency of one user's sends while 200 others log in repeatedly at the same time. */
export async function logins(): Promise<void> {
  const { url, token } = await startPalaver();
  const [sender, crowd] = [startLoad(), startLoad()];
  const send = (count: number) => {
    const sends = { url: url.replace(/^http/, "ws"), token, connections: 1, inFlight: 1, count, pause: 5 };
    return ask<Sent>(sender, { sends });
  };
  await send(SENDS / 5); // warm-up
  process.stderr.write("measuring sends alone …\n");
  const idle = await send(SENDS);
  process.stderr.write("measuring sends beside logins …\n");
  const [busy, { done }] = await Promise.all([
    send(SENDS),
    ask<{ done: number }>(crowd, { logins: { url, clients: CLIENTS, ms: LONG_ENOUGH } }),
  ]);
  const row = (name: string, { p50, p99 }: Sent): Row => ({ name, "p50 ms": p50, "p99 ms": p99, "× idle p99": p99 / idle.p99 });
  printTable(`logins: time of a send, alone and beside ${CLIENTS} concurrent logins (${Math.round(done / (LONG_ENOUGH / 1_000))}/s)`, [
    row("alone", idle),
    row("beside logins", busy),
  ]);
}
