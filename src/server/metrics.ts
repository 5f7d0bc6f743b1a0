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

  /**
   * @param sockets gives the number of open WebSockets
   * @param followed the rooms followed here
   * @param assistant what Redis knows of it: every server tells the same
   * @param health whether Redis can be used
   */
  constructor(
    sockets: () => number,
    followed: { size: number; remembered: number; logReads: number },
    assistant: { waiting(): Promise<number>; ended(): Promise<Record<string, number>> },
    health: { up: boolean; evicts: boolean },
  ) {
    collectDefaultMetrics({ register: this.registry });
    this.#gauge("palaver_sockets", "Open WebSockets.", sockets);
    this.#gauge("palaver_redis_up", "1 while Redis can be used, as `/readyz` checks it; else 0.", () => Number(health.up));
    this.#gauge("palaver_redis_evicts", "1 if Redis may evict keys when it is full, which loses data; else 0.", () =>
      Number(health.evicts),
    );
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
    this.#assistant({ waiting: () => assistant.waiting(), ended: () => assistant.ended() });
  }

  /** What Redis tells of the assistant; nothing, rather than no metrics at all, while it is away. */
  #assistant({ waiting, ended }: { waiting(): Promise<number>; ended(): Promise<Record<string, number>> }): void {
    new Gauge({
      name: "palaver_assistant_requests",
      help: "Rooms in which something waits for the assistant, or is being answered; over all servers.",
      registers: [this.registry],
      async collect() {
        const count = await waiting().catch(() => undefined);
        if (count !== undefined) this.set(count);
      },
    });
    new Counter({
      name: "palaver_assistant_replies_total",
      help: "Answers of the assistant that have ended, by state (DONE, INCOMPLETE, CANCELLED, FAILED); over all servers.",
      labelNames: ["state"] as const,
      registers: [this.registry],
      async collect() {
        const counts = await ended().catch(() => undefined);
        if (!counts) return;
        this.reset();
        for (const [state, count] of Object.entries(counts)) this.inc({ state }, count);
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
