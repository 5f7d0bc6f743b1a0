import { createClient } from "graphql-ws";
import {
  Environment,
  fetchQuery,
  type GraphQLResponse,
  Network,
  Observable,
  RecordSource,
  requestSubscription,
  Store,
} from "relay-runtime";
import { type Connection, FOLLOW, PAGE, type Result, ROOMS, type Sink } from "./follow.js";
// Relay's compiler generated these from the documents in `follow`.
import messagesSubscription from "./relay/followMessagesSubscription.graphql.js";
import pageQuery from "./relay/followPageQuery.graphql.js";
import roomsQuery from "./relay/followRoomsQuery.graphql.js";

const compiled = new Map([ROOMS, PAGE, FOLLOW].map((document, n) => [document, [roomsQuery, pageQuery, messagesSubscription][n]]));

/** Relay 21. */
export function connect(url: string, token: string): Connection {
  const authorization = `Bearer ${token}`;
  // `follow` reconnects with its newest positions. graphql-ws cannot, because Relay copies the variables once.
  const socket = createClient({ url: url.replace("http", "ws"), connectionParams: { authorization }, retryAttempts: 0 });
  const network = Network.create(
    async ({ text: query }, variables) => {
      const headers = { authorization, "content-type": "application/json" };
      const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
      return response.json();
    },
    ({ text }, variables) =>
      Observable.create((sink) => {
        const next = (result: unknown) => sink.next(result as GraphQLResponse);
        return socket.subscribe({ query: text ?? "", variables }, { ...sink, next, error: (reason) => sink.error(asError(reason)) });
      }),
  );
  const environment = new Environment({ network, store: new Store(new RecordSource()) });

  return {
    query: (document, variables) =>
      new Promise<Result>((resolve, reject) => {
        const sink = observerOf({ next: resolve, error: reject, complete: () => {} });
        fetchQuery(environment, requestOf(document), variables).subscribe(sink);
      }),
    subscribe(document, variables, sink) {
      const { next: onNext, error: onError, complete: onCompleted } = observerOf(sink);
      const subscription = requestOf(document);
      return requestSubscription(environment, { subscription, variables, onNext, onError, onCompleted }).dispose;
    },
  };
}

function requestOf(document: string) {
  const request = compiled.get(document);
  if (!request) throw new Error(`not compiled: ${document}`);
  return request;
}

/** Relay throws the server's errors, which are in the thrown error's `source`. */
const observerOf = ({ next, error, complete }: Sink) => ({
  next: (data: unknown) => next({ data }),
  error: (reason: Error & { source?: Result }) => (reason.source?.errors ? next({ errors: reason.source.errors }) : error(reason)),
  complete,
});

const asError = (reason: unknown) => (reason instanceof Error ? reason : new Error("the connection is lost"));
