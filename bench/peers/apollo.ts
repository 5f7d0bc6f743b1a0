/** Sending as commonly built with Apollo Server: look up the session, take a number, add to a sorted set, and publish. */
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { RedisPubSub } from "graphql-redis-subscriptions";
import { Redis } from "ioredis";

const [redisUrl = ""] = process.argv.slice(2);
const redis = new Redis(redisUrl);
const pubSub = new RedisPubSub({ publisher: new Redis(redisUrl), subscriber: new Redis(redisUrl) });

const server = new ApolloServer<{ userId: string | null }>({
  typeDefs: `
    type Message { id: ID! position: String! }
    type Query { ok: Boolean }
    type Mutation { send(roomId: ID!, text: String!): Message! }
  `,
  resolvers: {
    Mutation: {
      async send(_root: unknown, { roomId, text }: { roomId: string; text: string }, { userId }: { userId: string | null }) {
        if (!userId) throw new Error("log in first");
        const id = `${roomId}/${await redis.incr("bench:messages")}`;
        const message = { id, text, from: userId, date: Date.now(), position: id };
        await redis.zadd(`bench:room:${roomId}`, message.date, JSON.stringify(message));
        await pubSub.publish(`bench:room:${roomId}`, message);
        return message;
      },
    },
  },
});

await redis.set("bench:session:a-token-of-the-usual-length-for-one-of-256-random-bits", "1");
const { url } = await startStandaloneServer(server, {
  listen: { host: "127.0.0.1", port: 0 },
  context: async ({ req }) => ({ userId: await redis.get(`bench:session:${req.headers.authorization?.replace("Bearer ", "")}`) }),
});
process.send?.(url);
