import {
  type ASTVisitor,
  type DirectiveNode,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
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
import { Memo } from "../../util/memo.js";
import { MOST_TOKENS } from "./cost.js";
import { placeOf } from "./mask-error.js";
import { conditionAtRoot } from "./root-fields.js";

/**
 * A subscription has one root field, without `@skip` or `@include`: https://spec.graphql.org/September2025/#sec-Single-Root-Field.
 * graphql-js 16 checks only the number. Its rule throws on a condition with a variable, and its execution throws if no field remains.
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
  new GraphQLError(`@${condition.name.value} is not allowed on the field of a subscription. Remove it.`, { nodes: condition });

const MOST_KEPT = 100_000; // characters of all cached documents; parsed, each character takes 150 bytes or more
const LONGEST_KEPT = 8_192; // characters; usual clients send shorter documents, and many long ones suggest an attack

/** Maximum number of fields with one response name in one selection set: validation compares all pairs, and clients write a field once. */
const MOST_ALIKE = 20;
const MOST_FRAGMENTS = 60; // of a document: validation compares all pairs of them, too
const MOST_ERRORS = 10; // of a document, that a client gets; graphql-js adds one that says so

/** Parses and validates documents. Caches the valid ones that were used last, and returns the same object for the same text. */
export class Documents {
  readonly #schema: GraphQLSchema;
  readonly #rules: readonly ValidationRule[];
  readonly #kept = new Memo<DocumentNode>(MOST_KEPT, LONGEST_KEPT);

  /** @param introspection whether clients may query the schema */
  constructor(schema: GraphQLSchema, introspection: boolean) {
    this.#schema = schema;
    const own = introspection ? [SubscriptionRootRule] : [SubscriptionRootRule, NoSchemaIntrospectionCustomRule];
    this.#rules = [...specifiedRules.filter((rule) => rule !== SingleFieldSubscriptionsRule), ...own];
  }

  /** The document, if it is cached. */
  known(query: string): DocumentNode | undefined {
    return this.#kept.get(query);
  }

  /** Takes up to about 10 ms. @returns the document, or its errors */
  read(query: string): DocumentNode | GraphQLError[] {
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens: MOST_TOKENS });
    } catch (error) {
      return [withCode(error as GraphQLError, "GRAPHQL_PARSE_FAILED")];
    }
    const repeated = tooOften(document);
    const problems = repeated ? [repeated] : validate(this.#schema, document, this.#rules, { maxErrors: MOST_ERRORS });
    if (problems.length > 0) return problems.map((problem) => withCode(problem, "GRAPHQL_VALIDATION_FAILED"));
    this.#kept.set(query, document);
    return document;
  }
}

/** The error for a field that appears too often in one selection set, or for too many fragments; undefined if there is none. */
function tooOften(document: DocumentNode): GraphQLError | undefined {
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  if (fragments.length > MOST_FRAGMENTS) return new GraphQLError(`The document has more than ${MOST_FRAGMENTS} fragments. Use fewer.`);
  let error: GraphQLError | undefined;
  visit(document, {
    SelectionSet({ selections }) {
      const times = new Map<string, number>();
      for (const node of selections) {
        if (node.kind !== "Field") continue;
        const name = (node.alias ?? node.name).value;
        const count = (times.get(name) ?? 0) + 1;
        times.set(name, count);
        if (count > MOST_ALIKE) error ??= new GraphQLError(`${name} appears more than ${MOST_ALIKE} times. Use it once.`, { nodes: node });
      }
    },
  });
  return error;
}

/** The error as clients see it: with a code, and without server internals. */
export function withCode(error: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(error.message, { ...placeOf(error), extensions: { code, retryable: false } });
}
