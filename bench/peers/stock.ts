/** What one builds from the libraries' own examples: graphql-ws's server, and graphql-redis-subscriptions' iterator. */
import type { AddressInfo } from "node:net";
import { GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString } from "graphql";
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
        args: { roomId: { type: GraphQLString } },
        subscribe: () => pubSub.asyncIterableIterator("bench"),
        resolve: (event: unknown) => event,
      },
    },
  }),
});

const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
useServer({ schema }, server);
server.on("listening", () => process.send?.((server.address() as AddressInfo).port));
if (server.address()) process.send?.((server.address() as AddressInfo).port);
