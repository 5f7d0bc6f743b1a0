import type { WebSocket } from "ws";

/** Pings clients, and knows which of them do not answer. */
export class Heartbeat {
  /** When the first ping was sent that is not answered. */
  readonly #unanswered = new WeakMap<WebSocket, number>();

  /** Hears the signs of life of a socket. */
  watch(socket: WebSocket): void {
    const alive = () => this.heard(socket);
    socket.on("pong", alive);
    socket.on("message", alive);
  }

  /** Nothing that it was asked before counts any more: it has shown that it is there, or the server did not listen. */
  heard(socket: WebSocket): void {
    this.#unanswered.delete(socket);
  }

  ping(socket: WebSocket): void {
    if (this.#unanswered.has(socket)) return;
    this.#unanswered.set(socket, performance.now());
    socket.ping();
  }

  /**
   * For how long, in ms, a ping has gone unanswered; 0 where none has, and while the server itself does not read.
   * @param now the same moment for all that are compared
   */
  silence(socket: WebSocket, now = performance.now()): number {
    const since = this.#unanswered.get(socket);
    return since === undefined || socket.isPaused ? 0 : now - since;
  }
}
