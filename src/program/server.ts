import "reflect-metadata"; // before anything with a decorator is loaded
import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { type Logger, pino } from "pino";
import { Contexts } from "../api/create-context.js";
import type { Config } from "../config/config.js";
import { features } from "../features.js";
import { connectRedis } from "../redis/connect.js";
import { startEmbeddedRedis } from "../redis/embedded.js";
import { addressesBehind } from "../transports/gate/address.js";
import { Budgets } from "../transports/gate/budgets.js";
import type { Gate } from "../transports/gate/gate.js";
import { maskError } from "../transports/gate/mask-error.js";
import { Metrics } from "../transports/gate/metrics.js";
import { Operations } from "../transports/gate/operations.js";
import { createHttpServer } from "../transports/http/http.js";
import { type SocketServer, serveWebSockets } from "../transports/websocket/websocket.js";
import { accessOf, assemble, doorkeeperOf, loaders } from "./platform.js";
import { buildApi } from "./schema.js";
import { stopInOrder } from "./stop.js";

export interface RunningServer {
  /** The server's address, such as `http://127.0.0.1:4000`. */
  url: string;
  /** The addresses of its Redis, which may be the embedded one. */
  redisUrls: string[];
  /** Lines for the operator about what the features do. */
  welcome: string[];
  /** Finishes running requests, closes all sockets, and stops the server. Can be called repeatedly. */
  stop(): Promise<void>;
}

const PATIENCE = 5_000; // ms that requests get to finish when the server stops

/**
 * Starts a server and everything it needs.
 * @throws RedisUnusable, or the error of listening (such as EADDRINUSE), after stopping everything
 */
export async function startServer(config: Config, log: Logger = pino({ level: config.logLevel })): Promise<RunningServer> {
  // Everything started is stopped in reverse order, also if a later step fails.
  const stops: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | undefined;
  let announceStop = () => {};
  const stop = (): Promise<void> => {
    announceStop();
    stopping ??= stopInOrder(stops.reverse(), log);
    return stopping;
  };

  try {
    const embedded = config.redisUrls.length === 0;
    const redisUrls = embedded ? [await startRedis()] : config.redisUrls;
    const redis = await connectRedis(redisUrls, embedded ? {} : accessOf(config), log);
    stops.push(() => redis.close());

    const { platform, stores, close } = assemble(config, redis, randomUUID(), log);
    const { health, followed, limitedLog } = platform;
    stops.push(close);
    announceStop = () => health.announceStop();
    await health.start();
    for (const { start, serve } of features) {
      for (const run of [start, serve]) {
        const end = await run?.(platform, stores);
        if (end) stops.push(end);
      }
    }
    for (const { ready } of features) ready?.(platform, stores);

    let sockets: SocketServer | undefined;
    const metrics = new Metrics(() => sockets?.size ?? 0, followed, health);
    for (const feature of features) feature.metrics?.(metrics.registry, stores);
    const mask = (error: unknown) => {
      const masked = maskError(error, limitedLog, !config.introspection);
      metrics.errors.inc({ code: String(masked.extensions.code) });
      return masked;
    };
    const schema = await buildApi(features);
    const doorkeeper = doorkeeperOf(stores);
    const gate: Gate = {
      config,
      schema,
      contexts: new Contexts(stores, loaders),
      addressOf: addressesBehind(config.proxies, log),
      doorkeeper,
      budgets: new Budgets(config.rateLimits),
      operations: new Operations(schema, config.introspection, doorkeeper.roomsOf, mask),
      metrics,
      mask,
      readiness: stores.readiness,
      log,
    };
    const http = await createHttpServer(gate, (app, httpGate) => {
      for (const feature of features) feature.routes?.(app, stores, httpGate);
    });
    sockets = serveWebSockets(http.server, gate);
    stops.push(async () => {
      const cut = setTimeout(() => http.server.closeAllConnections(), PATIENCE);
      await http.close();
      clearTimeout(cut);
    });
    stops.push(sockets.stop);
    await http.listen({ host: config.host, port: config.port });

    const { port } = http.server.address() as AddressInfo;
    const url = `http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${port}`;
    return { url, redisUrls, welcome: features.flatMap((feature) => feature.welcome?.(config, stores) ?? []), stop };
  } catch (error) {
    await stop();
    throw error;
  }

  async function startRedis(): Promise<string> {
    const redis = await startEmbeddedRedis({ dataDir: config.dataDir, fsync: config.dataFsync, log });
    stops.push(() => redis.stop());
    return redis.url;
  }
}
