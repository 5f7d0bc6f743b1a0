import { randomUUID } from "node:crypto";
import { type Client, createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { cleanUp } from "./cleanup.js";

type Variables = Record<string, unknown>;

/** An error as the API gave it. */
export interface ApiError {
  message: string;
  path?: string[];
  extensions: { code: string; retryable: boolean; argument?: string };
}

interface ApiResult {
  // biome-ignore lint/suspicious/noExplicitAny: its shape is the query's, which the tests know; a wrong guess fails an expectation
  data?: any;
  errors?: ApiError[];
}

interface HistoryPage {
  nodes: { text: string }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null; hasPreviousPage: boolean; startCursor: string | null };
}

/** Someone who uses a server: over HTTP, and over one WebSocket for subscriptions. */
export class TestClient {
  #socket: Client | undefined;

  constructor(
    readonly serverUrl: string,
    readonly token?: string,
    readonly id = "",
    readonly username = "",
  ) {}

  /** A new account, logged in. */
  static async register(server: { url: string }, name = "user"): Promise<TestClient> {
    const username = `${name}-${randomUUID().slice(0, 8)}`;
    const { register } = await new TestClient(server.url).ask(
      'mutation ($username: String!) { register(username: $username, password: "a good password") { token user { id } } }',
      { username },
    );
    return new TestClient(server.url, register.token, register.user.id, username);
  }

  /** The same session on another server. */
  on({ url }: { url: string }): TestClient {
    return new TestClient(url, this.token, this.id, this.username);
  }

  /** What the API answers over HTTP, errors included. */
  async request(query: string, variables: Variables = {}): Promise<ApiResult> {
    const response = await fetch(`${this.serverUrl}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(this.token && { authorization: `Bearer ${this.token}` }) },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as ApiResult;
  }

  /** The data of an operation that is expected to succeed. */
  async ask(query: string, variables?: Variables) {
    const { data, errors } = await this.request(query, variables);
    if (errors) throw new Error(`${errors.map(({ extensions, message }) => `${extensions.code}: ${message}`).join("; ")} in ${query}`);
    return data;
  }

  /** The error of an operation that is expected to fail with one. */
  async refused(query: string, variables?: Variables): Promise<ApiError> {
    const { data, errors } = await this.request(query, variables);
    const [error, ...others] = errors ?? [];
    if (!error || others.length > 0) throw new Error(`expected one error, got ${JSON.stringify({ data, errors })}`);
    return error;
  }

  async send(text: string, roomId = "0", clientMessageId?: string) {
    const query = `mutation ($roomId: ID!, $text: String!, $clientMessageId: ID) {
      send(roomId: $roomId, text: $text, clientMessageId: $clientMessageId) { id text sentAt position clientMessageId from { id } }
    }`;
    return (await this.ask(query, { roomId, text, clientMessageId })).send;
  }

  /** Every text of a room, read page by page from one of its ends; oldest first. */
  async history(roomId = "0", { size = 100, from = "oldest" }: { size?: number; from?: "oldest" | "newest" } = {}): Promise<string[]> {
    const page = from === "oldest" ? "first: $size, after: $cursor" : "last: $size, before: $cursor";
    const query = `query ($roomId: ID!, $size: Int, $cursor: String) {
      messages(roomId: $roomId, ${page}) { nodes { text } pageInfo { hasNextPage endCursor hasPreviousPage startCursor } }
    }`;
    const texts: string[] = [];
    for (let cursor: string | null = null; ; ) {
      const { nodes, pageInfo } = (await this.ask(query, { roomId, size, cursor })).messages as HistoryPage;
      const page = nodes.map(({ text }) => text);
      if (from === "oldest") texts.push(...page);
      else texts.unshift(...page);
      if (!(from === "oldest" ? pageInfo.hasNextPage : pageInfo.hasPreviousPage)) return texts;
      cursor = from === "oldest" ? pageInfo.endCursor : pageInfo.startCursor;
    }
  }

  /** Where a room stands now. */
  async position(roomId = "0"): Promise<string> {
    return (await this.ask("query ($roomId: ID!) { messages(roomId: $roomId, last: 1) { position } }", { roomId })).messages.position;
  }

  /** Starts a subscription; what arrives is kept from the first frame on. */
  subscribe(query: string, variables: Variables = {}): Stream {
    return new Stream(this.socket(), query, variables);
  }

  /** Follows messages: the texts of one room, or of all. */
  follow(variables: { roomId?: string; after?: string[]; includeOwn?: boolean } = {}): Stream {
    return this.subscribe(
      `subscription ($roomId: ID, $after: [String!], $includeOwn: Boolean) {
        messageAdded(roomId: $roomId, after: $after, includeOwn: $includeOwn) { text position roomId from { id } }
      }`,
      variables,
    );
  }

  /** The client's socket; its connection opens with the first operation. */
  socket(): Client {
    this.#socket ??= this.#open();
    return this.#socket;
  }

  #open(): Client {
    const client = createClient({
      url: `${this.serverUrl.replace(/^http/, "ws")}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: this.token === undefined ? {} : { authorization: `Bearer ${this.token}` },
      retryAttempts: 0,
      lazy: false, // stays open between operations
      onNonLazyError: () => {}, // the operations fail too
    });
    cleanUp(() => this.disconnect());
    return client;
  }

  /** Closes the socket, and resolves when it is closed. */
  async disconnect(): Promise<void> {
    await this.#socket?.dispose();
    this.#socket = undefined;
  }
}

type Item = { result: ApiResult } | { failure: unknown } | "complete";

/** What a subscription brings, in order. */
export class Stream {
  readonly #items: Item[] = [];
  readonly #waiting: ((item: Item) => void)[] = [];
  readonly stop: () => void;

  constructor(client: Client, query: string, variables: Variables) {
    this.stop = client.subscribe(
      { query, variables },
      {
        next: (result) => this.#arrive({ result: result as ApiResult }),
        error: (failure) => this.#arrive({ failure }),
        complete: () => this.#arrive("complete"),
      },
    );
  }

  /** The next result, whatever it is. */
  async result(): Promise<ApiResult> {
    const item = await this.#take();
    if (item === "complete") throw new Error("the subscription is complete");
    if ("failure" in item) throw item.failure;
    return item.result;
  }

  /** The value of the next event's only field. */
  async next() {
    const { data, errors } = await this.result();
    if (errors) throw new Error(`the subscription gave ${JSON.stringify(errors)}`);
    return Object.values<ApiResult["data"]>(data)[0];
  }

  /** The texts of the next messages. */
  async texts(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) texts.push((await this.next()).text);
    return texts;
  }

  /** The code of the error with which the subscription ends; it is complete after that. */
  async refusal(): Promise<string | undefined> {
    const { errors } = await this.result();
    const code = errors?.[0]?.extensions.code;
    if ((await this.#take()) !== "complete") throw new Error("the subscription goes on after an error");
    return code;
  }

  /** Resolves when the subscription is complete; everything before that must have been read. */
  async completed(): Promise<void> {
    const item = await this.#take();
    if (item !== "complete") throw new Error(`the subscription goes on: ${JSON.stringify(item)}`);
  }

  #arrive(item: Item): void {
    const reader = this.#waiting.shift();
    if (reader) reader(item);
    else this.#items.push(item);
  }

  #take(): Promise<Item> {
    const item = this.#items.shift();
    return item === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(item);
  }
}
