import { Client, type CombinedError, type ExecutionResult, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import { pipe, subscribe } from "wonka";
import type { Connection, Result } from "./follow.js";

/** urql, without its hooks. */
export function connect(url: string, token: string): Connection {
  const authorization = `Bearer ${token}`;
  // `follow` reconnects with its newest positions.
  const socket = createClient({ url: url.replace("http", "ws"), connectionParams: { authorization }, retryAttempts: 0 });
  const client = new Client({
    url,
    preferGetMethod: false,
    fetchOptions: { headers: { authorization } },
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = "", variables }) => ({
          subscribe: (sink) => {
            const next = (result: unknown) => sink.next(result as ExecutionResult);
            return { unsubscribe: socket.subscribe({ query, variables: { ...variables } }, { ...sink, next }) };
          },
        }),
      }),
    ],
  });
  const resultOf = ({ data, error }: { data?: unknown; error?: CombinedError | undefined }): Result => {
    if (error?.networkError) throw error.networkError;
    return { data, errors: error?.graphQLErrors };
  };
  return {
    query: async (query, variables) => resultOf(await client.query(query, variables, { requestPolicy: "network-only" })),
    subscribe(query, variables, sink) {
      const { unsubscribe } = pipe(
        client.subscription(query, variables),
        subscribe((result) => {
          try {
            sink.next(resultOf(result));
            if (!result.hasNext) sink.complete();
          } catch (reason) {
            sink.error(reason);
          }
        }),
      );
      return unsubscribe;
    },
  };
}
