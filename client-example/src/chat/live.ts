import { stringifyDocument, type TypedDocumentNode } from "@urql/core";
import { type Client, createClient } from "graphql-ws";
import type { Answered } from "./api";
import { pause } from "./pause";
import { Store } from "./store";

/** `connecting`: the first attempt, or the first after a lost connection. `offline`: it failed, and further attempts follow. */
export type LiveState = "connecting" | "live" | "offline";

export interface LiveStatus {
  state: LiveState;
  /** How many times the client has connected. When this grows, load again what subscriptions do not replay. */
  connects: number;
}

const PING_EVERY = 10_000; // ms
const ANSWER_WITHIN = 5_000; // ms, to a ping or a connection attempt; a lost network does not close sockets
const LONGEST_WAIT = 10_000; // ms between two attempts to connect
const SESSION_OVER = 4403; // close code

/** Subscriptions over one WebSocket, which reconnects by itself; each subscription then starts again. */
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
      onNonLazyError: () => {}, // `status` reports it
      retryAttempts: Number.POSITIVE_INFINITY,
      shouldRetry: () => true, // browsers report an unreachable server as an `error` event, which graphql-ws treats as fatal
      // Random, so that clients do not all reconnect at the same moment after a restart.
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
   * Subscribes, and subscribes again after a retryable error.
   * @param onRefused called with the code of an error that is not retryable
   * @returns a function that ends the subscription
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

  /** Connects now instead of after the wait. */
  readonly retry = (): void => this.#endWait();

  /** Closes the connection for good. */
  close(): void {
    removeEventListener("online", this.retry);
    removeEventListener("offline", this.#lose);
    Promise.resolve(this.client.dispose()).catch(() => {}); // the server has already closed it
  }

  /** The browser reports that there is no network. The socket would notice much later. */
  readonly #lose = () => this.client.terminate();

  #wait(ms: number): Promise<void> {
    return Promise.race([pause(ms), new Promise<void>((resolve) => (this.#endWait = resolve))]);
  }

  #enter(state: LiveState): void {
    this.status.set({ state, connects: this.status.get().connects + (state === "live" ? 1 : 0) });
  }
}
