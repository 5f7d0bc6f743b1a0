import type { Logger } from "pino";
import type { Config } from "../config.js";
import { createCompanion } from "./companion.js";
import { createEndpoint } from "./endpoint.js";
import type { ANEW } from "./reasoning.js";

/** One turn of a conversation, oldest first; `name` is who said it, where several people talk. */
export interface Turn {
  role: "user" | "assistant";
  text: string;
  name?: string | undefined;
}

/** What comes next of an answer. After ANEW it begins again: what came before it was no part of it. */
export type Piece = string | typeof ANEW;

/** What thinks of answers. */
export interface Model {
  /**
   * Pieces of the answer as they come; at least one, none empty. Where the last turn is the assistant's, its answer goes on there.
   * @throws ModelFailure with a sentence that may be shown to people, also after pieces where these are not the whole answer;
   *   what `signal` was aborted with, once it is aborted
   */
  answer(turns: Turn[], signal: AbortSignal): AsyncIterable<Piece>;
}

export { ANEW } from "./reasoning.js";
export { ModelFailure } from "./trouble.js";

type ModelConfig = Pick<
  Config,
  "assistantUrl" | "assistantModel" | "assistantKey" | "assistantPrompt" | "assistantTimeout" | "assistantMaxTokens"
>;

/** The model at ASSISTANT_URL, or without one the companion, which needs nothing. */
export function createModel(config: ModelConfig, log: Logger): Model {
  const { assistantUrl: url, assistantModel: model } = config;
  if (url === undefined || model === undefined) {
    log.info("the assistant is the offline companion; ASSISTANT_URL and ASSISTANT_MODEL give it a model");
    return createCompanion();
  }
  log.info({ host: new URL(url).host, model }, "the assistant has a model");
  return createEndpoint(
    {
      url,
      model,
      key: config.assistantKey,
      prompt: config.assistantPrompt,
      maxTokens: config.assistantMaxTokens,
      silence: config.assistantTimeout * 1_000,
    },
    log,
  );
}
