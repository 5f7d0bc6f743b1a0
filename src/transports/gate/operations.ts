import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
} from "graphql";
import type { Context } from "../../api/context.js";
import type { Viewer } from "../../api/sessions.js";
import { isRefusal } from "../../util/errors.js";
import type { UserId } from "../../util/ids.js";
import { Turns } from "../../util/turns.js";
import { LARGEST_ANSWER, sizeOfAnswer, tooLarge, workFor } from "./answer.js";
import { type Cost, costOf } from "./cost.js";
import { Documents, withCode } from "./documents.js";
import { placeOf } from "./mask-error.js";
import { type Payer, priceOf, type Share } from "./payer.js";
import { onlyTrulyRetryable, type Ran } from "./repetition.js";

/** An operation as requested by a client. */
export interface Asked {
  query: string;
  operationName?: string | null | undefined;
  variables?: { readonly [name: string]: unknown } | null | undefined;
}

/** An operation that may run. */
export interface Admitted {
  document: DocumentNode;
  operationName: string | null;
  cost: Cost;
  payer: Payer;
  /** The size that it has reserved. Has to be released when the answer has been sent, or if the operation does not run. */
  share: Share;
}

export interface Asker {
  payer: Payer;
  viewer: Viewer | null;
  /** Milliseconds that an operation may wait to begin; after that it is refused. */
  patience: number;
  /** Whether the client is gone, so that waiting operations do not begin. */
  isGone: () => boolean;
}

const OPERATION = 0.25; // ms for any operation: its frames, session, cost and context
const SLOWEST = 6e-3; // ms per character to parse and validate the worst known document
const MUTATION = 0.5; // ms per field of a mutation, including the time in Redis
const COMMAND = 0.01; // ms per Redis command that a field needs beyond the usual ones

/** Parses and runs the operations of clients, on every transport, and charges for them. */
export class Operations {
  readonly #schema: GraphQLSchema;
  readonly #documents: Documents;
  readonly #turns = new Turns(2); // operations of other clients take several turns of the event loop
  readonly #roomsOf: (userId: UserId) => Promise<number>;
  readonly #mask: (error: unknown) => GraphQLError;

  /**
   * @param introspection whether clients may request the schema
   * @param roomsOf returns an upper bound of a user's rooms
   * @param mask turns an error into one that clients may see
   */
  constructor(
    schema: GraphQLSchema,
    introspection: boolean,
    roomsOf: (userId: UserId) => Promise<number>,
    mask: (error: unknown) => GraphQLError,
  ) {
    this.#schema = schema;
    this.#documents = new Documents(schema, introspection);
    this.#roomsOf = roomsOf;
    this.#mask = mask;
  }

  /**
   * Parses an operation when it is its turn among the payer's operations, and waits until its answer's size is available. Operations begin
   * in order, except that others pass a large one that waits for its size.
   * @returns the operation, or the errors of an invalid document
   * @throws ChatError QUERY_TOO_COMPLEX, RATE_LIMITED; UNAVAILABLE if the client is gone, which no client receives
   */
  async admit(asked: Asked, { payer, viewer, patience, isGone }: Asker): Promise<Admitted | GraphQLError[]> {
    await payer.enter(patience, isGone);
    payer.charge(OPERATION);
    let document: DocumentNode | GraphQLError[];
    try {
      const { query } = asked;
      document =
        this.#documents.known(query) ??
        (await this.#turns.run(() => payer.pay(() => this.#documents.read(query), 1 + query.length * SLOWEST)));
    } finally {
      payer.leave();
    }
    if (Array.isArray(document)) return document;
    const operationName = asked.operationName || null; // some clients say "" for none
    if (!getOperationAST(document, operationName)) return [NO_SUCH_OPERATION];
    const cost = await this.#costOf(document, operationName, asked.variables ?? {}, payer, viewer);
    return { document, operationName, cost, payer, share: await payer.reserve(cost, patience, isGone) };
  }

  /** Runs a query or a mutation. Errors are masked. */
  async run(args: ExecutionArgs & { contextValue: Context }, { payer, cost, share }: Admitted): Promise<ExecutionResult> {
    const result = await execute(args);
    const size = sizeOfAnswer(result.data);
    share.shrink({ values: size.values, texts: cost.texts });
    payer.charge(priceOf(workFor(size, args.contextValue.work)) + cost.writes * MUTATION + cost.commands * COMMAND);
    if (size.characters > LARGEST_ANSWER) return { data: null, errors: [this.#mask(tooLarge(cost.writes > 0))] };
    if (!result.errors) return result;
    const errors = onlyTrulyRetryable(
      args as Ran,
      result.errors.map(this.#mask),
      (error, message, extensions) => new GraphQLError(message, { ...placeOf(error), extensions }),
    );
    return { ...result, errors };
  }

  async #costOf(
    document: DocumentNode,
    operationName: string | null,
    variables: { readonly [name: string]: unknown },
    payer: Payer,
    viewer: Viewer | null,
  ) {
    const most = 1 + (document.loc?.end ?? 0) * SLOWEST;
    try {
      return payer.pay(() => costOf(this.#schema, document, operationName, variables), most);
    } catch (error) {
      if (!viewer || !isRefusal(error, "QUERY_TOO_COMPLEX")) throw error;
      // Most users have fewer rooms than `costOf` assumes.
      const rooms = await this.#roomsOf(viewer.id);
      return payer.pay(() => costOf(this.#schema, document, operationName, variables, rooms), most);
    }
  }
}

const NO_SUCH_OPERATION = withCode(
  new GraphQLError("operationName: must name one of the document's operations."),
  "OPERATION_RESOLUTION_FAILURE",
);
