import { Client, type CombinedError, fetchExchange, mapExchange, type OperationResult } from "@urql/core";
import { createContext, use } from "react";
import type { MessagePartsFragment as Message } from "./gql/graphql";
import { Live, pause } from "./live";
import { Signal } from "./signal";

/** What the hooks of a signed-in user share. */
export interface Api {
  /** Queries and mutations, over HTTP. */
  client: Client;
  /** Subscriptions, over a WebSocket. */
  live: Live;
  /** Each message that becomes known, of any room; the same one can come twice. */
  arrivals: Signal<Message>;
}

export function createApi(token: string, onSessionOver: () => void): Api {
  const url = `${location.origin.replace(/^http/, "ws")}/graphql`;
  return { client: createHttpClient(token, onSessionOver), live: new Live(url, token, onSessionOver), arrivals: new Signal() };
}

/** Without a cache: what the page shows is kept up to date by subscriptions, not by asking again. */
export function createHttpClient(token?: string, onSessionOver = () => {}): Client {
  return new Client({
    url: "/graphql",
    preferGetMethod: false,
    fetchOptions: () => (token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    exchanges: [
      mapExchange({
        onError: (error) => {
          if (new Refused(error).code === "UNAUTHENTICATED") onSessionOver();
        },
      }),
      fetchExchange,
    ],
  });
}

/** An operation that was answered with errors, or not at all. */
export class Refused extends Error {
  readonly code: unknown;
  readonly retryable: boolean;

  constructor(error: CombinedError | undefined) {
    const first = error?.graphQLErrors[0];
    super(first?.message ?? "The server cannot be reached.");
    this.code = first?.extensions.code;
    this.retryable = first ? first.extensions.retryable === true : true;
  }
}

/**
 * The data of a query or mutation.
 * @throws Refused
 */
export async function ask<Data>(request: PromiseLike<OperationResult<Data>>): Promise<Data> {
  const { data, error } = await request;
  if (error || !data) throw new Refused(error);
  return data;
}

/**
 * Asks until there is an answer.
 * @throws Refused for what asking again does not mend
 */
export async function insist<Data>(request: () => PromiseLike<OperationResult<Data>>): Promise<Data> {
  for (;;) {
    try {
      return await ask(request());
    } catch (error) {
      if (!(error instanceof Refused && error.retryable)) throw error;
      await pause(2_000); // ms
    }
  }
}

export const ApiContext = createContext<Api | undefined>(undefined);

export function useApi(): Api {
  const api = use(ApiContext);
  if (!api) throw new Error("useApi is for components inside <ApiContext>");
  return api;
}
