import { GraphQLError, type GraphQLErrorOptions } from "graphql";
import { isRedisAway } from "../../redis/connect.js";
import { ChatError, refusal } from "../../util/errors.js";
import type { LimitedLog } from "../../util/limited-log.js";

/**
 * The error as a client may see it, on any transport: a ChatError as it is, an outage of Redis as UNAVAILABLE, and GraphQL's own refusal
 * of a request with GraphQL's sentence. Any other error is a bug in Palaver: the server logs it with its cause, and hides it from clients.
 * @param hideSchema whether to cut suggestions of schema names from GraphQL's sentences
 */
export function maskError(error: unknown, log: LimitedLog, hideSchema = false): GraphQLError {
  const cause = rootCause(error);
  if (cause instanceof ChatError) return locate(cause, error);
  if (isRedisAway(cause)) return locate(refusal("UNAVAILABLE"), error);
  // An error with a path came up while a field was resolved, so the request is not at fault.
  if (error instanceof GraphQLError && cause instanceof GraphQLError && !error.path) {
    const code = error.extensions.code ?? "BAD_USER_INPUT"; // a variable of the wrong type
    const message = hideSchema ? error.message.replace(/ ?Did you mean.+\?$/s, "") : error.message;
    return locate(new GraphQLError(message, { extensions: { code, retryable: false } }), error);
  }
  log.error(`failed: ${String(cause).slice(0, 100)}`, { err: cause }, "an operation failed unexpectedly; its client gets an error");
  return locate(refusal("INTERNAL_SERVER_ERROR"), error);
}

function rootCause(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
}

const LONGEST_MESSAGE = 500; // characters: some sentences repeat text from the client, which may be long

function clip(message: string): string {
  return message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE).toWellFormed()}…` : message;
}

/** The first error, with the place in the operation of the second. */
function locate({ message, extensions }: GraphQLError, at: unknown): GraphQLError {
  return new GraphQLError(clip(message), at instanceof GraphQLError ? { ...placeOf(at), extensions } : { extensions });
}

/** The place in the operation where an error came up, as options for a new error. */
export function placeOf({ nodes, source, positions, path }: GraphQLError): GraphQLErrorOptions {
  return { nodes: nodes ?? null, source: source ?? null, positions: positions ?? null, path: path ?? null };
}
