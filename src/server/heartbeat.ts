import type { WebSocket } from "ws";

/** Pings clients, and knows which of them do not answer. */
export class Heartbeat {
  /** When the first ping was sent that is not answered. */
  readonly #unanswered = new WeakMap<WebSocket, number>();

  /** Hears the signs of life of a socket. */
  watch(socket: WebSocket): void {
    const alive = () => this.#unanswered.delete(socket);
    socket.on("pong", alive);
    socket.on("message", alive);
  }

  ping(socket: WebSocket): void {
    if (this.#unanswered.has(socket)) return;
    this.#unanswered.set(socket, performance.now());
    socket.ping();
  }

  /** For how long, in ms, a ping has gone unanswered; 0 where none has, and while the server itself does not read. */
  silence(socket: WebSocket): number {
    const since = this.#unanswered.get(socket);
    return since === undefined || socket.isPaused ? 0 : performance.now() - since;
  }
}
