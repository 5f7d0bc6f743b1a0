import { stringifyDocument, type TypedDocumentNode } from "@urql/core";
import { type Client, createClient } from "graphql-ws";

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
  readonly #client: Client;
  readonly #onSessionOver: () => void;
  readonly #listeners = new Set<() => void>();
  #status: LiveStatus = { state: "connecting", connects: 0 };

  constructor(url: string, token: string, onSessionOver: () => void) {
    this.#onSessionOver = onSessionOver;
    let noAnswer: ReturnType<typeof setTimeout>;
    const answered = () => clearTimeout(noAnswer);
    const expectAnswer = () => {
      answered();
      noAnswer = setTimeout(() => this.#client.terminate(), ANSWER_WITHIN);
    };
    this.#client = createClient({
      url,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: Number.POSITIVE_INFINITY,
      shouldRetry: () => true, // for browsers an unreachable server is an `error` event, which graphql-ws takes for fatal
      // Random, so that after a restart not everyone comes back at the same moment.
      retryWait: (retries) => pause(Math.random() * Math.min(LONGEST_WAIT, 1_000 * 2 ** retries)),
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
          this.#enter(this.#status.state === "live" ? "connecting" : "offline");
        },
      },
    });
  }

  /**
   * Follows a subscription. What ends it for a passing reason starts it again, over a new connection.
   * @param variables read each time it starts, so a getter among them says where to continue
   * @param onRefused hears the code of an error that starting again does not mend
   * @returns a function that ends it
   */
  subscribe<Data, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    onData: (data: Data) => void,
    onRefused: (code: unknown) => void = () => {},
  ): () => void {
    let stop: () => void;
    const start = () => {
      stop = this.#client.subscribe<Data>(
        { query: stringifyDocument(document), variables },
        {
          // A result with errors is the last one, or stands for an event that got lost: either way, not to go on after.
          next: ({ data, errors }) => (errors ? fail(errors[0]?.extensions) : data && onData(data)),
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
        this.#client.terminate(); // so that everything is asked again that may have been missed
      } else onRefused(code);
    };
    start();
    return () => stop();
  }

  get status(): LiveStatus {
    return this.#status;
  }

  /** Calls the listener when the status changes. Fits React's useSyncExternalStore. */
  readonly onStatus = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #enter(state: LiveState): void {
    this.#status = { state, connects: this.#status.connects + (state === "live" ? 1 : 0) };
    for (const listener of this.#listeners) listener();
  }
}

/**
 * Variables for `messageAdded` that say, each time they are sent, where to continue: graphql-ws sends a subscription
 * again after a reconnect, and the getter then gives the positions of that moment.
 * @param positions the newest position of each room, kept up to date with what arrives
 */
export function resumeFrom(positions: ReadonlyMap<string, string>) {
  return {
    get after() {
      return [...positions.values()];
    },
  };
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
