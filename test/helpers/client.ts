import { randomUUID } from "node:crypto";
import { type Client, createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { cleanUp } from "./cleanup.js";

type Variables = Record<string, unknown>;

/** An error of the API. */
export interface ApiError {
  message: string;
  path?: string[];
  extensions: { code: string; retryable: boolean; argument?: string };
}

interface ApiResult {
  // biome-ignore lint/suspicious/noExplicitAny: the query determines its shape, which the tests know; a wrong guess fails an expectation
  data?: any;
  errors?: ApiError[];
}

interface HistoryPage {
  nodes: { text: string }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null; hasPreviousPage: boolean; startCursor: string | null };
}

/** A client of a server: over HTTP, and over one WebSocket for subscriptions. */
export class TestClient {
  #socket: Client | undefined;

  constructor(
    readonly serverUrl: string,
    readonly token?: string,
    readonly id = "",
    readonly username = "",
  ) {}

  /** Registers an account and logs it in. */
  static async register(server: { url: string }, name = "user"): Promise<TestClient> {
    const username = `${name}-${randomUUID().slice(0, 8)}`;
    const { register } = await new TestClient(server.url).ask(
      'mutation ($username: String!) { register(username: $username, password: "a good password") { token user { id } } }',
      { username },
    );
    return new TestClient(server.url, register.token, register.user.id, username);
  }

  /** Returns a client with the same session on another server. */
  on({ url }: { url: string }): TestClient {
    return new TestClient(url, this.token, this.id, this.username);
  }

  /** Returns the API's answer over HTTP, including errors. */
  async request(query: string, variables: Variables = {}): Promise<ApiResult> {
    const response = await fetch(`${this.serverUrl}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(this.token && { authorization: `Bearer ${this.token}` }) },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as ApiResult;
  }

  /** Runs an operation that must succeed, and returns its data. */
  async ask(query: string, variables?: Variables) {
    const { data, errors } = await this.request(query, variables);
    if (errors) throw new Error(`${errors.map(({ extensions, message }) => `${extensions.code}: ${message}`).join("; ")} in ${query}`);
    return data;
  }

  /** Runs an operation that must fail with one error, and returns it. */
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

  /** Reads all texts of a room page by page from one end. @returns the texts, oldest first */
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

  /** Returns a room's current position. */
  async position(roomId = "0"): Promise<string> {
    return (await this.ask("query ($roomId: ID!) { messages(roomId: $roomId, last: 1) { position } }", { roomId })).messages.position;
  }

  /** Starts a subscription, which buffers everything from the first frame on. */
  subscribe(query: string, variables: Variables = {}): Stream {
    return new Stream(this.socket(), query, variables);
  }

  /** Subscribes to the messages of one room, or of all. */
  follow(variables: { roomId?: string; after?: string[]; includeOwn?: boolean } = {}): Stream {
    return this.subscribe(
      `subscription ($roomId: ID, $after: [String!], $includeOwn: Boolean) {
        messageAdded(roomId: $roomId, after: $after, includeOwn: $includeOwn) { text position roomId from { id } }
      }`,
      variables,
    );
  }

  /** The client's socket, which the first operation opens. */
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
      onNonLazyError: () => {}, // the operations fail as well
    });
    cleanUp(() => this.disconnect());
    return client;
  }

  /** Closes the socket, and waits until it is closed. */
  async disconnect(): Promise<void> {
    await this.#socket?.dispose();
    this.#socket = undefined;
  }
}

type Item = { result: ApiResult } | { failure: unknown } | "complete";

/** The results of a subscription, in order. */
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

  /** Returns the next result, with or without errors. */
  async result(): Promise<ApiResult> {
    const item = await this.#take();
    if (item === "complete") throw new Error("the subscription is complete");
    if ("failure" in item) throw item.failure;
    return item.result;
  }

  /** Returns the value of the next event's only field. */
  async next() {
    const { data, errors } = await this.result();
    if (errors) throw new Error(`the subscription returned ${JSON.stringify(errors)}`);
    return Object.values<ApiResult["data"]>(data)[0];
  }

  /** Returns the texts of the next messages. */
  async texts(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) texts.push((await this.next()).text);
    return texts;
  }

  /** Returns the code of the error that ends the subscription, and checks that the subscription is then complete. */
  async refusal(): Promise<string | undefined> {
    const { errors } = await this.result();
    const code = errors?.[0]?.extensions.code;
    if ((await this.#take()) !== "complete") throw new Error("the subscription continues after an error");
    return code;
  }

  /** Waits until the subscription is complete. All results before that must have been read. */
  async completed(): Promise<void> {
    const item = await this.#take();
    if (item !== "complete") throw new Error(`the subscription continues: ${JSON.stringify(item)}`);
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
