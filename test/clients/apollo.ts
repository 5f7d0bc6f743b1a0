import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import type { Connection, Result } from "./follow.js";

/** Apollo Client 4. */
export function connect(url: string, token: string): Connection {
  const authorization = `Bearer ${token}`;
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      // `follow` reconnects with its newest positions. graphql-ws cannot, because Apollo copies the variables once.
      new GraphQLWsLink(createClient({ url: url.replace("http", "ws"), connectionParams: { authorization }, retryAttempts: 0 })),
      new HttpLink({ uri: url, headers: { authorization } }),
    ),
  });
  const resultOf = ({ data, error }: { data?: unknown; error?: unknown }): Result => {
    if (CombinedGraphQLErrors.is(error)) return { data, errors: error.errors };
    if (error) throw error; // the connection failed
    return { data };
  };
  return {
    async query(query, variables) {
      // From the server, because a cached page has an old position.
      return resultOf(await client.query({ query: gql(query), variables, fetchPolicy: "network-only", errorPolicy: "all" }));
    },
    subscribe(query, variables, sink) {
      const next = (result: { data?: unknown; error?: unknown }) => {
        try {
          sink.next(resultOf(result));
        } catch (reason) {
          sink.error(reason);
        }
      };
      const results = client.subscribe({ query: gql(query), variables, errorPolicy: "all" });
      const subscription = results.subscribe({ ...sink, next });
      return () => subscription.unsubscribe();
    },
  };
}
