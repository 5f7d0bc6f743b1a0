import "reflect-metadata"; // before anything with a decorator is loaded
import { randomUUID } from "node:crypto";
import { type Logger, pino } from "pino";
import { assistantAccount } from "../assistant/account.js";
import { DeadLetters } from "../assistant/dead-letters.js";
import { Memory } from "../assistant/memory.js";
import type { Model } from "../assistant/model.js";
import { QuestionSweep } from "../assistant/question-sweep.js";
import { Replying } from "../assistant/replying.js";
import { AssistantWorker, LONGEST_WAIT } from "../assistant/worker.js";
import type { Config } from "../config.js";
import { Lease } from "../presence/lease.js";
import { connectRedis, type RedisConnections } from "../redis/connect.js";
import { stopInOrder } from "./stop.js";
import { accessOf, createStores, type Parts } from "./stores.js";

export interface RunningWorker {
  /** Finishes the answers in progress, leaves other questions to other workers, and stops. Can be called repeatedly. */
  stop(): Promise<void>;
}

/**
 * Starts an assistant worker without a server.
 * @throws RedisUnusable, AssistantUnusable, after stopping everything
 */
export async function startWorker(config: Config, model: Model, log: Logger = pino({ level: config.logLevel })): Promise<RunningWorker> {
  const redis = await connectRedis(config.redisUrls, accessOf(config), log);
  const parts = createStores(config, redis, randomUUID(), log);
  const lease = new Lease(redis.commands, parts.services.presence, log, parts.lifetime, async () => {});
  let worker: RunningWorker | undefined;
  let stopping: Promise<void> | undefined;
  const stop = () => {
    const steps = [async () => worker?.stop(), () => lease.stop(), () => parts.demos.finish(), parts.close, redis.close];
    stopping ??= stopInOrder(steps, log, config.assistantPatience * 1_000);
    return stopping;
  };
  try {
    worker = await runAssistant(config, redis, parts, model, log);
    await lease.start();
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Runs an assistant worker with the parts of a server or a separate worker. The assistant is online while it runs.
 * @throws AssistantUnusable
 */
export async function runAssistant(
  config: Config,
  redis: RedisConnections,
  parts: Parts,
  model: Model,
  log: Logger,
): Promise<RunningWorker> {
  const { services, assistantId, scripts, lifetime } = parts;
  const { messages, rooms, users, presence, assistant, mentions } = services;
  const id = await assistantAccount(redis.commands, users, parts.passwords, config.assistantUsername);
  await assistantId.look();

  const limits = { messages: config.assistantMemory, characters: config.assistantMemoryLength };
  const memory = new Memory({ messages, assistant, rooms, users }, limits);
  const deadLetters = new DeadLetters(redis.commands, messages, assistant);
  const lease = config.assistantLease * 1_000;
  const replying = new Replying(
    redis.commands,
    scripts,
    { messages, memory, deadLetters },
    model,
    { assistantId: () => assistantId.current, messageLength: config.messageLength, lease },
    log,
  );
  const reader = await redis.connectWaiting(LONGEST_WAIT);
  const options = { name: lifetime.server, rooms: config.assistantRooms, lease };
  const worker = new AssistantWorker(redis.commands, reader, scripts, replying, options, parts.limitedLog);
  await worker.start();
  await presence.opened(id);
  const sweep = new QuestionSweep(redis.commands, parts.lenient, { assistant, mentions }, lifetime.server, log);
  return {
    async stop() {
      await Promise.all([worker.stop(config.assistantPatience * 1_000), sweep.stop()]);
      await presence.closed(id);
    },
  };
}

/** Runs `work` on the dead letters, for `npm run worker -- --dead` and `--again`. */
export async function withDeadLetters<T>(config: Config, work: (letters: DeadLetters) => Promise<T>): Promise<T> {
  const log = pino({ level: "silent" }); // standard output is for people
  const redis = await connectRedis(config.redisUrls, accessOf(config), log);
  const parts = createStores(config, redis, randomUUID(), log);
  try {
    await parts.assistantId.look();
    return await work(new DeadLetters(redis.commands, parts.services.messages, parts.services.assistant));
  } finally {
    await parts.close();
    await redis.close();
  }
}
