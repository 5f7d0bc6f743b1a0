import "reflect-metadata"; // before anything with a decorator is loaded
import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { type Logger, pino } from "pino";
import { AssistantUnusable } from "../assistant/account.js";
import { createModel } from "../assistant/model.js";
import type { Config } from "../config.js";
import { openDemoAccounts, seedDemoData } from "../interop/demo-data.js";
import { DemoListener } from "../interop/listener.js";
import { RetentionSweep } from "../messages/retention.js";
import { Lease } from "../presence/lease.js";
import { connectRedis } from "../redis/connect.js";
import { startEmbeddedRedis } from "../redis/embedded.js";
import { GuestSweep } from "../users/guest-sweep.js";
import { addressesBehind } from "./address.js";
import { Budgets } from "./budget.js";
import type { Services } from "./context.js";
import { createHttpServer } from "./http.js";
import { maskError } from "./mask-error.js";
import { Metrics } from "./metrics.js";
import { Operations } from "./operations.js";
import { buildApi } from "./schema.js";
import { stopInOrder } from "./stop.js";
import { accessOf, createStores } from "./stores.js";
import { type SocketServer, serveWebSockets } from "./websocket.js";
import { runAssistant } from "./worker.js";

export interface RunningServer {
  /** The server's address, such as `http://127.0.0.1:4000`. */
  url: string;
  /** The addresses of its Redis, which may be the embedded one. */
  redisUrls: string[];
  /** Usernames of the demo accounts that still have their well-known password. */
  openAccounts: string[];
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

    const parts = createStores(config, redis, randomUUID(), log);
    stops.push(parts.close);
    announceStop = () => parts.health.announceStop();
    await parts.health.start();
    const { health, userIds, scripts, lenient, limitedLog, followed, passwords, watches, demos, lifetime } = parts;
    const { directory, messages, presence, transitions, users } = parts.services;

    await userIds.watch(); // before the demo data, which needs an empty database
    if (config.demoData) await seedDemoData(redis.commands, scripts, passwords);
    const openAccounts = await openDemoAccounts(users, passwords);
    // Without DEMO_DATA, only the operator learns of open demo accounts in the database; the API does not list them.
    const services: Services = { ...parts.services, demoAccounts: config.demoData ? openAccounts : [] };
    if (config.interop !== "off") await hearDemos();
    void directory.index();
    users.names.index().catch((err: Error) => log.debug({ err }, "could not index the usernames; the next sign-up tries again"));
    const sweep = new RetentionSweep(redis.commands, scripts, lenient, config, lifetime.server, log);
    stops.push(() => sweep.stop());
    const guestSweep = new GuestSweep(redis.commands, scripts, { ...parts.services, guests: parts.guests }, config.guestKeep, log);
    stops.push(() => guestSweep.stop());

    const lease = new Lease(redis.commands, presence, log, lifetime, () => transitions.catchUp());
    await lease.start();
    stops.push(() => demos.finish());
    stops.push(() => lease.stop());
    await parts.assistantId.look();
    if (config.assistant) await answerItself();

    let sockets: SocketServer | undefined;
    const metrics = new Metrics(() => sockets?.size ?? 0, followed, services.assistant, health);
    const mask = (error: unknown) => {
      const masked = maskError(error, limitedLog, !config.introspection);
      metrics.errors.inc({ code: String(masked.extensions.code) });
      return masked;
    };
    const addressOf = addressesBehind(config.proxies, log);
    const schema = await buildApi();
    const budgets = new Budgets(config.rateLimits);
    const operations = new Operations(schema, config.introspection, (userId) => services.rooms.countOf(userId), mask);
    const forClients = { config, addressOf, schema, services, watches, budgets, operations, metrics, mask, log };
    const http = await createHttpServer(forClients);
    sockets = serveWebSockets(http.server, forClients);
    stops.push(async () => {
      const cut = setTimeout(() => http.server.closeAllConnections(), PATIENCE);
      await http.close();
      clearTimeout(cut);
    });
    stops.push(sockets.stop);
    await http.listen({ host: config.host, port: config.port });

    /** If a person's account has the assistant's username, the person keeps it, and the server runs without an assistant. */
    async function answerItself(): Promise<void> {
      try {
        const assistant = await runAssistant(config, redis, parts, createModel(config, log), log);
        stops.push(() => assistant.stop());
      } catch (error) {
        if (!(error instanceof AssistantUnusable)) throw error;
        log.warn(error.message);
      }
    }

    async function hearDemos(): Promise<void> {
      const demoListener = new DemoListener(await redis.connectListener(), { messages, presence, users }, limitedLog, () =>
        followed.catchUp(),
      );
      await demoListener.start();
      stops.push(async () => demoListener.stop());
    }

    const { port } = http.server.address() as AddressInfo;
    return { url: `http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${port}`, redisUrls, openAccounts, stop };
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
