import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Outlet } from "../../log/broadcast.js";
import { CLOSE } from "./close-codes.js";

const TEXT = 0x81; // a whole text frame: https://www.rfc-editor.org/rfc/rfc6455#section-5.2

/** Outlets with frames from this turn of the event loop; they send at its end. */
let holding: SocketOutlet[] = [];

function releaseAll(): void {
  const outlets = holding;
  holding = [];
  for (const outlet of outlets) outlet.release();
}

/** Writes shared frames to a client's socket, with one write for all frames of a turn of the event loop. */
export class SocketOutlet implements Outlet {
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  readonly #budget: number;
  #held = false;
  #drained: (() => void)[] = [];
  #lagSince: number | undefined;

  /**
   * @param socket the connection below the WebSocket
   * @param budget bytes that may wait to be sent
   */
  constructor(webSocket: WebSocket, socket: Duplex, budget: number) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#budget = budget;
  }

  get congested(): boolean {
    return this.#socket.writableLength > this.#budget;
  }

  /** How long the socket has been congested, in ms; 0 if it is not. */
  get lag(): number {
    return this.#lagSince === undefined ? 0 : performance.now() - this.#lagSince;
  }

  write(head: Buffer, tail: Buffer): void {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return;
    this.hold();
    const length = head.length + tail.length;
    const start = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    const frame = Buffer.allocUnsafe(start + length);
    frame[0] = TEXT;
    if (start === 2) frame[1] = length;
    else if (start === 4) {
      frame[1] = 126;
      frame.writeUInt16BE(length, 2);
    } else {
      frame[1] = 127;
      frame.writeBigUInt64BE(BigInt(length), 2);
    }
    frame.set(head, start);
    frame.set(tail, start + head.length);
    this.#socket.write(frame);
  }

  /** Buffers all writes of this turn of the event loop until its end, to send them as one. */
  hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.#socket.cork();
    if (holding.length === 0) setImmediate(releaseAll);
    holding.push(this);
  }

  /** Sends the buffered writes. */
  release(): void {
    this.#held = false;
    this.#socket.uncork();
  }

  onDrained(listener: () => void): void {
    this.#drained.push(listener);
    if (this.#drained.length > 1) return;
    this.#lagSince = performance.now();
    const drained = () => {
      this.#socket.off("drain", drained).off("close", drained);
      this.#lagSince = undefined;
      for (const listener of this.#drained.splice(0)) listener();
    };
    if (this.#socket.writableNeedDrain) this.#socket.once("drain", drained).once("close", drained);
    else setImmediate(drained);
  }

  giveUp(): void {
    this.#webSocket.close(CLOSE.TRY_LATER, "This client reads too slowly. Reconnect and resume from your position.");
  }
}
