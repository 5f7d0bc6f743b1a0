import { setTimeout as delay } from "node:timers/promises";
import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from "graphql";
import type { Config } from "../config.js";
import type { Context } from "../context.js";
import { Group, type Outlet, type Payload, Subscriber } from "../delivery/broadcast.js";
import { Feed } from "../delivery/feed.js";
import { refusal } from "../errors.js";
import type { SessionWatch } from "../sessions/session-watch.js";
import { createContext, type Services, sharedContexts } from "./context.js";
import { MOST_VALUES } from "./limits.js";
import type { Metrics } from "./metrics.js";

interface Parts {
  config: Pick<Config, "subscriptionsPerSocket">;
  schema: GraphQLSchema;
  services: Services;
  metrics: Metrics;
  /** The error as a client may see it. */
  mask: (error: unknown) => GraphQLError;
}

const LONGEST_TOGETHER = 16_384; // characters of a socket's different documents; parsed they take 150 bytes each, and more

const LONGEST_OUTAGE = 10_000; // ms that an event waits for Redis; then its followers start again from their positions
const OUTAGE_PAUSE = 250; // ms between two tries

/** A subscription as a socket asks for it. */
export interface SocketSubscription extends ExecutionArgs {
  contextValue: Context;
  /** The client's name for it. */
  id: string;
  outlet: Outlet;
  /** How many values each of its events can bring. */
  values: number;
  /** The subscriptions of the same socket that run. */
  running: Set<SocketSubscription>;
  /** Watches the session that carries it, where that is not the socket's; calls this when it is over. */
  watchSession?: ((onEnd: () => void) => SessionWatch) | undefined;
}

/** What of an operation decides whether two subscribers see the same. */
interface Shape {
  /** Of its document and operation on this server. */
  id: number;
  /** A field of it depends on who looks. */
  perViewer: boolean;
  /** The variables that it uses beyond the arguments of the subscription itself, which only say what is followed. */
  variables: string[];
}

/** Runs the subscriptions of sockets: each event once for all who see the same. */
export class Subscriptions {
  readonly #parts: Parts;
  readonly #sharedContext: () => Context;
  readonly #shapes = new WeakMap<DocumentNode, Map<string, Shape>>();
  #shapesFound = 0;
  readonly #groups = new Map<string, Group<object>>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#sharedContext = sharedContexts(parts.services);
  }

  /**
   * Starts a subscription, whose frames then go to its outlet. What ends it early, at the start or later, arrives the same
   * way: as one result with errors, after which it is complete.
   * @returns what graphql-ws iterates over: nothing but that last result
   */
  async start(args: SocketSubscription): Promise<AsyncGenerator<ExecutionResult, void, void> | ExecutionResult> {
    const { mask } = this.#parts;
    const tooMany = this.#tooMany(args);
    if (tooMany) return { errors: [mask(refusal("TOO_MANY_SUBSCRIPTIONS", tooMany))] };
    args.running.add(args);
    let begun = false;
    try {
      const source = await createSourceEventStream(args);
      if (!(Symbol.asyncIterator in source)) return source.errors ? { ...source, errors: source.errors.map(mask) } : source;
      if (!(source instanceof Feed)) throw new Error("a subscription's resolver must return a Feed");
      begun = true;
      return this.#follow(args, source as Feed<object>);
    } catch (error) {
      return { errors: [mask(error)] };
    } finally {
      if (!begun) args.running.delete(args);
    }
  }

  #follow(args: SocketSubscription, feed: Feed<object>): AsyncGenerator<ExecutionResult, void, void> {
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
      const subscriber = new Subscriber(feed, group, args.outlet, head, resolve);
      leave = () => subscriber.leave();
    }).finally(() => {
      args.running.delete(args);
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

  /** The limit that one more subscription would break on its socket; undefined where there is room for it. */
  #tooMany({ running, values, document }: SocketSubscription): string | undefined {
    const most = this.#parts.config.subscriptionsPerSocket;
    if (running.size >= most) return `This connection has ${most} subscriptions already.`;
    const together = [...running].reduce((sum, other) => sum + other.values, values);
    if (together > MOST_VALUES) return `One event could bring this connection more than ${MOST_VALUES} values.`;
    const documents = new Set([...running].map((other) => other.document)).add(document);
    const length = [...documents].reduce((sum, { loc }) => sum + (loc?.end ?? 0), 0);
    return length > LONGEST_TOGETHER
      ? `The documents of this connection's subscriptions are longer than ${LONGEST_TOGETHER} together.`
      : undefined;
  }

  #groupFor(args: SocketSubscription): { key: string; group: Group<object> } {
    const { document, operationName, variableValues, contextValue } = args;
    const shape = this.#shapeOf(document, operationName);
    const viewer = shape.perViewer ? contextValue.viewer : null;
    const variables = shape.variables.map((name) => [name, variableValues?.[name]]);
    const key = JSON.stringify([shape.id, variables, viewer?.id]);
    const group = this.#groups.get(key) ?? new Group<object>((value) => this.#payloadOf(args, value, shape.perViewer));
    this.#groups.set(key, group);
    return { key, group };
  }

  /** Executes an event, and serialises the end of its frames. While Redis is away it waits: what comes after it waits, too. */
  async #payloadOf(args: SocketSubscription, value: object, perViewer: boolean): Promise<Payload> {
    const deadline = performance.now() + LONGEST_OUTAGE;
    let result = await this.#execute(args, value, perViewer);
    while (result.errors?.some(isUnavailable) && performance.now() < deadline) {
      await delay(OUTAGE_PAUSE);
      result = await this.#execute(args, value, perViewer);
    }
    // An event that cannot be told, or not whole, would be a gap: the client starts again from its position.
    if (result.errors?.some(isUnavailable)) result = { errors: result.errors };
    return { text: Buffer.from(`${JSON.stringify(result)}}`), last: result.data == null };
  }

  /** Executes an event for everyone, or for one viewer. */
  async #execute(args: SocketSubscription, value: object, perViewer: boolean): Promise<ExecutionResult> {
    const { services, metrics, mask } = this.#parts;
    metrics.executions.inc();
    const contextValue = perViewer ? createContext(services, args.contextValue.viewer, args.contextValue.caller) : this.#sharedContext();
    try {
      const { errors, ...others } = await execute({ ...args, rootValue: value, contextValue });
      return errors ? { ...others, errors: errors.map(mask) } : others;
    } catch (error) {
      return { errors: [mask(error)] };
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
