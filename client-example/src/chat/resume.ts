import type { Client } from "graphql-ws";

/** What is followed: any subscription of Palaver's whose results have a room and a position. */
export interface Followed<Event extends { roomId: string; position: string }> {
  /** The subscription; it has to pass `$after: [String!]` on, and to select `roomId` and `position`. */
  query: string;
  /** The event in a result's data. */
  eventIn: (data: Record<string, unknown>) => Event;
  /**
   * Loads what the page shows, and gives the position of each room as it was loaded: events come from there on. It is
   * called at the start, and again when a position can no longer be continued. When it fails, it is called again after a pause that grows.
   */
  load: () => Promise<Iterable<readonly [roomId: string, position: string]>>;
  /** Hears why a load failed: once that is refused for good, `stop` and tell the user. */
  onLoadFailed?: (error: unknown) => void;
  /** Hears of each event after the load, once, in each room's order. */
  onEvent: (event: Event) => void;
  /** Hears of an error that coming again does not mend; nothing more comes then. */
  onRefused: (error: { message: string; code: unknown }) => void;
}

const PAUSE = 1_000; // ms before trying again
const LONGEST_PAUSE = 30_000; // ms between two loads that fail

/**
 * Follows rooms over a graphql-ws client, and loses, repeats and reorders nothing, whatever becomes of the connection.
 *
 * Load first, then subscribe after the positions of the load. Positions move on with what the subscription brings and with
 * nothing else: the answer to a `send` can overtake messages that are still on their way. After a reconnect, graphql-ws
 * sends the subscription again as it is; its `after` is a getter, which then gives the positions of that moment.
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
  let unsubscribe = () => {};

  async function begin(pause = PAUSE): Promise<void> {
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
    unsubscribe = client.subscribe<Record<string, unknown>>(
      { query, variables },
      {
        // A result with errors is the last one, or stands for an event that got lost: either way, not to go on after.
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

  /** @param error of the server; undefined where it was the connection's */
  function fail(error?: { message: string; extensions?: Record<string, unknown> }): void {
    unsubscribe();
    if (error?.extensions?.code === "HISTORY_RESET") after(PAUSE, () => void begin());
    else if (!error || error.extensions?.retryable) after(PAUSE, subscribe);
    else onRefused({ message: error.message, code: error.extensions?.code });
  }

  function after(ms: number, go: () => void): void {
    const timer = setTimeout(go, ms);
    unsubscribe = () => clearTimeout(timer);
    if (stopped) unsubscribe();
  }

  void begin();
  return {
    /** Tells of a room that came in later: should the connection break before its first event, it goes on from here. */
    add(roomId: string, position: string): void {
      if (!positions.has(roomId)) positions.set(roomId, position);
    },
    /** Tells that the user has left a room: where it stood is no use any more. */
    forget(roomId: string): void {
      positions.delete(roomId);
    },
    stop(): void {
      stopped = true;
      unsubscribe();
    },
  };
}
