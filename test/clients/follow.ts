/** The part of a GraphQL client that `follow` needs. */
export interface Connection {
  /** Resolves to the answer; rejects if there is none. */
  query(document: string, variables: Record<string, unknown>): Promise<Result>;
  /** Subscribes, and returns a function that ends the subscription. A lost connection is an `error`: do not retry here. */
  subscribe(document: string, variables: Record<string, unknown>, sink: Sink): () => void;
}

export interface Sink {
  next(result: Result): void;
  error(reason: unknown): void;
  complete(): void;
}

export interface Result {
  data?: unknown;
  errors?: readonly Refusal[] | undefined;
}

interface Refusal {
  message: string;
  extensions?: Reason | undefined;
}

interface Reason {
  code?: string;
  retryable?: boolean;
  roomId?: string;
}

export interface Message {
  id: string;
  roomId: string;
  text: string;
}

interface RoomPage {
  nodes: { id: string }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

interface Handlers {
  /** A room's newest messages, which replace those shown: at the start, for each new room, and after a gap that is too long. */
  onRoom(roomId: string, messages: Message[]): unknown;
  /** The room's next message. */
  onMessage(message: Message): unknown;
  signal: AbortSignal;
}

const SESSION_OVER = 4403; // close code
export const ROOMS = "query ($after: String) { rooms(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }";
export const PAGE = "query ($id: ID!) { messages(roomId: $id, last: 50) { nodes { id roomId text } position } }";
export const FOLLOW = "subscription ($after: [String!]) { messageAdded(after: $after) { id roomId text position } }";

/**
 * Subscribes to all rooms of a user. Delivers every message once, in each room's order, whatever happens to the connection.
 * @throws Error with the server's code if a retry cannot help. After `UNAUTHENTICATED`, sign in again.
 */
export async function follow(connection: Connection, { onRoom, onMessage, signal }: Handlers): Promise<void> {
  const positions = new Map<string, string>(); // the latest position of each room

  async function ask<Data>(document: string, variables = {}): Promise<Data> {
    const { data, errors } = await connection.query(document, variables);
    if (errors?.[0]) throw errors[0];
    return data as Data;
  }

  async function roomIds(): Promise<string[]> {
    const ids: string[] = [];
    for (let after: string | null = null; ; ) {
      const { rooms }: { rooms: RoomPage } = await ask(ROOMS, { after });
      ids.push(...rooms.nodes.map(({ id }) => id));
      if (!rooms.pageInfo.hasNextPage) return ids;
      after = rooms.pageInfo.endCursor;
    }
  }

  /** Loads new rooms, and forgets rooms that the user has left. */
  async function loadRooms(): Promise<void> {
    const ids = await roomIds();
    for (const id of positions.keys()) if (!ids.includes(id)) positions.delete(id);
    for (const id of ids) {
      if (positions.has(id)) continue;
      const { messages } = await ask<{ messages: { nodes: Message[]; position: string } }>(PAGE, { id });
      onRoom(id, messages.nodes);
      positions.set(id, messages.position);
    }
  }

  /** Resolves or rejects when the subscription ends. */
  const subscribe = () =>
    new Promise<void>((resolve, reject) => {
      const next = ({ data, errors }: Result) => {
        if (errors?.[0]) return reject(errors[0]);
        const { position, ...message } = (data as { messageAdded: Message & { position: string } }).messageAdded;
        positions.set(message.roomId, position);
        onMessage(message);
      };
      const stop = connection.subscribe(FOLLOW, { after: [...positions.values()] }, { next, error: reject, complete: resolve });
      signal.addEventListener("abort", () => {
        stop();
        resolve();
      });
    });

  while (!signal.aborted) {
    try {
      await loadRooms();
      await subscribe();
    } catch (error) {
      const { code, retryable, roomId } = reasonOf(error);
      if (code === "HISTORY_RESET" && roomId) positions.delete(roomId);
      else if (!retryable && code !== "NOT_A_MEMBER") throw new Error(code, { cause: error });
    }
    await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 1_500)); // ms; not all clients at once
  }
}

/** Returns why a query or a subscription ended: a server's error, a socket's close code, or a lost connection. */
function reasonOf(error: unknown): Reason {
  const { extensions, code } = error as { extensions?: Reason; code?: unknown };
  return extensions ?? (code === SESSION_OVER ? { code: "UNAUTHENTICATED" } : { retryable: true });
}
