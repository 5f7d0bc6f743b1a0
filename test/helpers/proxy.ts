import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Stands between a server and its Redis: counts round trips, and can cut, refuse, freeze and redirect connections. */
export async function proxyTo(redisUrl: string) {
  let { hostname, port } = new URL(redisUrl);
  const sockets = new Set<Socket>();
  /** Connections through which nothing passes any more, though they stay open. */
  const frozen = new WeakSet<Socket>();
  /** The client's side of each connection, with whether it listens to channels. */
  const listening = new Map<Socket, boolean>();
  let roundTrips = 0;
  let refusing = false;
  /** Bytes that still go to Redis before it is gone. */
  let left = Number.POSITIVE_INFINITY;
  let forbidden: RegExp | undefined;

  const proxy = createServer((client) => {
    if (refusing) return client.destroy();
    const upstream = connect(Number(port), hostname);
    let asked = false;
    listening.set(client, false);
    client.once("close", () => listening.delete(client));
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {}); // the other side is closed below
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (data) => {
      if (frozen.has(client)) return;
      if (/subscribe/i.test(data.toString("latin1"))) listening.set(client, true);
      asked = true;
      const found = forbidden?.exec(data.toString("latin1"));
      if (found) left = Math.min(left, found.index);
      const passing = data.subarray(0, left);
      left -= passing.length;
      upstream.write(passing, () => {
        if (left === 0) goAway(); // what was written whole is carried out, as when a server dies after sending it
      });
    });
    upstream.on("data", (data) => {
      if (frozen.has(client)) return;
      if (asked) roundTrips++;
      asked = false;
      client.write(data);
    });
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");

  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const those = (which: "commands" | "listeners" | "all") =>
    [...listening].filter(([, listens]) => which === "all" || listens === (which === "listeners")).map(([client]) => client);
  const goAway = () => {
    refusing = true;
    cut();
  };
  return {
    url: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    /** How often something was asked and answered so far. */
    roundTrips: () => roundTrips,
    /** From now on there is no Redis here. */
    goAway,
    /** There is no Redis here any more once so many further bytes have gone there, amid a command as it may be. */
    goAwayAfter(bytes: number) {
      left = bytes;
    },
    /** There is no Redis here any more once such a command is sent; it does not get there. */
    goAwayBefore(command: RegExp) {
      forbidden = command;
    },
    /** Whether there is no Redis here any more. */
    isGone: () => refusing,
    comeBack() {
      refusing = false;
    },
    cut,
    /** Cuts the connections for commands alone. */
    cutCommands() {
      for (const client of those("commands")) client.destroy();
    },
    /** Connections that are open now go mute in both directions and stay open; those opened later work. */
    freeze(which: "commands" | "listeners" | "all") {
      for (const client of those(which)) frozen.add(client);
    },
    /** Connections opened from now on lead to another Redis; those that are open stay where they are. */
    leadTo(url: string) {
      ({ hostname, port } = new URL(url));
    },
    async stop() {
      proxy.close();
      cut();
    },
  };
}
