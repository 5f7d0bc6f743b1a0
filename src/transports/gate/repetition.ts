import { type DocumentNode, type FieldNode, type GraphQLSchema, getArgumentValues, getOperationAST, getVariableValues } from "graphql";
import type { Repetition } from "../../api/repeatable.js";
import { rootFields } from "./root-fields.js";

/** An operation that ran. */
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

/** A field of a mutation. `instead` is a sentence on what to do instead of a retry; undefined if the field is idempotent. */
interface Root {
  key: string;
  instead: string | undefined;
}

/**
 * Keeps `retryable` true only if the client can repeat the operation as it is. After an outage the server cannot know whether a mutation
 * was carried out; if one field was refused, the others were carried out.
 * @param errors as clients may see them
 * @param remake copies an error with another message and other extensions
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
    // A field that refuses has done nothing; an error in a field of its answer comes after it was carried out.
    const refused = extensions.code !== "UNAVAILABLE" && path.length === 1 ? path[0] : undefined;
    const instead = roots.find((root) => root.key !== refused && root.instead !== undefined)?.instead;
    if (instead === undefined) return error;
    const reason = extensions.code === "UNAVAILABLE" ? "Redis does not answer." : message;
    return remake(error, `${reason} This operation may still have been carried out, at least in part. ${instead}`, {
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
    const repetition = (field.extensions.repetition ?? { else: "Check before you repeat it." }) as Repetition;
    if (repetition === "safe") return undefined;
    if ("safeWith" in repetition && getArgumentValues(field, node, variables)[repetition.safeWith] != null) return undefined;
    return repetition.else;
  }
}
