import { createClient } from "graphql-ws";
import type { Connection, Result } from "./follow.js";

const PING_EVERY = 10_000; // ms
const PONG_WITHIN = 5_000; // ms: a lost network does not close sockets

/** graphql-ws 5 and 6. */
export function connect(url: string, token: string): Connection {
  let silence: ReturnType<typeof setTimeout>;
  const client = createClient({
    url: url.replace("http", "ws"),
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0, // `follow` reconnects with its newest positions
    keepAlive: PING_EVERY,
    on: {
      ping: (received) => {
        if (!received) silence = setTimeout(() => client.terminate(), PONG_WITHIN);
      },
      pong: () => clearTimeout(silence),
      closed: () => clearTimeout(silence),
    },
  });
  return {
    query: (query, variables) =>
      new Promise<Result>((resolve, reject) => {
        client.subscribe({ query, variables }, { next: resolve, error: reject, complete: () => {} });
      }),
    subscribe: (query, variables, sink) => client.subscribe({ query, variables }, sink),
  };
}
