import { once } from "node:events";
import { request } from "node:http";
import { WebSocket } from "ws";
import { cpuOf, memoryOf, type Server, startPalaver } from "../processes.js";
import { printTable, type Row } from "../table.js";

const ASKED = 1_000;
const SOCKETS = 300;
const QUERY = '{ messages(roomId: "0", last: 50) { nodes { id text sentAt position from { id name online } } } }';

/** The cost of a page of 50 messages with and without compression, over HTTP and WebSocket, and the memory per socket. */
export async function compression(): Promise<void> {
  const plain = await startPalaver();
  await fill(plain);
  const rows: Row[] = [];
  for (const encoding of ["identity", "gzip", "br"])
    rows.push({ name: `HTTP, ${encoding}`, ...(await measure(plain, () => overHttp(plain, encoding))) });
  const deflating = await startPalaver(plain.redisUrl, ["--socket-compression", "on"]);
  for (const server of [plain, deflating]) {
    const socket = await connect(server);
    const name = server === plain ? "WebSocket, uncompressed" : "WebSocket, permessage-deflate";
    const figures = await measure(server, () => overSocket(socket));
    socket.terminate();
    rows.push({ name, ...figures, "KB/socket": await heldBySockets(server) });
  }
  printTable("compression: a page of 50 messages", rows);
}

async function fill(server: Server): Promise<void> {
  const words = "about as long as what people say in a chat when they have something to say to each other".split(" ");
  for (let n = 0; n < 50; n++) {
    const text = Array.from({ length: 20 }, (_, at) => words[(n * 7 + at * at) % words.length]).join(" ");
    const response = await fetch(server.url, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${server.token}` },
      body: JSON.stringify({ query: 'mutation ($text: String!) { send(roomId: "0", text: $text) { id } }', variables: { text } }),
    });
    await response.arrayBuffer();
  }
}

/** @param ask sends one query, and returns the size of the answer in bytes */
async function measure(server: Server, ask: () => Promise<number>): Promise<{ "bytes/answer": number; "CPU µs/answer": number }> {
  for (let n = 0; n < ASKED / 4; n++) await ask(); // warm-up
  const before = await cpuOf(server);
  let bytes = 0;
  for (let n = 0; n < ASKED; n++) bytes += await ask();
  return { "bytes/answer": Math.round(bytes / ASKED), "CPU µs/answer": (((await cpuOf(server)) - before) * 1_000) / ASKED };
}

async function overHttp(server: Server, encoding: string): Promise<number> {
  const asked = request(server.url, {
    method: "POST",
    headers: { "content-type": "application/json", "accept-encoding": encoding, authorization: `Bearer ${server.token}` },
  });
  asked.end(JSON.stringify({ query: QUERY }));
  const [response] = await once(asked, "response");
  let bytes = 0;
  for await (const chunk of response) bytes += (chunk as Buffer).length;
  return bytes;
}

async function connect(server: Server): Promise<WebSocket> {
  const socket = new WebSocket(server.url.replace("http", "ws"), "graphql-transport-ws", { perMessageDeflate: true });
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${server.token}` } }));
  await once(socket, "message");
  return socket;
}

async function overSocket(socket: WebSocket): Promise<number> {
  const { _socket: connection } = socket as unknown as { _socket: { bytesRead: number } };
  const before = connection.bytesRead;
  socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query: QUERY } }));
  while (!String((await once(socket, "message"))[0]).endsWith('"type":"complete"}')) {}
  return connection.bytesRead - before;
}

/** Memory per socket in KB after each has received a page, after a forced collection. */
async function heldBySockets(server: Server): Promise<number> {
  const before = await memoryOf(server);
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => connect(server)));
  for (const socket of sockets) await overSocket(socket);
  const { held } = await memoryOf(server);
  for (const socket of sockets) socket.terminate();
  return (held - before.held) / SOCKETS / 1_000;
}
