import {
  type ASTVisitor,
  type DirectiveNode,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  parse,
  SingleFieldSubscriptionsRule,
  specifiedRules,
  type ValidationContext,
  type ValidationRule,
  validate,
} from "graphql";
import { checkCost, MOST_TOKENS } from "./limits.js";
import { placeOf } from "./mask-error.js";
import { onlyTrulyRetryable, type Ran } from "./repetition.js";
import { conditionAtRoot } from "./root-fields.js";

/** The rules for operations beyond GraphQL's own, on every transport. */
export function extraRules(introspection: boolean): ValidationRule[] {
  return introspection ? [] : [NoSchemaIntrospectionCustomRule];
}

/**
 * A subscription has one field, and nothing leaves it out: https://spec.graphql.org/September2025/#sec-Single-Root-Field. graphql-js 16 has
 * the first half alone. On a condition with a variable its rule fails, and where nothing is left its execution does.
 */
function SubscriptionRootRule(context: ValidationContext): ASTVisitor {
  const { OperationDefinition: checkSingle } = SingleFieldSubscriptionsRule(context) as {
    OperationDefinition: (node: OperationDefinitionNode) => void;
  };
  return {
    OperationDefinition(node) {
      const condition = conditionAtRoot(context.getDocument(), node);
      if (condition) context.reportError(conditional(condition));
      else checkSingle(node);
    },
  };
}

const conditional = (condition: DirectiveNode) =>
  new GraphQLError(`The field of a subscription cannot be left out: @${condition.name.value} cannot stand there.`, { nodes: condition });

/** An operation as a client asks for it. */
interface Asked {
  query: string;
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | null | undefined;
}

const MOST_KEPT = 100_000; // characters of all documents that are kept; parsed they take 150 bytes each, and more
const LONGEST_KEPT = 8_192; // characters; clients have shorter ones, and who sends many long ones is up to something

/**
 * Parses and validates what clients ask. What has been found right is kept, the documents used last, and given again as the same object.
 */
export class Documents {
  readonly #schema: GraphQLSchema;
  readonly #rules: readonly ValidationRule[];
  readonly #kept = new Map<string, DocumentNode>();
  /** Characters of those. */
  #length = 0;

  constructor(schema: GraphQLSchema, rules: ValidationRule[]) {
    this.#schema = schema;
    this.#rules = [...specifiedRules.filter((rule) => rule !== SingleFieldSubscriptionsRule), SubscriptionRootRule, ...rules];
  }

  /**
   * @returns the document, and how many values its answer can have at most; or what is wrong with it
   * @throws ChatError QUERY_TOO_COMPLEX
   */
  prepare({ query, operationName: named, variables }: Asked): { document: DocumentNode; values: number } | GraphQLError[] {
    const operationName = named || null; // some clients say "" for none
    const document = this.#kept.get(query) ?? this.#read(query);
    if (!("kind" in document)) return document;
    this.#keep(query, document);
    if (!getOperationAST(document, operationName)) {
      return [withCode(new GraphQLError("operationName: must name one of the document's operations."), "OPERATION_RESOLUTION_FAILURE")];
    }
    return { document, values: checkCost(this.#schema, document, operationName, variables ?? {}) };
  }

  #read(query: string): DocumentNode | GraphQLError[] {
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens: MOST_TOKENS });
    } catch (error) {
      return [withCode(error as GraphQLError, "GRAPHQL_PARSE_FAILED")];
    }
    const problems = validate(this.#schema, document, this.#rules);
    return problems.length > 0 ? problems.map((problem) => withCode(problem, "GRAPHQL_VALIDATION_FAILED")) : document;
  }

  /** Puts the document last in the map's order, and lets the first ones go where it is too much. */
  #keep(query: string, document: DocumentNode): void {
    if (query.length > LONGEST_KEPT) return;
    if (!this.#kept.delete(query)) this.#length += query.length;
    this.#kept.set(query, document);
    for (const [oldest] of this.#kept) {
      if (this.#length <= MOST_KEPT) break;
      this.#kept.delete(oldest);
      this.#length -= oldest.length;
    }
  }
}

/** Runs a query or a mutation; errors come out masked. */
export async function run(args: ExecutionArgs, mask: (error: unknown) => GraphQLError): Promise<ExecutionResult> {
  const result = await execute(args);
  if (!result.errors) return result;
  const errors = onlyTrulyRetryable(
    args as Ran,
    result.errors.map(mask),
    (error, message, extensions) => new GraphQLError(message, { ...placeOf(error), extensions }),
  );
  return { ...result, errors };
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(error.message, { ...placeOf(error), extensions: { code, retryable: false } });
}
