import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Stands between a server and its Redis: counts round trips, and can cut and refuse connections. */
export async function proxyTo(redisUrl: string) {
  const { hostname, port } = new URL(redisUrl);
  const sockets = new Set<Socket>();
  let roundTrips = 0;
  let refusing = false;
  /** Bytes that still go to Redis before it is gone. */
  let left = Number.POSITIVE_INFINITY;

  const proxy = createServer((client) => {
    if (refusing) return client.destroy();
    const upstream = connect(Number(port), hostname);
    let asked = false;
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
      asked = true;
      const passing = data.subarray(0, left);
      left -= passing.length;
      upstream.write(passing, () => {
        if (left === 0) goAway(); // what was written whole is carried out, as when a server dies after sending it
      });
    });
    upstream.on("data", (data) => {
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
    /** Whether there is no Redis here any more. */
    isGone: () => refusing,
    comeBack() {
      refusing = false;
    },
    cut,
    async stop() {
      proxy.close();
      cut();
    },
  };
}
