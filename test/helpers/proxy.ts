import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Starts a proxy between a server and its Redis that counts round trips, and can cut, refuse, freeze and redirect connections. */
export async function proxyTo(redisUrl: string) {
  let { hostname, port } = new URL(redisUrl);
  const sockets = new Set<Socket>();
  /** Connections that stay open, but forward nothing. */
  const frozen = new WeakSet<Socket>();
  /** The client's side of each connection, and whether it has subscribed to channels. */
  const listening = new Map<Socket, boolean>();
  let roundTrips = 0;
  let refusing = false;
  /** The number of bytes that still reach Redis before it goes away. */
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
      socket.on("error", () => {}); // the `close` handler closes the other side
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (data) => {
      if (frozen.has(client)) return;
      // The command itself: scripts contain the word, too.
      if (/\r\n[sp]?subscribe\r\n/i.test(data.toString("latin1"))) listening.set(client, true);
      asked = true;
      const found = forbidden?.exec(data.toString("latin1"));
      if (found) left = Math.min(left, found.index);
      const passing = data.subarray(0, left);
      left -= passing.length;
      upstream.write(passing, () => {
        if (left === 0) goAway(); // Redis still runs complete commands, as when a server dies after sending them
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
    /** The number of round trips so far. */
    roundTrips: () => roundTrips,
    /** Cuts all connections, and refuses new ones. */
    goAway,
    /** Goes away after this many more bytes to Redis, possibly within a command. */
    goAwayAfter(bytes: number) {
      left = bytes;
    },
    /** Goes away when a command matches, which does not reach Redis. */
    goAwayBefore(command: RegExp) {
      forbidden = command;
    },
    /** Whether the proxy refuses connections. */
    isGone: () => refusing,
    comeBack() {
      refusing = false;
    },
    cut,
    /** Cuts only the command connections. */
    cutCommands() {
      for (const client of those("commands")) client.destroy();
    },
    /** Makes open connections mute in both directions, but keeps them open. Connections that open later work. */
    freeze(which: "commands" | "listeners" | "all") {
      for (const client of those(which)) frozen.add(client);
    },
    /** Leads new connections to another Redis. Open connections stay. */
    leadTo(url: string) {
      ({ hostname, port } = new URL(url));
    },
    async stop() {
      proxy.close();
      cut();
    },
  };
}
