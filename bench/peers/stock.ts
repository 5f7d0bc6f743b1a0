/** A server built from the libraries' examples: graphql-ws's server and graphql-redis-subscriptions' iterator. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { GraphQLID, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString } from "graphql";
import { RedisPubSub } from "graphql-redis-subscriptions";
import { useServer } from "graphql-ws/use/ws";
import { Redis } from "ioredis";
import { WebSocketServer } from "ws";

const [redisUrl = ""] = process.argv.slice(2);
const pubSub = new RedisPubSub({ publisher: new Redis(redisUrl), subscriber: new Redis(redisUrl) });

const text = { type: new GraphQLNonNull(GraphQLString) };
const message = new GraphQLObjectType({ name: "Message", fields: { id: text, text, position: text } });
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: "Query", fields: { ok: text } }),
  subscription: new GraphQLObjectType({
    name: "Subscription",
    fields: {
      messageAdded: {
        type: new GraphQLNonNull(message),
        args: { roomId: { type: new GraphQLNonNull(GraphQLID) }, after: { type: new GraphQLList(text.type) } },
        subscribe: (_root: unknown, { roomId }: { roomId: string }) => pubSub.asyncIterableIterator(`room:${roomId}`),
        resolve: (event: unknown) => event,
      },
    },
  }),
});

const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
useServer({ schema }, server);
if (!server.address()) await once(server, "listening");
process.send?.(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
