import { GraphQLError, type GraphQLErrorOptions } from "graphql";
import { ChatError, refusal } from "../errors.js";
import type { LimitedLog } from "../limited-log.js";
import { isRedisAway } from "../redis/connect.js";

/**
 * The error as a client may see it, on whatever transport: a refusal of the catalogue as it is, an outage of Redis as
 * UNAVAILABLE, a request that GraphQL itself refuses with GraphQL's sentence. Everything else is a bug of ours: it is
 * logged, with its cause, and nothing of it leaves the server.
 * @param hideSchema whether GraphQL's sentences must not suggest names of the schema
 */
export function maskError(error: unknown, log: LimitedLog, hideSchema = false): GraphQLError {
  const cause = rootCause(error);
  if (cause instanceof ChatError) return locate(cause, error);
  if (isRedisAway(cause)) return locate(refusal("UNAVAILABLE"), error);
  // With a path it came up while a field was worked out, which is no longer the request's fault.
  if (error instanceof GraphQLError && cause instanceof GraphQLError && !error.path) {
    const code = error.extensions.code ?? "BAD_USER_INPUT"; // a variable of the wrong type
    const message = hideSchema ? error.message.replace(/ ?Did you mean.+\?$/s, "") : error.message;
    return locate(new GraphQLError(message, { extensions: { code, retryable: false } }), error);
  }
  log.error(`failed: ${String(cause).slice(0, 100)}`, { err: cause }, "an operation failed for a reason of ours");
  return locate(refusal("INTERNAL_SERVER_ERROR"), error);
}

function rootCause(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
}

const LONGEST_MESSAGE = 500; // characters: some sentences repeat what the client sent, which may be long

function clip(message: string): string {
  return message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE).toWellFormed()}…` : message;
}

/** The error at the place in the operation where the other one came up. */
function locate({ message, extensions }: GraphQLError, at: unknown): GraphQLError {
  return new GraphQLError(clip(message), at instanceof GraphQLError ? { ...placeOf(at), extensions } : { extensions });
}

/** Where in an operation an error came up, as the options of a new one. */
export function placeOf({ nodes, source, positions, path }: GraphQLError): GraphQLErrorOptions {
  return { nodes: nodes ?? null, source: source ?? null, positions: positions ?? null, path: path ?? null };
}
