/** The least that a broadcast can cost: a loop over sockets that sends each of them the same finished frame. */
import type { AddressInfo } from "node:net";
import { Redis } from "ioredis";
import { WebSocketServer } from "ws";

const [redisUrl = ""] = process.argv.slice(2);
const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
const redis = new Redis(redisUrl);

server.on("connection", (socket) => {
  socket.on("message", (data) => {
    const { type } = JSON.parse(String(data));
    if (type === "connection_init") socket.send('{"type":"connection_ack"}');
  });
});
redis.on("message", (_channel, message) => {
  const frame = `{"id":"1","type":"next","payload":{"data":{"messageAdded":${message}}}}`;
  for (const socket of server.clients) socket.send(frame);
});
await redis.subscribe("bench");
server.on("listening", () => process.send?.((server.address() as AddressInfo).port));
if (server.address()) process.send?.((server.address() as AddressInfo).port);
