import { stringifyDocument, type TypedDocumentNode } from "@urql/core";
import { type Client, createClient } from "graphql-ws";
import type { Answered } from "./api";
import { pause } from "./pause";
import { Store } from "./store";

/** `connecting`: trying, for the first time or right after a loss. `offline`: trying too, but it has failed. */
export type LiveState = "connecting" | "live" | "offline";

export interface LiveStatus {
  state: LiveState;
  /** How often the connection has been made. When it grows, ask again for what the subscriptions do not bring after. */
  connects: number;
}

const PING_EVERY = 10_000; // ms
const ANSWER_WITHIN = 5_000; // ms, to a ping or a connect; a network that vanished does not close sockets
const LONGEST_WAIT = 10_000; // ms between two attempts to connect
const SESSION_OVER = 4403; // close code

/** Subscriptions over one WebSocket, which comes back by itself; each subscription then starts again. */
export class Live {
  readonly client: Client;
  readonly status = new Store<LiveStatus>({ state: "connecting", connects: 0 });
  readonly #onSessionOver: () => void;
  #endWait = () => {};

  constructor(url: string, onSessionOver: () => void) {
    this.#onSessionOver = onSessionOver;
    let noAnswer: ReturnType<typeof setTimeout>;
    const answered = () => clearTimeout(noAnswer);
    const expectAnswer = () => {
      answered();
      noAnswer = setTimeout(() => this.client.terminate(), ANSWER_WITHIN);
    };
    this.client = createClient({
      url,
      lazy: false,
      onNonLazyError: () => {}, // `status` tells
      retryAttempts: Number.POSITIVE_INFINITY,
      shouldRetry: () => true, // for browsers an unreachable server is an `error` event, which graphql-ws takes for fatal
      // Random, so that after a restart not everyone comes back at the same moment.
      retryWait: (retries) => this.#wait(Math.random() * Math.min(LONGEST_WAIT, 1_000 * 2 ** retries)),
      keepAlive: PING_EVERY,
      on: {
        connecting: expectAnswer,
        connected: () => {
          answered();
          this.#enter("live");
        },
        ping: (received) => received || expectAnswer(),
        pong: (received) => received && answered(),
        closed: (event) => {
          answered();
          if (event instanceof CloseEvent && event.code === SESSION_OVER) onSessionOver();
          this.#enter(this.status.get().state === "live" ? "connecting" : "offline");
        },
      },
    });
    addEventListener("online", this.retry);
    addEventListener("offline", this.#lose);
  }

  /**
   * Follows a subscription. What ends it for a passing reason starts it again.
   * @param onRefused hears of an error that starting again does not mend
   * @returns a function that ends it
   */
  subscribe<Data, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    onData: (data: Answered<Data>) => void,
    onRefused: (code: unknown) => void = () => {},
  ): () => void {
    let stop: () => void;
    const start = () => {
      stop = this.client.subscribe<Data>(
        { query: stringifyDocument(document), variables },
        {
          next: ({ data, errors }) => (errors ? fail(errors[0]?.extensions) : data && onData(data as Answered<Data>)),
          error: (reason) => fail(Array.isArray(reason) ? reason[0]?.extensions : { retryable: true }),
          complete: () => {},
        },
      );
    };
    const fail = ({ code, retryable }: Record<string, unknown> = {}) => {
      stop();
      if (code === "UNAUTHENTICATED") this.#onSessionOver();
      else if (retryable) {
        const timer = setTimeout(start, 1_000); // ms
        stop = () => clearTimeout(timer);
      } else onRefused(code);
    };
    start();
    return () => stop();
  }

  /** Tries to connect now rather than after the wait. */
  readonly retry = (): void => this.#endWait();

  /** Ends the connection, for good. */
  close(): void {
    removeEventListener("online", this.retry);
    removeEventListener("offline", this.#lose);
    Promise.resolve(this.client.dispose()).catch(() => {}); // the server has closed it already
  }

  /** The browser says that there is no network: the socket would notice much later. */
  readonly #lose = () => this.client.terminate();

  #wait(ms: number): Promise<void> {
    return Promise.race([pause(ms), new Promise<void>((resolve) => (this.#endWait = resolve))]);
  }

  #enter(state: LiveState): void {
    this.status.set({ state, connects: this.status.get().connects + (state === "live" ? 1 : 0) });
  }
}
