import { Cluster } from "ioredis";

type Sending = Parameters<Cluster["sendCommand"]>;

/**
 * A cluster client that enforces `commandTimeout` also while no node of the cluster can be reached. ioredis then keeps commands in an
 * unbounded queue and sends them however late, after their callers have given up and perhaps retried.
 */
export class ClusterClient extends Cluster {
  /** Commands to send once the cluster is back. */
  readonly #waiting = new Set<() => void>();

  #listens = false;

  override sendCommand(...sending: Sending): unknown {
    const [command] = sending;
    const timeout = this.options.redisOptions?.commandTimeout;
    if (command.isSettled) return command.promise;
    // The client needs the command `cluster` to find the nodes.
    const isAway = /^(connecting|connect|close|reconnecting)$/.test(this.status) && command.name !== "cluster";
    if (timeout === undefined || !isAway) return super.sendCommand(...sending);
    command.setTimeout(timeout);
    const forget = () => this.#waiting.delete(send);
    const send = () => {
      forget();
      super.sendCommand(...sending);
    };
    this.#waiting.add(send);
    command.promise.then(forget, forget);
    this.#listen();
    return command.promise;
  }

  #listen(): void {
    if (this.#listens) return;
    this.#listens = true;
    const sendAll = () => {
      for (const send of [...this.#waiting]) send();
    };
    this.on("ready", sendAll);
    this.on("end", sendAll); // the client rejects them, because it has ended
  }
}
