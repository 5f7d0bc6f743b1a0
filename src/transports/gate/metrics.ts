import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** The metrics that `/metrics` serves to Prometheus. */
export class Metrics {
  readonly registry = new Registry();

  readonly operations = new Counter({
    name: "palaver_operations_total",
    help: "GraphQL operations started, by transport (http, websocket).",
    labelNames: ["transport"] as const,
    registers: [this.registry],
  });

  readonly executions = new Counter({
    name: "palaver_event_executions_total",
    help: "Executions of subscription events; one execution can serve any number of subscribers.",
    registers: [this.registry],
  });

  readonly errors = new Counter({
    name: "palaver_errors_total",
    help: "Errors sent to clients, by code.",
    labelNames: ["code"] as const,
    registers: [this.registry],
  });

  /**
   * @param sockets returns the number of open WebSockets
   * @param followed rooms with subscribers on this server
   * @param health whether Redis can be used
   */
  constructor(
    sockets: () => number,
    followed: { size: number; remembered: number; logReads: number },
    health: { up: boolean; evicts: boolean },
  ) {
    collectDefaultMetrics({ register: this.registry });
    this.#gauge("palaver_sockets", "Open WebSockets.", sockets);
    this.#gauge("palaver_redis_up", "1 while Redis can be used, as checked for `/readyz`; else 0.", () => Number(health.up));
    this.#gauge("palaver_redis_evicts", "1 if Redis may evict keys when it is full, which loses data; else 0.", () =>
      Number(health.evicts),
    );
    this.#gauge("palaver_followed_rooms", "Rooms with subscribers on this server.", () => followed.size);
    this.#gauge("palaver_remembered_characters", "Characters of recent events' JSON kept in memory.", () => followed.remembered);
    new Counter({
      name: "palaver_log_reads_total",
      help: "Reads of rooms' logs: for a room's first subscriber, and for subscribers that resume from before the events in memory.",
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
