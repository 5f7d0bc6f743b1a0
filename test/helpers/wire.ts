import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { closeAfterwards } from "./cleanup.js";

interface FrameHead {
  opcode?: number;
  last?: boolean;
  masked?: boolean;
  reserved?: number;
  /** The length that the frame claims, if it is not the real one. */
  length?: bigint;
}

/** One WebSocket frame, valid or not: https://www.rfc-editor.org/rfc/rfc6455#section-5.2 */
export function wireFrame(
  payload: string | Buffer,
  { opcode = 1, last = true, masked = true, reserved = 0, length }: FrameHead = {},
): Buffer {
  const body = Buffer.from(payload);
  const told = length ?? BigInt(body.length);
  const head = Buffer.alloc(10);
  head[0] = (last ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | 127;
  head.writeBigUInt64BE(told, 2);
  return Buffer.concat([head, masked ? Buffer.alloc(4) : Buffer.alloc(0), body]); // a mask of zeros changes nothing
}

/** A raw TCP connection. */
export class Wire {
  readonly socket: Socket;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
  #heard = Buffer.alloc(0);

  constructor(server: { url: string }) {
    const { port, hostname } = new URL(server.url);
    this.socket = connect(Number(port), hostname);
    this.socket.on("error", () => {}); // the server may reset the connection
    this.socket.on("data", (data) => {
      this.#heard = Buffer.concat([this.#heard, data]);
    });
    this.closed = new Promise((resolve) => this.socket.once("close", () => resolve()));
    closeAfterwards(this.socket, (socket) => socket.destroy());
  }

  /** Opens a connection and upgrades it to a WebSocket. */
  static async upgraded(server: { url: string }): Promise<Wire> {
    const wire = new Wire(server);
    wire.say(upgradeRequest());
    while (!wire.heard.includes("\r\n\r\n")) await once(wire.socket, "data");
    wire.#heard = wire.#heard.subarray(wire.heard.indexOf("\r\n\r\n") + 4);
    return wire;
  }

  say(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  get heard(): string {
    return this.#heard.toString("latin1");
  }

  /** Waits until the connection is closed. @returns the code of the server's close frame; undefined if it sent none */
  async closeCode(): Promise<number | undefined> {
    await this.closed;
    for (let at = 0; at + 2 <= this.#heard.length; ) {
      const short = (this.#heard[at + 1] as number) & 0x7f;
      const [start, length] = short === 126 ? [4, this.#heard.readUInt16BE(at + 2)] : [2, short];
      if (((this.#heard[at] as number) & 0x0f) === 8) return this.#heard.readUInt16BE(at + start);
      at += start + length;
    }
    return undefined;
  }
}

/** The request that upgrades a connection to a WebSocket. The given headers replace its defaults; null omits one. */
export function upgradeRequest(headers: Record<string, string | null> = {}, line = "GET /graphql HTTP/1.1"): string {
  const all: Record<string, string | null> = {
    Host: "localhost",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
    "Sec-WebSocket-Protocol": "graphql-transport-ws",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  return `${[line, ...lines].join("\r\n")}\r\n\r\n`;
}
