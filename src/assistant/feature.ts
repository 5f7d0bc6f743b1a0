import { Counter, Gauge } from "prom-client";
import { DeadLetters } from "../consumers/dead-letters.js";
import { Hints } from "../consumers/hints.js";
import type { Feature } from "../feature.js";
import { AssistantUnusable } from "./account.js";
import { AnswerStore } from "./answer.store.js";
import { AssistantResolver, RetryResolver, UserAssistantResolver } from "./assistant.resolver.js";
import { AssistantStore } from "./assistant.store.js";
import { AssistantId } from "./assistant-id.js";
import { createModel } from "./create-model.js";
import { ASSISTANT, keysOfAssistant } from "./keys.js";
import { ReplyFeeds } from "./reply-feeds.js";
import { RetryStore } from "./retry.store.js";
import { runAssistant } from "./run.js";
import { settings } from "./settings.js";

declare module "../api/context.js" {
  interface Stores {
    replyFeeds: ReplyFeeds;
    assistant: AssistantStore;
    answers: AnswerStore;
    retries: RetryStore;
    deadLetters: DeadLetters;
  }
}

/** An assistant that answers in rooms. */
export const assistant: Feature = {
  name: "assistant",
  settings,
  lua: new URL("./lua/", import.meta.url),
  keysOfRoom: keysOfAssistant,
  stores({ commands, scripts, channels, config, log }, { bots, rooms, messages, mentions, messageConsumers, sends, attempts }) {
    const assistantId = new AssistantId(commands);
    const feeds = new ReplyFeeds(scripts, channels, rooms, log);
    const charge = attempts.limit("question", { points: config.questionsPerMinute, duration: 60 });
    const forAssistant = { assistantId, feeds, queue: config.assistantQueue };
    const hints = new Hints(commands, scripts, ASSISTANT, log);
    const assistant = new AssistantStore(commands, scripts, { rooms, messages }, forAssistant, charge, hints);
    bots.add(() => assistant.id);
    messageConsumers.add(assistant);
    scripts.watch((roomId) => assistant.isIn(roomId));
    const answers = new AnswerStore(scripts, sends, messageConsumers, () => assistantId.current);
    const retries = new RetryStore(rooms, messages, mentions, answers, assistant);
    const deadLetters = new DeadLetters(commands, ASSISTANT, (letter) => retries.revive(letter));
    return { replyFeeds: feeds, assistant, answers, retries, deadLetters };
  },
  resolvers: [UserAssistantResolver, AssistantResolver, RetryResolver],
  metrics(registry, { assistant }) {
    // While Redis is away, only these are missing.
    new Gauge({
      name: "palaver_assistant_requests",
      help: "Rooms in which a question waits for the assistant or is being answered, across all servers.",
      registers: [registry],
      async collect() {
        const count = await assistant.waiting().catch(() => undefined);
        if (count !== undefined) this.set(count);
      },
    });
    new Counter({
      name: "palaver_assistant_replies_total",
      help: "Ended answers of the assistant, by state (DONE, INCOMPLETE, CANCELLED, FAILED), across all servers.",
      labelNames: ["state"] as const,
      registers: [registry],
      async collect() {
        const counts = await assistant.ended().catch(() => undefined);
        if (!counts) return;
        this.reset();
        for (const [state, count] of Object.entries(counts)) this.inc({ state }, count);
      },
    });
  },
  async start(_platform, { assistant }) {
    await assistant.look();
    return undefined;
  },
  /** If a person's account has the assistant's username, the person keeps it, and the server runs without an assistant. */
  async serve(platform, stores) {
    if (!platform.config.assistant) return undefined;
    try {
      return await runAssistant(platform, stores, createModel(platform.config, platform.log));
    } catch (error) {
      if (!(error instanceof AssistantUnusable)) throw error;
      platform.log.warn(error.message);
      return undefined;
    }
  },
  async close({ assistant, replyFeeds }) {
    assistant.close();
    replyFeeds.close();
  },
};
