import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** What `/metrics` tells Prometheus. */
export class Metrics {
  readonly registry = new Registry();

  readonly operations = new Counter({
    name: "palaver_operations_total",
    help: "GraphQL operations begun, by transport (http, websocket).",
    labelNames: ["transport"] as const,
    registers: [this.registry],
  });

  readonly executions = new Counter({
    name: "palaver_event_executions_total",
    help: "Events of subscriptions that were executed; one execution may serve any number of subscribers.",
    registers: [this.registry],
  });

  readonly errors = new Counter({
    name: "palaver_errors_total",
    help: "Errors given to clients, by code.",
    labelNames: ["code"] as const,
    registers: [this.registry],
  });

  /** @param sockets gives the number of open WebSockets @param followed the rooms followed here */
  constructor(sockets: () => number, followed: { size: number; remembered: number; logReads: number }) {
    collectDefaultMetrics({ register: this.registry });
    this.#gauge("palaver_sockets", "Open WebSockets.", sockets);
    this.#gauge("palaver_followed_rooms", "Rooms whose events this server follows.", () => followed.size);
    this.#gauge("palaver_remembered_characters", "JSON of newest events that is kept for who comes back.", () => followed.remembered);
    new Counter({
      name: "palaver_log_reads_total",
      help: "Reads of rooms' logs: at a room's first follower, and for who was away for longer than memory reaches.",
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(followed.logReads);
      },
    });
  }

  #gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(value());
      },
    });
  }
}
