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

  /** @param sockets gives the number of open WebSockets @param followedRooms that of the rooms followed here */
  constructor(sockets: () => number, followedRooms: () => number) {
    collectDefaultMetrics({ register: this.registry });
    this.#gauge("palaver_sockets", "Open WebSockets.", sockets);
    this.#gauge("palaver_followed_rooms", "Rooms whose events this server follows.", followedRooms);
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
