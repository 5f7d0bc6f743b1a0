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
  type SelectionNode,
  type SelectionSetNode,
} from "graphql";
import { refusal } from "../errors.js";
import { LONGEST_LIST } from "../relay.js";

/**
 * Tokens in one document; GraphiQL's introspection, the longest one around, has about 400. Validation compares fields with
 * each other: of the worst document of this length that we found it takes about 10 ms.
 */
export const MOST_TOKENS = 1_000;

/** Values in one answer, counted before it is worked out: a page of 100 messages with all there is to them has 3,000. */
export const MOST_VALUES = 10_000;

const WRITE = 500; // values that a field of a mutation counts for: at most 20 writes, or tries of a password, in one operation

const MOST_DEPTH = 20; // fields within fields; each level may wait for Redis once more

const USUAL_PAGE = 50; // of a connection that is asked for without a length
const USUAL_LIST = 50; // of a list that has no length to ask for, such as `sessions`

/** What it takes to answer: how many values at most, and how deep fields lie within fields. */
interface Size {
  values: number;
  depth: number;
}

/**
 * Makes sure that the answer cannot become too large: pages within pages multiply.
 * @returns how many values the answer can have at most
 * @throws ChatError QUERY_TOO_COMPLEX
 */
export function checkCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Record<string, unknown>,
): number {
  const operation = getOperationAST(document, operationName);
  const root = operation && schema.getRootType(operation.operation);
  if (!operation || !root) return 0;
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);

  /** What a fragment costs; each is looked at once, however often and deep it is spread. */
  const known = new Map<string, Size>();
  const { values, depth } = sizeOf(operation.selectionSet, root);
  if (depth > MOST_DEPTH) throw refusal("QUERY_TOO_COMPLEX", `Fields are nested more than ${MOST_DEPTH} deep.`);
  if (values > MOST_VALUES) {
    throw refusal("QUERY_TOO_COMPLEX", `The answer could hold more than ${MOST_VALUES} values; a mutation's field counts for ${WRITE}.`);
  }
  return values;

  function sizeOf(selectionSet: SelectionSetNode, parent: GraphQLCompositeType): Size {
    const size: Size = { values: 0, depth: 0 };
    for (const selection of selectionSet.selections) {
      const { values, depth } = sizeOfSelection(selection, parent);
      size.values += values;
      size.depth = Math.max(size.depth, depth);
    }
    return size;
  }

  function sizeOfSelection(selection: SelectionNode, parent: GraphQLCompositeType): Size {
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      return sizeOf(selection.selectionSet, typeNamed(selection.typeCondition?.name.value) ?? parent);
    }
    if (selection.kind === Kind.FRAGMENT_SPREAD) return sizeOfFragment(selection.name.value);
    const field = "getFields" in parent ? parent.getFields()[selection.name.value] : undefined;
    const type = field && getNamedType(field.type);
    const own = parent === schema.getMutationType() ? WRITE : 1;
    // Introspection is among those that end here: GraphQL's own rules bound it.
    if (!field || !selection.selectionSet || !isCompositeType(type)) return { values: own, depth: 1 };
    const page = pageLength(field, selection);
    const entries = page ?? (isListType(getNullableType(field.type)) && !parent.name.endsWith("Connection") ? usualLength(field) : 1);
    const { values, depth } = sizeOf(selection.selectionSet, type);
    return { values: own + entries * values, depth: depth + 1 };
  }

  function sizeOfFragment(name: string): Size {
    const fragment = fragments.get(name);
    const type = typeNamed(fragment?.typeCondition.name.value);
    if (!fragment || !type) return { values: 0, depth: 0 };
    const size = known.get(name) ?? sizeOf(fragment.selectionSet, type);
    known.set(name, size);
    return size;
  }

  function typeNamed(name: string | undefined): GraphQLCompositeType | undefined {
    const type = name === undefined ? undefined : schema.getType(name);
    return isCompositeType(type) ? type : undefined;
  }

  /** How many entries are counted of a list without a length to ask for; its field may say so. */
  function usualLength({ extensions }: GraphQLField<unknown, unknown>): number {
    return typeof extensions.usually === "number" ? extensions.usually : USUAL_LIST;
  }

  /** How many entries a connection is asked for; undefined for any other field. */
  function pageLength(field: GraphQLField<unknown, unknown>, node: Parameters<typeof getArgumentValues>[1]): number | undefined {
    if (!field.args.some(({ name }) => name === "first")) return undefined;
    const { first, last, ids } = asked(field, node);
    if (Array.isArray(ids)) return Math.min(ids.length, LONGEST_LIST);
    const length = [first, last].find((value) => typeof value === "number") ?? USUAL_PAGE;
    return Math.min(Math.max(Number(length), 0), LONGEST_LIST); // a length beyond that is refused where the list is read
  }

  function asked(field: GraphQLField<unknown, unknown>, node: Parameters<typeof getArgumentValues>[1]): Record<string, unknown> {
    try {
      return getArgumentValues(field, node, variables);
    } catch {
      return { first: LONGEST_LIST }; // a variable is missing: execution says so
    }
  }
}
