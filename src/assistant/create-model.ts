import type { Logger } from "pino";
import type { Config } from "../config/config.js";
import { createCompanion } from "./companion.js";
import { createEndpoint } from "./endpoint.js";
import type { Model } from "./model.js";

type ModelConfig = Pick<
  Config,
  "assistantUrl" | "assistantModel" | "assistantKey" | "assistantPrompt" | "assistantTimeout" | "assistantMaxTokens"
>;

/** The model at ASSISTANT_URL; without that setting, the offline companion, which needs nothing. */
export function createModel(config: ModelConfig, log: Logger): Model {
  const { assistantUrl: url, assistantModel: model } = config;
  if (url === undefined || model === undefined) {
    log.info("the offline companion answers; set ASSISTANT_URL and ASSISTANT_MODEL to use a model");
    return createCompanion();
  }
  log.info({ host: new URL(url).host, model }, "the assistant uses a model");
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
