import { once } from "node:events";
import { WebSocket } from "ws";
import { cleanUp } from "./cleanup.js";

/** Opens a socket that sends and buffers frames. */
export function openSocket({ url }: { url: string }, headers: Record<string, string> = {}, protocol = "graphql-transport-ws") {
  const socket = new WebSocket(`${url.replace("http", "ws")}/graphql`, protocol, { headers });
  cleanUp(() => socket.terminate());
  const frames: unknown[] = [];
  const waiting: ((frame: unknown) => void)[] = [];
  socket.on("message", (data) => {
    const frame = JSON.parse(String(data));
    const reader = waiting.shift();
    if (reader) reader(frame);
    else frames.push(frame);
  });
  const closed = new Promise<number>((resolve) => {
    socket.on("close", resolve);
  });
  socket.on("error", () => {}); // a refused upgrade; see `closed`
  return {
    socket,
    closed,
    say: async (frame: unknown) => {
      if (socket.readyState === socket.CONNECTING) await once(socket, "open");
      socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
    },
    next: () => (frames.length > 0 ? Promise.resolve(frames.shift()) : new Promise((resolve) => waiting.push(resolve))),
  };
}

/** Opens such a socket, and waits until its connection is accepted. */
export async function acceptedSocket(server: { url: string }, token?: string, headers?: Record<string, string>) {
  const connection = openSocket(server, headers);
  await connection.say({ type: "connection_init", payload: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  const first = (await Promise.race([connection.next(), connection.closed])) as { type?: string } | number;
  if ((first as { type?: string }).type !== "connection_ack") throw new Error(`not accepted: ${JSON.stringify(first)}`);
  return connection;
}
