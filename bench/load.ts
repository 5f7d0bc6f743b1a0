/** The clients: a process of its own, so that their work is not counted as a server's. Says how many frames came, and how late. */
import { once } from "node:events";
import { WebSocket } from "ws";

interface Order {
  url: string;
  sockets: number;
  query: string;
  token?: string;
}

const sockets: WebSocket[] = [];
let frames = 0;
let latencies: number[] = [];

process.on("message", async (order: Order | "count" | "reset") => {
  if (order === "reset") {
    frames = 0;
    latencies = [];
    process.send?.({ reset: true });
  } else if (order === "count") {
    latencies.sort((one, other) => one - other);
    process.send?.({ frames, p50: latencies[Math.floor(latencies.length * 0.5)], p99: latencies[Math.floor(latencies.length * 0.99)] });
  } else {
    for (let opened = 0; opened < order.sockets; opened += 50) {
      await Promise.all(Array.from({ length: Math.min(50, order.sockets - opened) }, () => open(order)));
    }
    process.send?.({ open: sockets.length });
  }
});

async function open({ url, query, token }: Order): Promise<void> {
  const socket = new WebSocket(url, "graphql-transport-ws");
  sockets.push(socket);
  await once(socket, "open");
  const acknowledged = once(socket, "message");
  socket.send(JSON.stringify({ type: "connection_init", payload: token ? { authorization: `Bearer ${token}` } : {} }));
  await acknowledged;
  socket.on("message", (data: Buffer) => {
    if (!data.toString("latin1", 0, 60).includes('"type":"next","payload":{"data":{')) {
      process.stderr.write(`unexpected: ${data.toString().slice(0, 300)}\n`);
      return;
    }
    frames++;
    // Each text begins with the moment of its sending, in ms of the machine's clock.
    if (frames % 20 === 0) {
      const sent = /"text":"(\d+(?:\.\d+)?) /.exec(data.toString("latin1"))?.[1];
      if (sent) latencies.push(performance.timeOrigin + performance.now() - Number(sent));
    }
  });
  socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query } }));
}
