import { setTimeout as delay } from "node:timers/promises";
import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  getArgumentValues,
  getOperationAST,
  type OperationDefinitionNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from "graphql";
import type { Context } from "../../api/context.js";
import type { SessionWatch } from "../../api/sessions.js";
import { Group, type Outlet, type Payload, ROOM, Subscriber } from "../../log/broadcast.js";
import { Feed } from "../../log/feed.js";
import { refusal } from "../../util/errors.js";
import { OneByOne } from "../../util/one-by-one.js";
import { Turns } from "../../util/turns.js";
import { LARGEST_ANSWER, sizeOfAnswer, tooLarge, workFor } from "./answer.js";
import { MOST_TEXTS, MOST_VALUES } from "./cost.js";
import type { Gate } from "./gate.js";
import type { Admitted } from "./operations.js";
import { priceOf } from "./payer.js";
import { allRootFields } from "./root-fields.js";

type Parts = Pick<Gate, "config" | "schema" | "contexts" | "doorkeeper" | "metrics" | "mask">;

const LONGEST_TOGETHER = 16_384; // characters of a socket's distinct documents; once parsed, each character takes 150 bytes or more

const MOST_ROOMS = 10_000; // rooms that the subscriptions of one user follow, over all sockets; each takes about 1 kB
const MOST_OF_USER = 20_000; // values, twice MOST_VALUES, that one event can bring to a user, over all sockets; 20 of our own pages have 7,500
const MOST_OF_ONE = 2_500; // values, a quarter of MOST_VALUES, in one event of a subscription: executing it holds up all other clients, for about 10 ms
const HEAVY = 500; // values from which on the events of a subscription wait for a turn of their own
const LEAST_VALUES = 25; // minimum of values that a subscription counts for: executing an event takes 0.1 ms, however few it has
const LONGEST_VARIABLES = 65_536; // characters of the variables of a socket's subscriptions: as many as one frame can have

const LONGEST_OUTAGE = 10_000; // ms that an event waits for Redis; then its subscribers resume from their positions
const OUTAGE_PAUSE = 250; // ms between two attempts

/** An operation that a client requested over a socket. */
export interface SocketOperation extends ExecutionArgs {
  contextValue: Context;
  /** The id that the client chose for it. */
  id: string;
  admitted: Admitted;
  outlet: Outlet;
  /** Whether the client is gone. */
  isGone: () => boolean;
  /** An upper bound of the rooms that it follows. */
  rooms?: number;
  /** The running subscriptions of the same socket. */
  running: Set<SocketOperation>;
  /** Watches the operation's session if it is not the socket's; calls `onEnd` when the session has ended. */
  watchSession?: ((onEnd: () => void) => SessionWatch) | undefined;
}

/** The parts of an operation that decide whether two subscribers get the same results. */
interface Shape {
  /** Identifies its document and operation on this server. */
  id: number;
  /** Whether one of its fields depends on the viewer. */
  perViewer: boolean;
  /** The variables that it uses outside the arguments of the subscription field, which only select the events. */
  variables: string[];
}

/** Runs the subscriptions of sockets. Executes each event once for all subscribers that get the same result. */
export class Subscriptions {
  readonly #parts: Parts;
  readonly #shapes = new WeakMap<DocumentNode, Map<string, Shape>>();
  #shapesFound = 0;
  readonly #groups = new Map<string, Group<object>>();
  readonly #turns = new Turns(0);
  /** For events with many values: one at a time, and apart, so that other events need not wait for them. */
  readonly #heavy = new OneByOne(2);
  /** The running subscriptions of each user, over all sockets. */
  readonly #ofUsers = new Map<string, Set<SocketOperation>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Starts a subscription, whose frames then go to its outlet. If an error ends it, at the start or later, the client gets one result with
   * errors, and the subscription is complete.
   * @returns the iterator for graphql-ws, which yields only that last result
   */
  async start(args: SocketOperation): Promise<AsyncGenerator<ExecutionResult, void, void> | ExecutionResult> {
    const { mask } = this.#parts;
    let begun = false;
    try {
      args.rooms = await this.#roomsOf(args);
      const tooMany = this.#tooMany(args);
      if (tooMany) return { errors: [mask(refusal("TOO_MANY_SUBSCRIPTIONS", tooMany))] };
      this.#enter(args);
      args.admitted.payer.charge(args.rooms * ROOM);
      const source = await args.admitted.payer.begin(() => createSourceEventStream(args), args.isGone);
      if (!(Symbol.asyncIterator in source)) return source.errors ? { ...source, errors: source.errors.map(mask) } : source;
      if (!(source instanceof Feed)) throw new Error("a subscription's resolver must return a Feed");
      begun = true;
      return this.#follow(args, source as Feed<object>);
    } catch (error) {
      return { errors: [mask(error)] };
    } finally {
      if (!begun) this.#leave(args);
    }
  }

  #follow(args: SocketOperation, feed: Feed<object>): AsyncGenerator<ExecutionResult, void, void> {
    const { mask } = this.#parts;
    const watch = args.watchSession?.(() => feed.end(refusal("UNAUTHENTICATED")));
    if (watch) {
      feed.onEnd(() => watch.stop());
      watch.ready.catch((error: unknown) => feed.end(error));
    }

    const { key, group } = this.#groupFor(args);
    let leave = () => {};
    const ended = new Promise<unknown>((resolve) => {
      const head = `{"id":${JSON.stringify(args.id)},"type":"next","payload":`;
      const subscriber = new Subscriber(feed, group, { outlet: args.outlet, debtor: args.admitted.payer }, head, resolve);
      leave = () => subscriber.leave();
    }).finally(() => {
      this.#leave(args);
      if (group.size === 0 && this.#groups.get(key) === group) this.#groups.delete(key);
    });

    let over = false;
    // Not an async generator function: its `return` would wait for the end of the feed.
    const results: AsyncGenerator<ExecutionResult, void, void> = {
      async next() {
        const failure = over ? undefined : await ended;
        if (over || failure === undefined) return { value: undefined, done: true };
        over = true;
        return { value: { errors: [mask(failure)] }, done: false };
      },
      async return() {
        over = true;
        leave();
        return { value: undefined, done: true };
      },
      async throw(error) {
        over = true;
        leave();
        throw error;
      },
      [Symbol.asyncIterator]: () => results,
    };
    return results;
  }

  #enter(subscription: SocketOperation): void {
    const userId = subscription.contextValue.viewer?.id ?? "";
    subscription.running.add(subscription);
    this.#ofUsers.set(userId, (this.#ofUsers.get(userId) ?? new Set()).add(subscription));
  }

  #leave(subscription: SocketOperation): void {
    const userId = subscription.contextValue.viewer?.id ?? "";
    const ofUser = this.#ofUsers.get(userId);
    subscription.running.delete(subscription);
    ofUser?.delete(subscription);
    if (ofUser?.size === 0) this.#ofUsers.delete(userId);
  }

  /** How many rooms a subscription follows: one if it names a room, else all rooms of the user. */
  async #roomsOf({ schema, document, operationName, variableValues, contextValue: { viewer } }: SocketOperation): Promise<number> {
    const [node] = allRootFields(document, getOperationAST(document, operationName) as OperationDefinitionNode);
    const field = node && schema.getSubscriptionType()?.getFields()[node.name.value];
    if (!viewer || !node || !field?.args.some(({ name }) => name === "roomId")) return 1;
    let roomId: unknown;
    try {
      ({ roomId } = getArgumentValues(field, node, variableValues));
    } catch {
      return 1; // execution reports what is wrong
    }
    return roomId == null ? this.#parts.doorkeeper.roomsOf(viewer.id) : 1;
  }

  #ofUser({ contextValue }: SocketOperation): Iterable<SocketOperation> {
    return this.#ofUsers.get(contextValue.viewer?.id ?? "") ?? [];
  }

  /** The limit that one more subscription would exceed; undefined if there is none. */
  #tooMany(subscription: SocketOperation): string | undefined {
    const most = this.#parts.config.subscriptionsPerSocket;
    if (subscription.running.size >= most) return `This connection already has ${most} subscriptions.`;
    if (valuesOf(subscription) > MOST_OF_ONE) return `One event of this subscription could hold more than ${MOST_OF_ONE} values.`;
    const all = [...subscription.running, subscription];
    if (sum(all, valuesOf) > MOST_VALUES) return `One event could send this connection more than ${MOST_VALUES} values.`;
    if (sum([...this.#ofUser(subscription), subscription], valuesOf) > MOST_OF_USER)
      return `One event could send all your connections together more than ${MOST_OF_USER} values.`;
    if (sum([...this.#ofUser(subscription), subscription], ({ rooms = 1 }) => rooms) > MOST_ROOMS)
      return `Your connections would follow more than ${MOST_ROOMS} rooms, counted per subscription.`;
    if (sum(all, ({ admitted }) => admitted.cost.texts) > MOST_TEXTS)
      return `One event could read and return more than ${MOST_TEXTS} texts of messages for this connection.`;
    const documents = [...new Set(all.map(({ document }) => document))];
    if (sum(documents, ({ loc }) => loc?.end ?? 0) > LONGEST_TOGETHER)
      return `The documents of this connection's subscriptions would have more than ${LONGEST_TOGETHER} characters in total.`;
    if (sum(all, ({ variableValues }) => JSON.stringify(variableValues ?? {}).length) > LONGEST_VARIABLES)
      return `The variables of this connection's subscriptions would have more than ${LONGEST_VARIABLES} characters in total.`;
    return undefined;
  }

  #groupFor(args: SocketOperation): { key: string; group: Group<object> } {
    const { document, operationName, variableValues, contextValue } = args;
    const shape = this.#shapeOf(document, operationName);
    const viewer = shape.perViewer ? contextValue.viewer : null;
    const variables = shape.variables.map((name) => [name, variableValues?.[name]]);
    const key = JSON.stringify([shape.id, variables, viewer?.id]);
    const turns = args.admitted.cost.values > HEAVY ? this.#heavy : this.#turns;
    const group = this.#groups.get(key) ?? new Group<object>((value) => this.#payloadOf(args, value, shape.perViewer), turns);
    this.#groups.set(key, group);
    return { key, group };
  }

  /** Executes an event, and serialises the tail of its frames. Waits while Redis is unavailable, and later events wait, too. */
  async #payloadOf(args: SocketOperation, value: object, perViewer: boolean): Promise<Payload> {
    const deadline = performance.now() + LONGEST_OUTAGE;
    let { result, price } = await this.#execute(args, value, perViewer);
    while (result.errors?.some(isUnavailable) && performance.now() < deadline) {
      await delay(OUTAGE_PAUSE);
      ({ result, price } = await this.#execute(args, value, perViewer));
    }
    // An event that is missing or incomplete would be a gap: the client resumes from its position.
    if (result.errors?.some(isUnavailable)) result = { errors: result.errors };
    return { text: Buffer.from(`${JSON.stringify(result)}}`), price, last: result.data == null };
  }

  /** Executes an event for all viewers, or for one. @returns the result, and its price for the subscribers */
  async #execute(args: SocketOperation, value: object, perViewer: boolean): Promise<{ result: ExecutionResult; price: number }> {
    const { contexts, metrics, mask } = this.#parts;
    metrics.executions.inc();
    const contextValue = perViewer ? contexts.of(args.contextValue.viewer, args.contextValue.caller, true) : contexts.forMany();
    try {
      const { errors, ...others } = await execute({ ...args, rootValue: value, contextValue });
      const size = sizeOfAnswer(others.data);
      const price = priceOf(workFor(size, contextValue.work));
      if (size.characters > LARGEST_ANSWER) return { result: { errors: [mask(tooLarge(false))] }, price };
      return { result: errors ? { ...others, errors: errors.map(mask) } : others, price };
    } catch (error) {
      return { result: { errors: [mask(error)] }, price: 0 };
    }
  }

  #shapeOf(document: DocumentNode, operationName: string | null | undefined): Shape {
    const shapes = this.#shapes.get(document) ?? new Map<string, Shape>();
    this.#shapes.set(document, shapes);
    const name = operationName ?? "";
    const shape = shapes.get(name) ?? findShape(this.#parts.schema, document, ++this.#shapesFound);
    shapes.set(name, shape);
    return shape;
  }
}

const sum = <T>(all: readonly T[], of: (one: T) => number) => all.reduce((total, one) => total + of(one), 0);

const valuesOf = ({ admitted }: SocketOperation) => Math.max(admitted.cost.values, LEAST_VALUES);

const isUnavailable = ({ extensions }: GraphQLError) => extensions.code === "UNAVAILABLE";

function findShape(schema: GraphQLSchema, document: DocumentNode, id: number): Shape {
  const shape: Shape = { id, perViewer: false, variables: [] };
  const types = new TypeInfo(schema);
  const root = schema.getSubscriptionType();
  visit(
    document,
    visitWithTypeInfo(types, {
      VariableDefinition: () => false,
      Field: () => {
        if (types.getFieldDef()?.extensions.perViewer === true) shape.perViewer = true;
      },
      Argument: () => (types.getParentType() === root ? false : undefined),
      Variable: ({ name }) => {
        shape.variables.push(name.value);
      },
    }),
  );
  return shape;
}
