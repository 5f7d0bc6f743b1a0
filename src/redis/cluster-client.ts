import { Cluster } from "ioredis";

type Sending = Parameters<Cluster["sendCommand"]>;

/**
 * A cluster's client that keeps `commandTimeout` while no node of the cluster can be reached, too. ioredis keeps commands in a queue
 * then, which has no end, and sends them however late: by then their callers have given up, and may have asked again.
 */
export class ClusterClient extends Cluster {
  /** What is to be sent once the cluster is back. */
  readonly #waiting = new Set<() => void>();

  #listens = false;

  override sendCommand(...sending: Sending): unknown {
    const [command] = sending;
    const timeout = this.options.redisOptions?.commandTimeout;
    if (command.isSettled) return command.promise;
    const isAway = /^(connecting|connect|close|reconnecting)$/.test(this.status) && command.name !== "cluster"; // with that it looks
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
    this.on("end", sendAll); // which fails them
  }
}
