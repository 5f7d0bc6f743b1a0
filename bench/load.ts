/** The clients. They run in a separate process, so that their work does not count as the server's. */
import { once } from "node:events";
import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";

export type Order =
  /** Opens sockets that subscribe to the rooms in turn, one room per socket, or with `query` instead. */
  | { open: { url: string; token?: string; sockets: number; rooms: string[]; query?: string } }
  /** `drop` closes all sockets at once; `return` reconnects all at once, each with its position. */
  | "drop"
  | { return: { url: string; token?: string } }
  | { stall: number }
  /** `asks` repeats one query, `sends` sends messages; each one in flight waits `pause` ms between its sends. */
  | { asks: { url: string; token?: string; query: string; variables: object; inFlight: number; count: number } }
  | { sends: { url: string; token?: string; connections: number; inFlight: number; count: number; pause?: number } }
  /** Clients log in with the right password repeatedly, for `ms` milliseconds. */
  | { logins: { url: string; clients: number; ms: number } }
  | "count"
  | "reset";

/** Frames since the last reset, and latencies in ms from the timestamp at the start of each text. */
export interface Count {
  frames: number;
  p50: number;
  p99: number;
}

const SUBSCRIPTION = `subscription ($room: ID!, $after: [String!]) { messageAdded(roomId: $room, after: $after) { id text position } }`;
// Joe, because logins push out older sessions of their user, and the senders use a session of Pablo.
const LOG_IN = `mutation { login(username: "Joe", password: "password123") { token } }`;
const SEND = `mutation ($room: ID!, $text: String!) { send(roomId: $room, text: $text) { id position } }`;

interface Client {
  room: string;
  query: string;
  socket: WebSocket;
  position?: string;
}

const clients: Client[] = [];
let frames = 0;
let latencies: number[] = [];

async function obey(order: Order): Promise<object> {
  if (order === "reset") {
    frames = 0;
    latencies = [];
    return {};
  }
  if (order === "count") {
    latencies.sort((one, other) => one - other);
    const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
    return { frames, p50: at(0.5), p99: at(0.99) };
  }
  if (order === "drop") {
    for (const { socket } of clients) socket.terminate();
    return {};
  }
  if ("open" in order) {
    const { url, token, sockets, rooms, query = SUBSCRIPTION } = order.open;
    for (let opened = 0; opened < sockets; opened += 50) {
      const some = Array.from({ length: Math.min(50, sockets - opened) }, (_, n) => rooms[(opened + n) % rooms.length] as string);
      await Promise.all(some.map(async (room) => clients.push(await follow({ room, query } as Client, url, token))));
    }
    return {};
  }
  if ("return" in order) {
    const { url, token } = order.return;
    await Promise.all(clients.map((client) => follow(client, url, token)));
    return {};
  }
  if ("stall" in order) {
    clients[order.stall]?.socket.pause();
    return {};
  }
  if ("logins" in order) return logInMany(order.logins);
  if ("asks" in order) return askMany(order.asks);
  return sendMany(order.sends);
}

process.on("message", async (order: Order) => process.send?.(await obey(order)));

async function connect(url: string, token: string | undefined): Promise<WebSocket> {
  const socket = new WebSocket(url.replace(/^http/, "ws"), "graphql-transport-ws", { perMessageDeflate: false });
  await once(socket, "open");
  const acknowledged = once(socket, "message");
  socket.send(JSON.stringify({ type: "connection_init", payload: token ? { authorization: `Bearer ${token}` } : {} }));
  await acknowledged;
  return socket;
}

async function follow(client: Client, url: string, token: string | undefined): Promise<Client> {
  client.socket = await connect(url, token);
  client.socket.on("message", (data: Buffer) => {
    const text = data.toString("latin1");
    if (!text.slice(0, 60).includes('"type":"next","payload":{"data":{')) {
      process.stderr.write(`unexpected: ${text.slice(0, 300)}\n`);
      return;
    }
    frames++;
    if (frames % 20 === 0) {
      const sent = /"text":"(\d+(?:\.\d+)?) /.exec(text)?.[1];
      if (sent) latencies.push(performance.timeOrigin + performance.now() - Number(sent));
    }
    const mark = text.indexOf('"position":"') + 12;
    client.position = text.slice(mark, text.indexOf('"', mark));
  });
  const variables = { room: client.room, ...(client.position && { after: [client.position] }) };
  client.socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query: client.query, variables } }));
  return client;
}

export interface Sent {
  /** Duration of all sends together, in ms. */
  ms: number;
  /** Time of one send until its answer, in ms. */
  p50: number;
  p99: number;
}

/** Sends `count` messages over `connections` connections, each with `inFlight` sends at a time. */
async function sendMany(order: Extract<Order, { sends: object }>["sends"]): Promise<Sent> {
  const { url, token, connections, inFlight, count, pause } = order;
  const senders = await Promise.all(
    Array.from({ length: connections }, () => (url.startsWith("ws") ? socketSender(url, token) : httpSender(url, token))),
  );
  const took: number[] = [];
  let left = count;
  const start = performance.now();
  await Promise.all(
    senders.flatMap(({ send }) =>
      Array.from({ length: inFlight }, async () => {
        while (left-- > 0) {
          const before = performance.now();
          await send({ query: SEND, variables: { room: "0", text: `message ${left}` } });
          took.push(performance.now() - before);
          if (pause) await delay(pause);
        }
      }),
    ),
  );
  const ms = performance.now() - start;
  for (const { close } of senders) close();
  took.sort((one, other) => one - other);
  const at = (share: number) => took[Math.floor(took.length * share)] ?? Number.NaN;
  return { ms, p50: at(0.5), p99: at(0.99) };
}

async function logInMany({ url, clients, ms }: Extract<Order, { logins: object }>["logins"]): Promise<{ done: number }> {
  const end = performance.now() + ms;
  let done = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      const { send, close } = await httpSender(url, undefined);
      while (performance.now() < end) {
        await send({ query: LOG_IN });
        done++;
      }
      close();
    }),
  );
  return { done };
}

/** Repeats one query over one socket. */
async function askMany({ url, token, query, variables, inFlight, count }: Extract<Order, { asks: object }>["asks"]): Promise<object> {
  const { send, close } = await socketSender(url, token);
  let left = count;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0) await send({ query, variables });
    }),
  );
  close();
  return {};
}

interface Sender {
  send(payload: object): Promise<void>;
  close(): void;
}

async function socketSender(url: string, token: string | undefined): Promise<Sender> {
  const socket = await connect(url, token);
  const waiting = new Map<string, () => void>();
  let sent = 0;
  socket.on("message", (data: Buffer) => {
    const { id, type, payload } = JSON.parse(String(data));
    if (type === "next" && payload.errors) throw new Error(JSON.stringify(payload.errors));
    if (type !== "complete") return;
    waiting.get(id)?.();
    waiting.delete(id);
  });
  return {
    send: (payload) =>
      new Promise((resolve) => {
        const id = String(++sent);
        waiting.set(id, resolve);
        socket.send(JSON.stringify({ id, type: "subscribe", payload }));
      }),
    close: () => socket.terminate(),
  };
}

async function httpSender(url: string, token: string | undefined): Promise<Sender> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  return {
    send: (payload) =>
      new Promise((resolve, reject) => {
        const call = request(url, { method: "POST", agent, headers }, (response) => {
          let body = "";
          response.setEncoding("utf8").on("data", (text: string) => {
            body += text;
          });
          response.on("end", () => (body.includes('"errors"') ? reject(new Error(body)) : resolve()));
        });
        call.on("error", reject);
        call.end(JSON.stringify(payload));
      }),
    close: () => agent.destroy(),
  };
}
