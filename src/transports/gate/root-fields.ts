import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  getDirectiveValues,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from "graphql";

/**
 * The root fields of an operation that run, including those in fragments, without those that `@skip` or `@include` removes.
 * @param variables with their defaults
 * @throws GraphQLError if a directive's variable is missing
 */
export function rootFields(document: DocumentNode, operation: OperationDefinitionNode, variables: Record<string, unknown>): FieldNode[] {
  const fields: FieldNode[] = [];
  walkRoot(document, operation.selectionSet, (selection) => {
    if (getDirectiveValues(GraphQLSkipDirective, selection, variables)?.if === true) return false;
    if (getDirectiveValues(GraphQLIncludeDirective, selection, variables)?.if === false) return false;
    if (selection.kind === Kind.FIELD) fields.push(selection);
    return true;
  });
  return fields;
}

/** All root fields of an operation, regardless of `@skip` and `@include`. */
export function allRootFields(document: DocumentNode, operation: OperationDefinitionNode): FieldNode[] {
  const fields: FieldNode[] = [];
  walkRoot(document, operation.selectionSet, (selection) => {
    if (selection.kind === Kind.FIELD) fields.push(selection);
    return true;
  });
  return fields;
}

/** The first `@skip` or `@include` on the root field of a subscription, or on a fragment around it; undefined for any other operation. */
export function conditionAtRoot(document: DocumentNode, operation: OperationDefinitionNode): DirectiveNode | undefined {
  let found: DirectiveNode | undefined;
  if (operation.operation !== "subscription") return undefined;
  walkRoot(document, operation.selectionSet, ({ directives }) => {
    found ??= directives?.find(({ name }) => name.value === GraphQLSkipDirective.name || name.value === GraphQLIncludeDirective.name);
    return found === undefined;
  });
  return found;
}

/**
 * Visits the root selections of an operation, including fragments and their contents, each fragment once.
 * @param visit returns whether to visit the selection's contents
 */
function walkRoot(document: DocumentNode, root: SelectionSetNode, visit: (selection: SelectionNode) => boolean): void {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  const spread = new Set<string>();
  walk(root);

  function walk({ selections }: SelectionSetNode): void {
    for (const selection of selections) {
      if (!visit(selection)) continue;
      if (selection.kind === Kind.INLINE_FRAGMENT) walk(selection.selectionSet);
      if (selection.kind !== Kind.FRAGMENT_SPREAD || spread.has(selection.name.value)) continue;
      spread.add(selection.name.value);
      const fragment = fragments.get(selection.name.value);
      if (fragment) walk(fragment.selectionSet);
    }
  }
}
