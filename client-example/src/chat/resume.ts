import type { Client } from "graphql-ws";

/** What to follow: any Palaver subscription whose results have a room and a position. */
export interface Followed<Event extends { roomId: string; position: string }> {
  /** The subscription. It must pass on `$after: [String!]` and select `roomId` and `position`. */
  query: string;
  /** The event in a result's data. */
  eventIn: (data: Record<string, unknown>) => Event;
  /**
   * Loads what the page shows and returns each room's position as of that load; events follow from there. It is called at the start, and
   * again when the server can no longer resume from a position. If it fails, it is called again after a growing pause.
   */
  load: () => Promise<Iterable<readonly [roomId: string, position: string]>>;
  /** Called with the reason when a load fails. If the load is refused for good, call `stop` and inform the user. */
  onLoadFailed?: (error: unknown) => void;
  /** Called once with each event after the load, in each room's order. */
  onEvent: (event: Event) => void;
  /** Called with an error that is not retryable; no events follow. */
  onRefused: (error: { message: string; code: unknown }) => void;
}

const RETRY_PAUSE = 1_000; // ms before a retry
const LONGEST_PAUSE = 30_000; // ms between two failed loads

/**
 * Follows rooms over a graphql-ws client without losing, repeating or reordering events, whatever happens to the connection.
 *
 * It loads first, then subscribes after the positions of the load. Only events from the subscription advance the positions, because the
 * answer to a `send` can overtake messages that are still on their way. After a reconnect, graphql-ws sends the same subscription
 * again; its `after` is a getter that returns the current positions.
 *
 * @example
 * const following = resume(createClient({ url: "ws://localhost:4000/graphql" }), {
 *   query: "subscription ($after: [String!]) { messageAdded(after: $after) { roomId position text } }",
 *   eventIn: (data) => data.messageAdded, load, onEvent, onRefused,
 * });
 */
export function resume<Event extends { roomId: string; position: string }>(
  client: Pick<Client, "subscribe">,
  { query, eventIn, load, onLoadFailed, onEvent, onRefused }: Followed<Event>,
) {
  const positions = new Map<string, string>();
  const variables = {
    get after() {
      return [...positions.values()];
    },
  };
  let stopped = false;
  let subscribed = false;
  let unsubscribe = () => {};

  async function begin(pause = RETRY_PAUSE): Promise<void> {
    try {
      const loaded = await load();
      positions.clear();
      for (const [roomId, position] of loaded) positions.set(roomId, position);
    } catch (error) {
      if (!stopped) onLoadFailed?.(error);
      return after(pause, () => void begin(Math.min(2 * pause, LONGEST_PAUSE)));
    }
    if (!stopped) subscribe();
  }

  function subscribe(): void {
    subscribed = true;
    unsubscribe = client.subscribe<Record<string, unknown>>(
      { query, variables },
      {
        // A result with errors is the last one, or replaces an event that was lost. Do not continue after either.
        next: ({ data, errors }) => (errors ? fail(errors[0]) : data && pass(eventIn(data))),
        error: (reason) => fail(Array.isArray(reason) ? reason[0] : undefined),
        complete: () => {},
      },
    );
  }

  function pass(event: Event): void {
    positions.set(event.roomId, event.position);
    onEvent(event);
  }

  /** @param error from the server; undefined if the connection failed */
  function fail(error?: { message: string; extensions?: Record<string, unknown> }): void {
    unsubscribe();
    subscribed = false;
    if (error?.extensions?.code === "HISTORY_RESET") after(RETRY_PAUSE, () => void begin());
    else if (!error || error.extensions?.retryable) after(RETRY_PAUSE, subscribe);
    else onRefused({ message: error.message, code: error.extensions?.code });
  }

  function after(ms: number, go: () => void): void {
    const timer = setTimeout(go, ms);
    unsubscribe = () => clearTimeout(timer);
    if (stopped) unsubscribe();
  }

  void begin();
  return {
    /**
     * Adds a room that appeared later. If the connection breaks before its first event, the room resumes from this position.
     * @returns whether the room is new
     */
    add(roomId: string, position: string): boolean {
      if (positions.has(roomId)) return false;
      positions.set(roomId, position);
      return true;
    },
    /**
     * Subscribes again, after rooms were added that the subscription may have begun to follow only later than at their positions: it
     * follows a room that the user joined while away from when it starts.
     */
    renew(): void {
      if (stopped || !subscribed) return;
      unsubscribe();
      subscribe();
    },
    /** Removes a room that the user has left; its position is no longer needed. */
    forget(roomId: string): void {
      positions.delete(roomId);
    },
    stop(): void {
      stopped = true;
      unsubscribe();
    },
  };
}
