import type { Stores } from "../api/context.js";
import { ConsumerRunner, LONGEST_WAIT } from "../consumers/runner.js";
import { ConsumerSweep } from "../consumers/sweep.js";
import type { Platform, Stop } from "../feature.js";
import { assistantAccount } from "./account.js";
import { sweptRooms } from "./assistant-rooms.js";
import { ASSISTANT } from "./keys.js";
import { Memory } from "./memory.js";
import type { Model } from "./model.js";
import { Replying } from "./replying.js";

/**
 * Runs an assistant worker in a server or in a program of its own. The assistant is online while it runs.
 * @returns a function that finishes the answers in progress and leaves other questions to other workers
 * @throws AssistantUnusable
 */
export async function runAssistant(platform: Platform, stores: Stores, model: Model): Promise<Stop> {
  const { config, redis, commands, scripts, lenient, name, log, limitedLog } = platform;
  const { messages, rooms, users, presence, assistant, passwords, answers, retries, deadLetters } = stores;
  const id = await assistantAccount(commands, users, passwords, config.assistantUsername);
  await assistant.look();

  const limits = { messages: config.assistantMemory, characters: config.assistantMemoryLength };
  const memory = new Memory({ messages, assistant, rooms, users }, limits);
  const lease = config.assistantLease * 1_000;
  const about = { assistantId: () => id, messageLength: config.messageLength, lease };
  const replying = new Replying(commands, scripts, { answers, memory, retries, deadLetters }, model, about, log);
  const reader = await redis.connectWaiting(LONGEST_WAIT);
  const runner = new ConsumerRunner(commands, reader, scripts, replying, { name, rooms: config.assistantRooms, lease }, limitedLog);
  await runner.start();
  await presence.opened(id);
  const sweep = new ConsumerSweep(commands, ASSISTANT, sweptRooms(commands, lenient, stores), name, log);
  return async () => {
    await Promise.all([runner.stop(config.assistantPatience * 1_000), sweep.stop()]);
    await presence.closed(id);
  };
}
