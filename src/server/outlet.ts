import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Outlet } from "../delivery/broadcast.js";
import { CLOSE } from "./close-codes.js";

const TEXT = 0x81; // a whole text frame: https://www.rfc-editor.org/rfc/rfc6455#section-5.2

/** Outlets that were written to in this turn of the event loop, and hold back until its end. */
let holding: SocketOutlet[] = [];

function releaseAll(): void {
  const outlets = holding;
  holding = [];
  for (const outlet of outlets) outlet.release();
}

/** Writes shared frames to a client's socket: one write for all that one turn of the event loop brings. */
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

  /** Milliseconds since it is congested; 0 while it is not. */
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

  /** Keeps back what is written in this turn of the event loop until its end, so that it leaves in one piece. */
  hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.#socket.cork();
    if (holding.length === 0) setImmediate(releaseAll);
    holding.push(this);
  }

  /** Sends what this turn of the event loop brought. */
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
    this.#webSocket.close(CLOSE.TRY_LATER, "Too slow. Come back with your position.");
  }
}
