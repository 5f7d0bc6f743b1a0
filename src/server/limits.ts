import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  getNullableType,
  getOperationAST,
  isCompositeType,
  isListType,
  Kind,
  type SelectionSetNode,
} from "graphql";
import { refusal } from "../errors.js";
import { LONGEST_PAGE } from "../relay.js";

/** Tokens in one operation; GraphiQL's introspection, the longest one around, has about 400. */
export const MOST_TOKENS = 2_000;

/** Values in one answer, counted before it is worked out: a page of 100 messages with all there is to them has 3,000. */
const MOST_VALUES = 10_000;

const USUAL_PAGE = 50; // of a connection that is asked for without a length
const USUAL_LIST = 50; // of a list that has no length to ask for, such as `rooms`

/**
 * Makes sure that the answer cannot become too large: pages within pages multiply.
 * @throws ChatError QUERY_TOO_COMPLEX
 */
export function checkCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Record<string, unknown>,
): void {
  const operation = getOperationAST(document, operationName);
  const root = operation && schema.getRootType(operation.operation);
  if (!operation || !root) return;
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);

  /** What a fragment costs; each is looked at once, however often and deep it is spread. */
  const known = new Map<string, number>();
  const values = costOf(operation.selectionSet, root);
  if (values > MOST_VALUES) throw refusal("QUERY_TOO_COMPLEX", MOST_VALUES);

  function costOf(selectionSet: SelectionSetNode, parent: GraphQLCompositeType): number {
    let cost = 0;
    for (const selection of selectionSet.selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        cost += costOf(selection.selectionSet, typeNamed(selection.typeCondition?.name.value) ?? parent);
      } else if (selection.kind === Kind.FRAGMENT_SPREAD) {
        cost += costOfFragment(selection.name.value);
      } else {
        const field = "getFields" in parent ? parent.getFields()[selection.name.value] : undefined;
        const type = field && getNamedType(field.type);
        if (!field || !selection.selectionSet || !isCompositeType(type))
          cost += 1; // introspection among them: GraphQL's own rules bound it
        else {
          const page = pageLength(field, selection);
          const entries = page ?? (isListType(getNullableType(field.type)) && !parent.name.endsWith("Connection") ? USUAL_LIST : 1);
          cost += 1 + entries * costOf(selection.selectionSet, type);
        }
      }
    }
    return cost;
  }

  function costOfFragment(name: string): number {
    const fragment = fragments.get(name);
    const type = typeNamed(fragment?.typeCondition.name.value);
    if (!fragment || !type) return 0;
    const cost = known.get(name) ?? costOf(fragment.selectionSet, type);
    known.set(name, cost);
    return cost;
  }

  function typeNamed(name: string | undefined): GraphQLCompositeType | undefined {
    const type = name === undefined ? undefined : schema.getType(name);
    return isCompositeType(type) ? type : undefined;
  }

  /** How many entries a connection is asked for; undefined for any other field. */
  function pageLength(field: GraphQLField<unknown, unknown>, node: Parameters<typeof getArgumentValues>[1]): number | undefined {
    if (!field.args.some(({ name }) => name === "first")) return undefined;
    const { first, last } = asked(field, node);
    const length = [first, last].find((value) => typeof value === "number") ?? USUAL_PAGE;
    return Math.min(Math.max(Number(length), 0), LONGEST_PAGE); // a length beyond that is refused where the page is read
  }

  function asked(field: GraphQLField<unknown, unknown>, node: Parameters<typeof getArgumentValues>[1]): Record<string, unknown> {
    try {
      return getArgumentValues(field, node, variables);
    } catch {
      return { first: LONGEST_PAGE }; // a variable is missing: execution says so
    }
  }
}
