import { once } from "node:events";
import { type ClientOptions, WebSocket } from "ws";
import { closeAfterwards } from "./cleanup.js";

/** A frame from the server. */
export interface Frame {
  type: string;
  id?: string;
  // biome-ignore lint/suspicious/noExplicitAny: the operation determines its shape; a wrong guess fails an expectation
  payload?: any;
}

/** A socket that sends any frame, unlike a client library, and keeps all frames that arrive. */
export class RawSocket {
  readonly socket: WebSocket;
  /** Resolves to the close code and reason. */
  readonly closed: Promise<{ code: number; reason: string }>;
  /** All frames that have arrived. */
  readonly heard: Frame[] = [];
  #read = 0;
  #arrived = () => {};

  constructor(server: { url: string }, options: ClientOptions = {}) {
    this.socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws", options);
    this.socket.on("message", (data) => {
      this.heard.push(JSON.parse(String(data)) as Frame);
      this.#arrived();
    });
    this.socket.on("error", () => {}); // see `closed`
    this.closed = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
    });
    closeAfterwards(this.socket, (socket) => socket.terminate());
  }

  /** Opens a socket, and waits for the acknowledgement of its connection_init. */
  static async accepted(server: { url: string }, token?: string, options?: ClientOptions): Promise<RawSocket> {
    const socket = new RawSocket(server, options);
    await socket.say({ type: "connection_init", payload: token === undefined ? {} : { authorization: `Bearer ${token}` } });
    const { type } = await socket.next();
    if (type !== "connection_ack") throw new Error(`got ${type} instead of an acknowledgement`);
    return socket;
  }

  /** Sends a frame: text and bytes unchanged, anything else as JSON. */
  async say(frame: unknown): Promise<void> {
    if (this.socket.readyState === this.socket.CONNECTING) await once(this.socket, "open");
    this.socket.send(typeof frame === "string" || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  }

  async subscribe(id: string, query: string, variables: Record<string, unknown> = {}): Promise<void> {
    await this.say({ id, type: "subscribe", payload: { query, variables } });
  }

  /** Returns the next frame; rejects if the socket closes instead. */
  async next(): Promise<Frame> {
    const closed = this.closed.then(({ code, reason }) => {
      throw new Error(`closed with ${code} ${reason}`);
    });
    closed.catch(() => {}); // only matters while a frame is awaited
    while (this.heard.length <= this.#read) {
      await Promise.race([new Promise<void>((resolve) => (this.#arrived = resolve)), closed]);
    }
    return this.heard[this.#read++] as Frame;
  }

  /** Returns the frames that answer an operation, up to the last one. */
  async answer(id: string): Promise<Frame[]> {
    const frames: Frame[] = [];
    for (;;) {
      const frame = await this.next();
      if (frame.id === id) frames.push(frame);
      if (frame.id === id && frame.type !== "next") return frames;
    }
  }

  /** Returns the error codes in the answer to an operation. */
  async codes(id: string): Promise<string[]> {
    const errors = (await this.answer(id)).flatMap(({ type, payload }) => (type === "error" ? payload : (payload?.errors ?? [])));
    return errors.map(({ extensions }) => extensions.code);
  }
}
