import { type DocumentNode, type FieldNode, type GraphQLSchema, getArgumentValues, getOperationAST, getVariableValues } from "graphql";
import type { Repetition } from "../repeatable.js";
import { rootFields } from "./root-fields.js";

/** An operation as it ran. */
export interface Ran {
  schema: GraphQLSchema;
  document: DocumentNode;
  operationName?: string | null | undefined;
  variableValues?: Record<string, unknown> | null | undefined;
}

interface ClientError {
  message: string;
  path?: readonly (string | number)[] | undefined;
  extensions?: Record<string, unknown> | undefined;
}

/** A field of a mutation, and what to do instead of repeating it; undefined where repeating it does nothing more. */
interface Root {
  key: string;
  instead: string | undefined;
}

/**
 * Sees to it that `retryable` is true only where the operation can be sent again as it is. An outage leaves it open whether a mutation
 * was carried out; and where one field was refused, the others were carried out.
 * @param errors as clients may see them
 * @param remake makes one with another message and other extensions
 */
export function onlyTrulyRetryable<E extends ClientError>(
  ran: Ran,
  errors: readonly E[],
  remake: (error: E, message: string, extensions: Record<string, unknown>) => E,
): E[] {
  let roots: Root[] | undefined;
  return errors.map((error) => {
    const { message, path, extensions } = error;
    if (extensions?.retryable !== true || !path) return error; // without a path nothing has run
    roots ??= rootsOf(ran);
    // A field that refuses by itself has done nothing yet; what is asked of its answer comes after it.
    const refused = extensions.code !== "UNAVAILABLE" && path.length === 1 ? path[0] : undefined;
    const instead = roots.find((root) => root.key !== refused && root.instead !== undefined)?.instead;
    if (instead === undefined) return error;
    const reason = extensions.code === "UNAVAILABLE" ? "Redis does not answer." : message;
    return remake(error, `${reason} This operation may have been carried out all the same, at least in part. ${instead}`, {
      ...extensions,
      retryable: false,
    });
  });
}

/** The fields of a mutation; none of another operation. */
function rootsOf({ schema, document, operationName, variableValues }: Ran): Root[] {
  const operation = getOperationAST(document, operationName);
  const type = schema.getMutationType();
  if (operation?.operation !== "mutation" || !type) return [];
  const given = variableValues ?? {};
  const variables = getVariableValues(schema, operation.variableDefinitions ?? [], given).coerced ?? given; // with their defaults
  const fields = type.getFields();
  return rootFields(document, operation, variables).map((node) => ({
    key: node.alias?.value ?? node.name.value,
    instead: insteadOf(node),
  }));

  function insteadOf(node: FieldNode): string | undefined {
    const field = fields[node.name.value];
    if (!field) return undefined; // __typename
    const repetition = (field.extensions.repetition ?? { else: "Look before you repeat it." }) as Repetition;
    if (repetition === "safe") return undefined;
    if ("safeWith" in repetition && getArgumentValues(field, node, variables)[repetition.safeWith] != null) return undefined;
    return repetition.else;
  }
}
