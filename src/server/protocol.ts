import { setTimeout as delay } from "node:timers/promises";
import { type ExecutionArgs, type GraphQLError, parse } from "graphql";
import { makeServer, type Server, type SubscribePayload } from "graphql-ws";
import type { WebSocket } from "ws";
import type { Outlet } from "../delivery/broadcast.js";
import { refusal } from "../errors.js";
import type { SessionWatch } from "../sessions/session-watch.js";
import type { Payer } from "./budget.js";
import { CLOSE, fitReason } from "./close-codes.js";
import { createContext } from "./context.js";
import { type Credential, credentialInHeaders, credentialInParams, DEAD_TOKEN, isOpenToAll, viewerOf } from "./credentials.js";
import type { Heartbeat } from "./heartbeat.js";
import type { Parts } from "./http.js";
import { type SocketOperation, Subscriptions } from "./subscriptions.js";
import { UserSockets } from "./user-sockets.js";

/** What a connection carries once it is accepted. */
export interface Connection {
  socket: WebSocket;
  /** The client's address, as limits count it; undefined for this very machine. */
  address: string | undefined;
  /** What the upgrade said of who it is from. */
  credential: Credential | undefined;
  /** The session of the connection came in the cookie. */
  byCookie?: boolean;
  /** Watches that session, and has its viewer; undefined without a session. */
  watch?: SessionWatch;
  /** Whose quota of sockets it takes up. */
  counted?: string;
  /** The viewer is counted as present. */
  present?: string;
  outlet: Outlet;
  /** Who pays for what comes over it. */
  payer: Payer;
  /** Is told when an operation begins to answer. */
  begun(id: string): void;
  /** Its subscriptions that run. */
  running: Set<SocketOperation>;
}

const INIT_WAIT = 5_000; // ms that a client gets to say who it is, before it is closed with 4408
const PATIENCE = 1_000; // ms that a client gets to answer that its session is over
const ACCEPT_WITHIN = 3_000; // ms in which a client is accepted, or sent away to try again

/**
 * GraphQL over WebSockets by the protocol graphql-transport-ws: who is accepted, and what runs.
 * @param heartbeat knows which sockets answer
 * @param onReleased is given the work of forgetting a connection, for a server that wants to wait for it
 */
export function graphqlTransport(
  { config, schema, services, watches, budgets, operations, metrics, mask, log }: Parts,
  heartbeat: Heartbeat,
  onReleased: (release: Promise<void>) => void,
): Server<Connection> {
  const subscriptions = new Subscriptions({ config, schema, services, metrics, mask });

  const perUser = new UserSockets(config.socketsPerUser, heartbeat);

  /** Resolves with the work, or fails when it takes too long: a client must not wait without end. */
  const inTime = <T>(work: Promise<T>): Promise<T> => {
    const limit = new AbortController();
    const tooLate = delay(ACCEPT_WITHIN, undefined, { signal: limit.signal }).then(() => {
      throw new Error(`a connection could not be accepted within ${ACCEPT_WITHIN} ms`);
    });
    tooLate.catch(() => {}); // the work was done first
    return Promise.race([work, tooLate]).finally(() => limit.abort());
  };

  /** @returns what is to run, or what is wrong with its document */
  async function prepare(connection: Connection, id: string, payload: SubscribePayload): Promise<SocketOperation | GraphQLError[]> {
    const { socket, address, byCookie = false, watch, outlet, payer, running } = connection;
    if (watch && !(await watch.use())) {
      endNow(socket);
      throw refusal("UNAUTHENTICATED");
    }
    // GraphiQL has one socket for all tabs, and sends the headers of a tab with each operation.
    const own = credentialInHeaders(payload.extensions?.headers);
    const asker = own ? await viewerOf(services, own) : watch?.viewer;
    const caller = own ? { address, byCookie: false } : { address, byCookie, watch };
    const isGone = () => socket.readyState !== socket.OPEN;
    const admitted = await operations.admit(payload, { payer, viewer: asker ?? null, patience: Number.POSITIVE_INFINITY, isGone });
    if (Array.isArray(admitted)) return admitted;
    const { document, operationName, share } = admitted;
    if (own && !asker && !isOpenToAll(schema, document, operationName)) {
      share.release();
      throw refusal("UNAUTHENTICATED", own.token === undefined ? own.refused : DEAD_TOKEN);
    }
    return {
      schema,
      document,
      operationName,
      variableValues: payload.variables ?? null,
      contextValue: createContext(services, asker ?? null, caller),
      id,
      admitted,
      outlet,
      isGone,
      running,
      watchSession: asker && own ? (onEnd) => watches.start(asker, onEnd, () => true) : undefined,
    };
  }

  return makeServer<Record<string, unknown>, Connection>({
    connectionInitWaitTimeout: INIT_WAIT,

    async onConnect({ connectionParams, extra }) {
      const { socket } = extra;
      const given = credentialInParams(connectionParams) ?? extra.credential;
      if (given === undefined) {
        extra.payer = budgets.payerOf(undefined, extra.address, socket);
        return true;
      }
      if (given.token === undefined) {
        socket.close(CLOSE.SESSION_OVER, fitReason(given.refused));
        return false;
      }
      extra.byCookie = given.byCookie;
      const accept = async (): Promise<boolean> => {
        const viewer = await viewerOf(services, given);
        if (!viewer) socket.close(CLOSE.SESSION_OVER, DEAD_TOKEN);
        // Closed while we looked: nothing would release what we take now.
        if (!viewer || socket.readyState !== socket.OPEN) return false;
        if (!(await perUser.admit(viewer.id, socket))) {
          socket.close(CLOSE.TRY_LATER, `This user has ${config.socketsPerUser} connections open. Close some.`);
          return false;
        }
        extra.counted = viewer.id;
        extra.payer = budgets.payerOf(viewer.id, extra.address, socket);
        extra.watch = watches.start(
          viewer,
          () => endNow(socket),
          () => extra.running.size > 0,
        );
        await extra.watch.ready;
        if (socket.readyState !== socket.OPEN) return false;
        extra.present = viewer.id;
        await services.presence.opened(viewer.id);
        return true;
      };
      try {
        return await inTime(accept());
      } catch (error) {
        log.debug({ error: String(error) }, "could not accept a connection");
        socket.close(CLOSE.TRY_LATER, "Redis does not answer. Try again in a moment.");
        return false;
      }
    },

    async onSubscribe({ extra }, id, payload) {
      metrics.operations.inc({ transport: "websocket" });
      try {
        const operation = await prepare(extra, id, payload);
        return Array.isArray(operation) ? operation.map(mask) : operation;
      } catch (error) {
        const operation: Refused = { schema, document: NOTHING, refused: mask(error) };
        return operation;
      }
    },

    onOperation: ({ extra }, id) => extra.begun(id),

    // What `onSubscribe` gave comes back here as it was.
    async execute(args) {
      if ("refused" in args) return { errors: [(args as Refused).refused] };
      const { admitted, outlet } = args as SocketOperation;
      const release = () => admitted.share.release();
      try {
        return await operations.run(args as SocketOperation, admitted);
      } finally {
        // The answer has been written by then, and is under way until the client has read it.
        setImmediate(() => (outlet.congested ? outlet.onDrained(release) : release()));
      }
    },

    subscribe(args) {
      (args as SocketOperation).admitted.share.release(); // each event counts by itself
      return subscriptions.start(args as SocketOperation);
    },

    onClose({ extra: { socket, watch, counted, present } }) {
      watch?.stop();
      if (counted !== undefined) perUser.release(counted, socket);
      if (present === undefined) return;
      onReleased(
        services.presence.closed(present).catch((error: Error) => {
          log.debug({ error: error.message }, "could not note that a connection closed; the lease's next beat does");
        }),
      );
    },
  });
}

/**
 * An operation that is refused before it runs. Its client gets what a resolver's refusal gives: one result with `errors`, and then it
 * is complete. An `error` frame is for what is wrong with the document alone.
 */
interface Refused extends ExecutionArgs {
  refused: GraphQLError;
}

const NOTHING = parse("{ __typename }"); // in place of the document that does not run

/** Closes a socket whose session is over; a client that does not answer is cut. */
function endNow(socket: WebSocket): void {
  socket.close(CLOSE.SESSION_OVER, "The session is over. Log in again.");
  const cut = setTimeout(() => socket.terminate(), PATIENCE);
  socket.once("close", () => clearTimeout(cut));
}
