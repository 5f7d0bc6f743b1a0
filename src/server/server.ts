import "reflect-metadata"; // before anything with a decorator is loaded
import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { type Logger, pino } from "pino";
import type { Config } from "../config.js";
import { Channels } from "../delivery/channels.js";
import { FollowedRooms } from "../delivery/followed-rooms.js";
import { DemoBridge } from "../interop/bridge.js";
import { openDemoAccounts, seedDemoData } from "../interop/demo-data.js";
import { DemoListener } from "../interop/listener.js";
import { LimitedLog } from "../limited-log.js";
import { ExportStore } from "../messages/export.store.js";
import { MentionStore } from "../messages/mention.store.js";
import { MessageStore } from "../messages/message.store.js";
import { MessageChangeStore } from "../messages/message-change.store.js";
import { ReadStore } from "../messages/read.store.js";
import { RetentionSweep } from "../messages/retention.js";
import { readRoomEvent } from "../messages/room-event.js";
import { RoomEventStore } from "../messages/room-event.store.js";
import { SendLimit } from "../messages/send-limit.js";
import { Lease } from "../presence/lease.js";
import { PresenceStore } from "../presence/presence.store.js";
import { Transitions } from "../presence/transitions.js";
import { connectRedis, leniently, type RedisClient } from "../redis/connect.js";
import { startEmbeddedRedis } from "../redis/embedded.js";
import { Scripts } from "../redis/scripts.js";
import { GroupStore } from "../rooms/group.store.js";
import { MemberStore } from "../rooms/member.store.js";
import { RoomStore } from "../rooms/room.store.js";
import { TypingStore } from "../rooms/typing.store.js";
import { Attempts } from "../sessions/attempts.js";
import { Passwords } from "../sessions/password.js";
import { SessionStore } from "../sessions/session.store.js";
import { SessionWatches } from "../sessions/session-watch.js";
import { DirectoryStore } from "../users/directory.store.js";
import { UserStore } from "../users/user.store.js";
import type { Services } from "./context.js";
import { createHttpServer } from "./http.js";
import { maskError } from "./mask-error.js";
import { Metrics } from "./metrics.js";
import { buildApi } from "./schema.js";
import { type SocketServer, serveWebSockets } from "./websocket.js";

export interface RunningServer {
  /** Where it listens: `http://127.0.0.1:4000`. */
  url: string;
  /** The Redis it uses, the embedded one's address included. */
  redisUrls: string[];
  /** The demo apps' accounts that anyone can log into, since everyone knows their password. */
  openAccounts: string[];
  /** Lets what has begun finish, sends clients away, and ends; can be called twice. */
  stop(): Promise<void>;
}

const PATIENCE = 5_000; // ms that requests get to finish when the server stops

/**
 * Starts a server with everything it needs.
 * @throws RedisUnusable, or the error of listening (such as EADDRINUSE), with nothing left running
 */
export async function startServer(config: Config, log: Logger = pino({ level: config.logLevel })): Promise<RunningServer> {
  // What was started is stopped in the opposite order, also when a later step fails.
  const stops: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      for (const step of stops.reverse())
        await step().catch((err: Error) => log.warn({ err }, "a part of the server did not stop cleanly"));
    })();
    return stopping;
  };

  try {
    const embedded = config.redisUrls.length === 0;
    const redisUrls = embedded ? [await startRedis()] : config.redisUrls;
    const redis = await connectRedis(redisUrls, embedded ? undefined : config.redisPassword, log);
    stops.push(() => redis.close());

    const limitedLog = new LimitedLog(log);
    const lenient = leniently(limitedLog);
    const scripts = new Scripts(redis.commands, config.roomLogLength);
    const channels = new Channels(redis.subscriber, log);
    const followed = new FollowedRooms(channels, scripts, readRoomEvent, log);
    stops.push(async () => followed.close());
    const users = new UserStore(redis.commands, scripts, lenient);
    const passwords = new Passwords(config.bcryptCost);
    const attempts = new Attempts(redis.commands, config.rateLimits);
    const sessions = new SessionStore(scripts, users, passwords, attempts, config);
    const watches = new SessionWatches(sessions, channels, log);
    stops.push(async () => watches.close());
    const members = new MemberStore(redis.commands, scripts, users);
    const rooms = new RoomStore(redis.commands, followed, channels, lenient, members);
    const server = randomUUID();
    const directory = new DirectoryStore(scripts, users, server, log);
    stops.push(() => directory.stop());
    const demos = new DemoBridge(redis.commands, users, config.interop, server, log);
    const mentions = new MentionStore(redis.commands, users, rooms, lenient);
    const messages = new MessageStore(scripts, rooms, lenient, limitedLog, mentions, config, (stored) => demos.messageStored(stored));
    const reads = new ReadStore(redis.commands, scripts, channels, rooms);
    const messageChanges = new MessageChangeStore(scripts, rooms, messages, mentions, config);
    const lifetime = { server, seconds: config.presenceLease, grace: config.presenceGrace };
    const presence = new PresenceStore(redis.commands, scripts, lenient, lifetime, (transition) => demos.presenceChanged(transition));
    const transitions = new Transitions(redis.commands, channels, log);
    const { sendsPerSecond: perSecond, sendBurst: burst } = config;
    const sendLimit = config.rateLimits ? new SendLimit(scripts, { perSecond, burst }) : undefined;
    const typing = new TypingStore(redis.commands, channels, rooms, (viewer, onEnd) => watches.start(viewer, onEnd), log);
    stops.push(async () => typing.close());

    if (config.demoData) await seedDemoData(redis.commands, scripts, passwords);
    const openAccounts = await openDemoAccounts(users, passwords);
    const services: Services = {
      groups: new GroupStore(redis.commands, scripts, rooms, members, users),
      members,
      mentions,
      directory,
      exports: new ExportStore(messages, users, (userId) => attempts.exportRoom(userId)),
      messages,
      messageChanges,
      presence,
      reads,
      rooms,
      roomEvents: new RoomEventStore(followed, rooms, reads),
      sendLimit,
      sessions,
      transitions,
      typing,
      users,
      redisAnswers: () => answers(redis.commands),
      // Of a database that merely has such accounts the operator hears; the public is not shown the way in.
      demoAccounts: config.demoData ? openAccounts : [],
    };

    if (config.interop !== "off") await hearDemos();
    void directory.index();
    const sweep = new RetentionSweep(redis.commands, scripts, lenient, config, server, log);
    stops.push(() => sweep.stop());

    const lease = new Lease(redis.commands, presence, log, lifetime, () => transitions.catchUp());
    await lease.start();
    stops.push(() => demos.finish());
    stops.push(() => lease.stop());

    let sockets: SocketServer | undefined;
    const metrics = new Metrics(() => sockets?.size ?? 0, followed);
    const mask = (error: unknown) => {
      const masked = maskError(error, limitedLog, !config.introspection);
      metrics.errors.inc({ code: String(masked.extensions.code) });
      return masked;
    };
    const parts = { config, schema: await buildApi(), services, watches, metrics, mask, log };
    const http = await createHttpServer(parts);
    sockets = serveWebSockets(http.server, parts);
    stops.push(async () => {
      const cut = setTimeout(() => http.server.closeAllConnections(), PATIENCE);
      await http.close();
      clearTimeout(cut);
    });
    stops.push(sockets.stop);
    await http.listen({ host: config.host, port: config.port });

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

/** Whether Redis answers, for people and load balancers. */
async function answers(redis: RedisClient): Promise<boolean> {
  try {
    return (await redis.ping()) === "PONG";
  } catch {
    return false;
  }
}
