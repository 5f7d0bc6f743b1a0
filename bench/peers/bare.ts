/** The minimum cost of a broadcast: a loop that sends the same ready frame to each socket. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Redis } from "ioredis";
import { type WebSocket, WebSocketServer } from "ws";

const [redisUrl = ""] = process.argv.slice(2);
const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
const redis = new Redis(redisUrl);
const rooms = new Map<string, Set<WebSocket>>();

server.on("connection", (socket) => {
  socket.on("message", (data) => {
    const { type, payload } = JSON.parse(String(data));
    if (type === "connection_init") socket.send('{"type":"connection_ack"}');
    if (type !== "subscribe") return;
    const channel = `room:${payload.variables.room}`;
    const sockets = rooms.get(channel) ?? new Set();
    if (sockets.size === 0) void redis.subscribe(channel);
    rooms.set(channel, sockets.add(socket));
    socket.on("close", () => sockets.delete(socket));
  });
});
redis.on("message", (channel, message) => {
  const frame = `{"id":"1","type":"next","payload":{"data":{"messageAdded":${message}}}}`;
  for (const socket of rooms.get(channel) ?? []) socket.send(frame);
});
if (!server.address()) await once(server, "listening");
process.send?.(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
