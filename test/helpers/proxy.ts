import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Stands between a server and its Redis: counts round trips, and can cut and refuse connections. */
export async function proxyTo(redisUrl: string) {
  const { hostname, port } = new URL(redisUrl);
  const sockets = new Set<Socket>();
  let roundTrips = 0;
  let refusing = false;

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
      upstream.write(data);
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
  return {
    url: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    /** How often something was asked and answered so far. */
    roundTrips: () => roundTrips,
    /** From now on there is no Redis here. */
    goAway() {
      refusing = true;
      cut();
    },
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
