import {
  type ASTVisitor,
  type DirectiveNode,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  parse,
  SingleFieldSubscriptionsRule,
  specifiedRules,
  type ValidationContext,
  type ValidationRule,
  validate,
  visit,
} from "graphql";
import { Memo } from "../memo.js";
import { MOST_TOKENS } from "./cost.js";
import { placeOf } from "./mask-error.js";
import { conditionAtRoot } from "./root-fields.js";

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

const MOST_KEPT = 100_000; // characters of all documents that are kept; parsed they take 150 bytes each, and more
const LONGEST_KEPT = 8_192; // characters; clients have shorter ones, and who sends many long ones is up to something

/** Fields of one response name in one selection set. Validation compares each with each; clients write a field once. */
const MOST_ALIKE = 20;

/** Parses and validates what clients ask. What has been found right is kept, the documents used last, and given again as the same object. */
export class Documents {
  readonly #schema: GraphQLSchema;
  readonly #rules: readonly ValidationRule[];
  readonly #kept = new Memo<DocumentNode>(MOST_KEPT, LONGEST_KEPT);

  /** @param introspection whether clients may ask for the schema */
  constructor(schema: GraphQLSchema, introspection: boolean) {
    this.#schema = schema;
    const own = introspection ? [SubscriptionRootRule] : [SubscriptionRootRule, NoSchemaIntrospectionCustomRule];
    this.#rules = [...specifiedRules.filter((rule) => rule !== SingleFieldSubscriptionsRule), ...own];
  }

  /** The document, where it is known already. */
  known(query: string): DocumentNode | undefined {
    return this.#kept.get(query);
  }

  /** @returns the document, or what is wrong with it. It takes up to about 10 ms. */
  read(query: string): DocumentNode | GraphQLError[] {
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens: MOST_TOKENS });
    } catch (error) {
      return [withCode(error as GraphQLError, "GRAPHQL_PARSE_FAILED")];
    }
    const repeated = tooOften(document);
    const problems = repeated ? [repeated] : validate(this.#schema, document, this.#rules);
    if (problems.length > 0) return problems.map((problem) => withCode(problem, "GRAPHQL_VALIDATION_FAILED"));
    this.#kept.set(query, document);
    return document;
  }
}

/** The error for a field that one selection set has too often. */
function tooOften(document: DocumentNode): GraphQLError | undefined {
  let error: GraphQLError | undefined;
  visit(document, {
    SelectionSet({ selections }) {
      const times = new Map<string, number>();
      for (const node of selections) {
        if (node.kind !== "Field") continue;
        const name = (node.alias ?? node.name).value;
        const count = (times.get(name) ?? 0) + 1;
        times.set(name, count);
        if (count > MOST_ALIKE) error ??= new GraphQLError(`${name} is asked for more than ${MOST_ALIKE} times here.`, { nodes: node });
      }
    },
  });
  return error;
}

/** The error as clients see it: without what it knows of the server's insides, and with a code. */
export function withCode(error: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(error.message, { ...placeOf(error), extensions: { code, retryable: false } });
}
