import type { WebSocket } from "ws";

/** Pings clients, and tracks which of them do not answer. */
export class Heartbeat {
  /** The time of the first unanswered ping. */
  readonly #unanswered = new WeakMap<WebSocket, number>();

  /** Takes every pong and message of a socket as a sign of life. */
  watch(socket: WebSocket): void {
    const alive = () => this.heard(socket);
    socket.on("pong", alive);
    socket.on("message", alive);
  }

  /** Forgets unanswered pings: the client has shown that it is alive, or the server did not read from it. */
  heard(socket: WebSocket): void {
    this.#unanswered.delete(socket);
  }

  ping(socket: WebSocket): void {
    if (this.#unanswered.has(socket)) return;
    this.#unanswered.set(socket, performance.now());
    socket.ping();
  }

  /**
   * For how long a ping has been unanswered, in ms; 0 if none is, and while the server does not read from the socket.
   * @param now pass the same time for all sockets that you compare
   */
  silence(socket: WebSocket, now = performance.now()): number {
    const since = this.#unanswered.get(socket);
    return since === undefined || socket.isPaused ? 0 : now - since;
  }
}
