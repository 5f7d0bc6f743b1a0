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
import type { Counted } from "../counted.js";
import { refusal } from "../errors.js";
import { LONGEST_LIST } from "../relay.js";
import { allRootFields } from "./root-fields.js";

/**
 * Tokens in one document; GraphiQL's introspection, the longest one around, has about 400. Validation compares fields with
 * each other: of the worst document of this length that we found it takes about 10 ms.
 */
export const MOST_TOKENS = 1_000;

/** Values in one answer, counted before it is worked out: a page of 100 messages with all there is to them has 3,000. */
export const MOST_VALUES = 10_000;

/** Texts of messages that one operation can read or show, each as long as a text can be: 10 pages of 100, shown once. */
export const MOST_TEXTS = 2_000;

const WRITE = 500; // values that a field of a mutation counts for: at most 20 writes, or tries of a password, in one operation

const INTROSPECTION = 2_000; // values that `__schema` and `__type` count for: whole, ours has some 5,000, of few characters each

const MOST_DEPTH = 20; // fields within fields; each level may wait for Redis once more

const USUAL_PAGE = 50; // of a connection that is asked for without a length
const USUAL_LIST = 50; // of a list that has no length to ask for, such as `sessions`

const ROOMS = 2_500; // that a user is taken to have at most, until they are counted

/** What it takes to answer an operation, at most. */
export interface Cost {
  /** Values of the answer, and Redis commands. */
  values: number;
  /** Those commands. */
  commands: number;
  /** Texts of messages: each message is read once, and its text may be asked for under many names. */
  texts: number;
  /** Fields of a mutation. */
  writes: number;
}

interface Size extends Cost {
  /** How deep fields lie within fields. */
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
 * Makes sure that the answer cannot become too large: pages within pages multiply.
 * @param rooms an upper bound of the viewer's rooms
 * @throws ChatError QUERY_TOO_COMPLEX, which names the field of the operation that counts for most
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

  /** What a fragment costs; each is looked at once, however often and deep it is spread. */
  const known = new Map<string, Size>();
  const size = sizeOf(operation.selectionSet, root);
  if (size.depth > MOST_DEPTH) throw refusal("QUERY_TOO_COMPLEX", `Fields are nested more than ${MOST_DEPTH} deep.`);
  if (size.values > MOST_VALUES) {
    throw refusal(
      "QUERY_TOO_COMPLEX",
      `The answer could hold more than ${MOST_VALUES} values; a mutation's field counts for ${WRITE}.${largest("values")}`,
    );
  }
  if (size.texts > MOST_TEXTS) {
    throw refusal(
      "QUERY_TOO_COMPLEX",
      `More than ${MOST_TEXTS} texts of messages could be read and shown; each message counts, and each text that is asked for.${largest("texts")}`,
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

  /** Says which field of the operation counts for most. */
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

  /** How many entries a field's list has at most, or is taken to have; 1 for what is no list. */
  function entriesOf(field: GraphQLField<unknown, unknown>, node: FieldNode, parent: GraphQLCompositeType): number {
    const counted = (field.extensions.counted ?? {}) as Counted;
    const ofPage = field.args.find(({ name }) => name === "first");
    if (ofPage) {
      const { first, last, ids } = asked(field, node);
      if (Array.isArray(ids)) return Math.min(ids.length, LONGEST_LIST);
      // `last` goes before `first`, which has a default in some lists.
      const length = [last, first, ofPage.defaultValue].find((value) => typeof value === "number") ?? USUAL_PAGE;
      const most = counted.ownRooms ? Math.min(rooms, LONGEST_LIST) : LONGEST_LIST;
      return Math.min(Math.max(Number(length), 0), most); // a length beyond the longest list's is refused where the list is read
    }
    if (!isListType(getNullableType(field.type)) || parent.name.endsWith("Connection")) return 1;
    return counted.entries ?? USUAL_LIST;
  }

  function asked(field: GraphQLField<unknown, unknown>, node: FieldNode): Record<string, unknown> {
    try {
      return getArgumentValues(field, node, variables);
    } catch {
      return { first: LONGEST_LIST }; // a variable is missing: execution says so
    }
  }
}
