import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  type ValidationRule,
  validate,
} from "graphql";
import { checkCost, MOST_TOKENS } from "./limits.js";
import { placeOf } from "./mask-error.js";

/** The rules for operations beyond GraphQL's own, on every transport. */
export function extraRules(introspection: boolean): ValidationRule[] {
  return introspection ? [] : [NoSchemaIntrospectionCustomRule];
}

/**
 * Parses and validates what came over a socket, as Apollo does for HTTP: the same rules and the same codes.
 * @throws ChatError QUERY_TOO_COMPLEX
 */
export function prepare(
  schema: GraphQLSchema,
  rules: ValidationRule[],
  { query, operationName, variables }: Asked,
): DocumentNode | GraphQLError[] {
  let document: DocumentNode;
  try {
    document = parse(query, { maxTokens: MOST_TOKENS });
  } catch (error) {
    return [withCode(error as GraphQLError, "GRAPHQL_PARSE_FAILED")];
  }
  const problems = validate(schema, document, [...specifiedRules, ...rules]);
  if (problems.length > 0) return problems.map((problem) => withCode(problem, "GRAPHQL_VALIDATION_FAILED"));
  if (!getOperationAST(document, operationName)) {
    return [withCode(new GraphQLError("operationName: must name one of the document's operations."), "OPERATION_RESOLUTION_FAILURE")];
  }
  checkCost(schema, document, operationName, variables ?? {});
  return document;
}

/** An operation as a client asks for it. */
interface Asked {
  query: string;
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | null | undefined;
}

type Masked = (error: unknown) => GraphQLError;

/** Runs a query or a mutation; errors come out masked. */
export async function run(args: ExecutionArgs, mask: Masked): Promise<ExecutionResult> {
  const result = await execute(args);
  return result.errors ? { ...result, errors: result.errors.map(mask) } : result;
}

/**
 * Starts a subscription: each event is executed on its own, with a context of its own. Whatever ends it early, at the
 * start, between events, or by an event that cannot be told, arrives the same way: as one result with errors, after
 * which it is complete.
 */
export async function subscribe<Context>(
  args: ExecutionArgs,
  newContext: (context: Context) => Context,
  mask: Masked,
): Promise<AsyncGenerator<ExecutionResult, void, void> | ExecutionResult> {
  const source = await createSourceEventStream(args);
  if (!(Symbol.asyncIterator in source)) return source.errors ? { ...source, errors: source.errors.map(mask) } : source;

  const events = source[Symbol.asyncIterator]();
  let over = false;
  const done = { value: undefined, done: true } as const;
  const end = async () => {
    over = true;
    await events.return?.();
  };
  // Not an async generator function: its `return` would wait for the next event.
  const results: AsyncGenerator<ExecutionResult, void, void> = {
    async next() {
      if (over) return done;
      try {
        const { value, done: ended } = await events.next();
        if (ended) return done;
        const contextValue = newContext(args.contextValue as Context);
        const result = await run({ ...args, rootValue: value, contextValue }, mask);
        if (result.data == null) await end(); // an event that cannot be told would be a gap: the client starts again from its position
        return { value: result, done: false };
      } catch (error) {
        over = true;
        return { value: { errors: [mask(error)] }, done: false };
      }
    },
    async return() {
      await end();
      return done;
    },
    async throw(error) {
      await end();
      throw error;
    },
    [Symbol.asyncIterator]: () => results,
  };
  return results;
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(error.message, { ...placeOf(error), extensions: { code, retryable: false } });
}
