import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  getNullableType,
  getOperationAST,
  isCompositeType,
  isListType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from "graphql";
import type { Counted } from "../../api/counted.js";
import { LONGEST_LIST } from "../../api/relay.js";
import { refusal } from "../../util/errors.js";
import { allRootFields } from "./root-fields.js";

/**
 * Maximum number of tokens in a document. GraphiQL's introspection, the longest common one, has about 400. Validation compares fields
 * with each other: it takes about 10 ms for the worst known document of this length.
 */
export const MOST_TOKENS = 1_000;

/** Maximum number of values in one answer, counted before execution. A page of 100 messages with all fields has 3,000. */
export const MOST_VALUES = 10_000;

/** Maximum number of message texts that one operation can read or return, each of any allowed length: 10 pages of 100, returned once. */
export const MOST_TEXTS = 2_000;

const WRITE = 500; // values that a field of a mutation counts for: at most 19 writes, or password attempts, in one operation

const INTROSPECTION = 2_000; // values that `__schema` and `__type` count for: the whole schema has about 5,000, of few characters each

const MOST_DEPTH = 20; // nested fields; each level may wait for Redis again

const USUAL_PAGE = 50; // entries of a connection without a requested length
const USUAL_LIST = 50; // entries of a list without a length argument, such as `sessions`

const ROOMS = 2_500; // assumed upper bound of a user's rooms, until they are counted

/** Upper bounds of the work for an answer. */
export interface Cost {
  /** Values of the answer, and Redis commands. */
  values: number;
  /** Those commands. */
  commands: number;
  /** Texts of messages: each message is read once, but its text may be requested under many aliases. */
  texts: number;
  /** Fields of a mutation. */
  writes: number;
}

interface Size extends Cost {
  /** How deep fields are nested. */
  depth: number;
}

const NOTHING: Size = { values: 0, commands: 0, texts: 0, writes: 0, depth: 0 };

const together = (one: Size, other: Size): Size => ({
  values: one.values + other.values,
  commands: one.commands + other.commands,
  texts: one.texts + other.texts,
  writes: one.writes + other.writes,
  depth: Math.max(one.depth, other.depth),
});

/**
 * Computes the cost of an operation, to refuse answers that could become too large: pages within pages multiply.
 * @param rooms an upper bound of the viewer's rooms
 * @throws ChatError QUERY_TOO_COMPLEX; it names the most expensive field of the operation
 */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Record<string, unknown>,
  rooms = ROOMS,
): Cost {
  const operation = getOperationAST(document, operationName);
  const root = operation && schema.getRootType(operation.operation);
  if (!operation || !root) return NOTHING;
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);

  /** The cost of each fragment, computed once, however often and deep it is spread. */
  const known = new Map<string, Size>();
  const size = sizeOf(operation.selectionSet, root);
  if (size.depth > MOST_DEPTH) throw refusal("QUERY_TOO_COMPLEX", `Fields are nested more than ${MOST_DEPTH} levels deep.`);
  if (size.values > MOST_VALUES) {
    throw refusal(
      "QUERY_TOO_COMPLEX",
      `The answer could hold more than ${MOST_VALUES} values; a mutation's field counts for ${WRITE}.${largest("values")}`,
    );
  }
  if (size.texts > MOST_TEXTS) {
    throw refusal(
      "QUERY_TOO_COMPLEX",
      `The answer could need more than ${MOST_TEXTS} message texts; each message and each requested text counts.${largest("texts")}`,
    );
  }
  return size;

  function sizeOf(selectionSet: SelectionSetNode, parent: GraphQLCompositeType): Size {
    return selectionSet.selections.map((selection) => sizeOfSelection(selection, parent)).reduce(together, NOTHING);
  }

  function sizeOfSelection(selection: SelectionNode, parent: GraphQLCompositeType): Size {
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      return sizeOf(selection.selectionSet, typeNamed(selection.typeCondition?.name.value) ?? parent);
    }
    if (selection.kind === Kind.FRAGMENT_SPREAD) return sizeOfFragment(selection.name.value);
    const field = "getFields" in parent ? parent.getFields()[selection.name.value] : undefined;
    const type = field && getNamedType(field.type);
    const counted = (field?.extensions.counted ?? {}) as Counted;
    const writes = parent === schema.getMutationType() ? 1 : 0;
    const commands = (counted.commands ?? 0) + Math.min((counted.commandsPerRoom ?? 0) * rooms, MOST_VALUES / 2);
    const texts = counted.texts ?? 0;
    const spare = counted.spareTexts ?? 0;
    if (selection.name.value.startsWith("__") && selection.selectionSet) return { ...NOTHING, values: INTROSPECTION };
    const own: Size = { values: 1 + writes * WRITE + commands, commands, texts: texts + spare, writes, depth: 1 };
    if (!field || !selection.selectionSet || !isCompositeType(type)) return own;
    const entries = entriesOf(field, selection, parent);
    const within = sizeOf(selection.selectionSet, type);
    return {
      values: own.values + entries * within.values,
      commands: commands + entries * within.commands,
      texts: spare + entries * (texts + within.texts),
      writes,
      depth: within.depth + 1,
    };
  }

  function sizeOfFragment(name: string): Size {
    const fragment = fragments.get(name);
    const type = typeNamed(fragment?.typeCondition.name.value);
    if (!fragment || !type) return NOTHING;
    const size = known.get(name) ?? sizeOf(fragment.selectionSet, type);
    known.set(name, size);
    return size;
  }

  /** A sentence that names the most expensive field of the operation. */
  function largest(what: "values" | "texts"): string {
    const fields = allRootFields(document, operation as OperationDefinitionNode).map((node) => ({
      name: node.alias?.value ?? node.name.value,
      count: sizeOfSelection(node, root as GraphQLObjectType)[what],
    }));
    const [most] = fields.sort((one, other) => other.count - one.count);
    return most ? ` ${most.name} alone counts for ${most.count}.` : "";
  }

  function typeNamed(name: string | undefined): GraphQLCompositeType | undefined {
    const type = name === undefined ? undefined : schema.getType(name);
    return isCompositeType(type) ? type : undefined;
  }

  /** The maximum or assumed number of entries in a field's list; 1 if the field is not a list. */
  function entriesOf(field: GraphQLField<unknown, unknown>, node: FieldNode, parent: GraphQLCompositeType): number {
    const counted = (field.extensions.counted ?? {}) as Counted;
    const ofPage = field.args.find(({ name }) => name === "first");
    if (ofPage) {
      const { first, last, ids } = asked(field, node);
      if (Array.isArray(ids)) return Math.min(ids.length, LONGEST_LIST);
      // `last` comes first here, because `first` has a default in some lists.
      const length = [last, first, ofPage.defaultValue].find((value) => typeof value === "number") ?? USUAL_PAGE;
      const most = counted.ownRooms ? Math.min(rooms, LONGEST_LIST) : LONGEST_LIST;
      return Math.min(Math.max(Number(length), 0), most); // the reader of the list refuses a longer length
    }
    if (!isListType(getNullableType(field.type)) || parent.name.endsWith("Connection")) return 1;
    return counted.entries ?? USUAL_LIST;
  }

  function asked(field: GraphQLField<unknown, unknown>, node: FieldNode): Record<string, unknown> {
    try {
      return getArgumentValues(field, node, variables);
    } catch {
      return { first: LONGEST_LIST }; // a variable is missing: execution reports it
    }
  }
}
