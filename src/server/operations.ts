import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
} from "graphql";
import type { Context } from "../context.js";
import { isRefusal } from "../errors.js";
import type { Viewer } from "../sessions/session.store.js";
import { Turns } from "../turns.js";
import { LARGEST_ANSWER, sizeOfAnswer, tooLarge, workFor } from "./answer.js";
import { type Payer, priceOf, type Share } from "./budget.js";
import { type Cost, costOf } from "./cost.js";
import { Documents, withCode } from "./documents.js";
import { placeOf } from "./mask-error.js";
import { onlyTrulyRetryable, type Ran } from "./repetition.js";

/** An operation as a client asks for it. */
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
  /** What it has under way; to be released when its answer has gone, or when it does not run. */
  share: Share;
}

export interface Asker {
  payer: Payer;
  viewer: Viewer | null;
  /** Milliseconds that it may wait to begin; then it is refused. */
  patience: number;
  /** Whether the client is gone: then what still waits does not begin. */
  isGone: () => boolean;
}

const OPERATION = 0.25; // ms for any one: its frames, its session, its cost, its context
const SLOWEST = 6e-3; // ms for each character of a document that is read: of the worst one that we found
const MUTATION = 0.5; // ms for each field of a mutation, Redis's part included
const COMMAND = 0.01; // ms for each Redis command that a field takes beyond the usual

/** Reads and runs what clients ask, on every transport, and has them pay for it. */
export class Operations {
  readonly #schema: GraphQLSchema;
  readonly #documents: Documents;
  readonly #turns = new Turns(2); // an operation of anyone else takes several turns of the event loop
  readonly #roomsOf: (userId: string) => Promise<number>;
  readonly #mask: (error: unknown) => GraphQLError;

  /**
   * @param introspection whether clients may ask for the schema
   * @param roomsOf how many rooms a user has at most
   * @param mask makes of an error what a client may see
   */
  constructor(
    schema: GraphQLSchema,
    introspection: boolean,
    roomsOf: (userId: string) => Promise<number>,
    mask: (error: unknown) => GraphQLError,
  ) {
    this.#schema = schema;
    this.#documents = new Documents(schema, introspection);
    this.#roomsOf = roomsOf;
    this.#mask = mask;
  }

  /**
   * Reads an operation when its payer's turn has come, and waits until there is room for its answer. Operations begin in order, unless a
   * large one waits for room.
   * @returns what is wrong with the document, where something is
   * @throws ChatError QUERY_TOO_COMPLEX, RATE_LIMITED; UNAVAILABLE when the client is gone, which reaches no one
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
    const cost = await this.#costOf(document, operationName, asked.variables ?? {}, viewer);
    return { document, operationName, cost, payer, share: await payer.reserve(cost, patience, isGone) };
  }

  /** Runs a query or a mutation; errors come out masked. */
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
    viewer: Viewer | null,
  ) {
    try {
      return costOf(this.#schema, document, operationName, variables);
    } catch (error) {
      if (!viewer || !isRefusal(error, "QUERY_TOO_COMPLEX")) throw error;
      // Most have fewer rooms than a page can hold.
      return costOf(this.#schema, document, operationName, variables, await this.#roomsOf(viewer.id));
    }
  }
}

const NO_SUCH_OPERATION = withCode(
  new GraphQLError("operationName: must name one of the document's operations."),
  "OPERATION_RESOLUTION_FAILURE",
);
