import type { GraphQLError, GraphQLSchema } from "graphql";
import type { Logger } from "pino";
import type { Contexts } from "../../api/create-context.js";
import type { Doorkeeper } from "../../api/sessions.js";
import type { Config } from "../../config/config.js";
import type { Readiness } from "../../redis/health.js";
import type { AddressOf } from "./address.js";
import type { Budgets } from "./budgets.js";
import type { Metrics } from "./metrics.js";
import type { Operations } from "./operations.js";

/** What all transports share: each rule for a request exists once, here or in what this refers to. */
export interface Gate {
  config: Config;
  schema: GraphQLSchema;
  contexts: Contexts;
  /** The address that a client's limits are counted by; undefined for programs on this machine. */
  addressOf: AddressOf;
  doorkeeper: Doorkeeper;
  budgets: Budgets;
  operations: Operations;
  metrics: Metrics;
  /** The error as a client may see it. */
  mask: (error: unknown) => GraphQLError;
  readiness: () => Promise<Readiness>;
  log: Logger;
}
