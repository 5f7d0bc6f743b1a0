import { setTimeout as delay } from "node:timers/promises";
import type { WebSocket } from "ws";
import type { UserId } from "../../util/ids.js";
import { CLOSE } from "./close-codes.js";
import type { Heartbeat } from "./heartbeat.js";

const ANSWER_WITHIN = 1_500; // ms in which a client has to answer a ping; part of the time for accepting a connection
const STEP = 25; // ms between two checks whether all have answered
const PATIENCE = 1_000; // ms that a client gets to answer a close frame

/**
 * Limits how many open sockets each user has. Phones change networks and laptops sleep, which leaves dead sockets that the server has not
 * detected yet. So at the limit the server pings all of the user's sockets, and closes the one that has been silent longest.
 */
export class UserSockets {
  readonly #most: number;
  readonly #heartbeat: Heartbeat;
  readonly #open = new Map<UserId, Set<WebSocket>>();

  constructor(most: number, heartbeat: Heartbeat) {
    this.#most = most;
    this.#heartbeat = heartbeat;
  }

  /** Counts one more socket of a user; false if they are at the limit and all their sockets answer. */
  async admit(userId: UserId, socket: WebSocket): Promise<boolean> {
    if (this.#add(userId, socket)) return true;
    const others = [...(this.#open.get(userId) ?? [])];
    if (!this.#longestSilent(others)) {
      for (const other of others) this.#heartbeat.ping(other);
      const deadline = performance.now() + ANSWER_WITHIN;
      while (performance.now() < deadline && others.some((other) => this.#heartbeat.silence(other) > 0)) await delay(STEP);
    }
    if (socket.readyState !== socket.OPEN) return false;
    if (this.#add(userId, socket)) return true;
    const silent = this.#longestSilent(this.#open.get(userId) ?? []);
    if (!silent) return false;
    this.release(userId, silent);
    silent.close(CLOSE.TRY_LATER, "This user opened another connection, and this one did not answer a ping. Reconnect.");
    const cut = setTimeout(() => silent.terminate(), PATIENCE);
    silent.once("close", () => clearTimeout(cut));
    return this.#add(userId, socket);
  }

  release(userId: UserId, socket: WebSocket): void {
    const sockets = this.#open.get(userId);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.#open.delete(userId);
  }

  #add(userId: UserId, socket: WebSocket): boolean {
    const sockets = this.#open.get(userId) ?? new Set();
    if (sockets.size >= this.#most) return false;
    this.#open.set(userId, sockets.add(socket));
    return true;
  }

  /** Of the sockets that have not answered in time, the one that has been silent longest; on a tie, the one opened first. */
  #longestSilent(sockets: Iterable<WebSocket>): WebSocket | undefined {
    const now = performance.now();
    let longest: { socket: WebSocket; silence: number } | undefined;
    for (const socket of sockets) {
      const silence = this.#heartbeat.silence(socket, now);
      if (silence >= ANSWER_WITHIN - STEP && silence > (longest?.silence ?? 0)) longest = { socket, silence };
    }
    return longest?.socket;
  }
}
