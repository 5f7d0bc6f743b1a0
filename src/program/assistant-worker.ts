import "reflect-metadata"; // before anything with a decorator is loaded
import { randomUUID } from "node:crypto";
import { type Logger, pino } from "pino";
import type { Model } from "../assistant/model.js";
import { runAssistant } from "../assistant/run.js";
import type { Config } from "../config/config.js";
import type { DeadLetters } from "../consumers/dead-letters.js";
import { features } from "../features.js";
import { connectRedis } from "../redis/connect.js";
import { accessOf, assemble } from "./platform.js";
import { stopInOrder } from "./stop.js";

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
  const { platform, stores, close } = assemble(config, redis, randomUUID(), log);
  const stops: (() => Promise<unknown>)[] = [() => redis.close(), close];
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= stopInOrder(stops.reverse(), log, config.assistantPatience * 1_000);
    return stopping;
  };
  try {
    for (const { start } of features) {
      const end = await start?.(platform, stores);
      if (end) stops.push(end);
    }
    stops.push(await runAssistant(platform, stores, model));
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs `work` on the dead letters, for `npm run worker -- --dead` and `--again`. */
export async function withDeadLetters<T>(config: Config, work: (letters: DeadLetters) => Promise<T>): Promise<T> {
  const log = pino({ level: "silent" }); // standard output is for people
  const redis = await connectRedis(config.redisUrls, accessOf(config), log);
  const { stores, close } = assemble(config, redis, randomUUID(), log);
  try {
    await stores.assistant.look();
    return await work(stores.deadLetters);
  } finally {
    await close();
    await redis.close();
  }
}
