import { setTimeout as delay } from "node:timers/promises";
import { type ExecutionArgs, GraphQLError, parse } from "graphql";
import { makeServer, type Server, type SubscribePayload } from "graphql-ws";
import type { WebSocket } from "ws";
import type { SessionWatch } from "../../api/sessions.js";
import type { Outlet } from "../../log/broadcast.js";
import { refusal } from "../../util/errors.js";
import type { UserId } from "../../util/ids.js";
import { type Credential, checkCredential, credentialInHeaders, credentialInParams, DEAD_TOKEN, viewerOf } from "../gate/credentials.js";
import type { Gate } from "../gate/gate.js";
import type { Payer } from "../gate/payer.js";
import { type SocketOperation, Subscriptions } from "../gate/subscriptions.js";
import { CLOSE, fitReason } from "./close-codes.js";
import type { Heartbeat } from "./heartbeat.js";
import { UserSockets } from "./user-sockets.js";

/** The state of a connection. */
export interface Connection {
  socket: WebSocket;
  /** The address that the client's limits are counted by; undefined for programs on this machine. */
  address: string | undefined;
  /** The credential of the upgrade request. */
  credential: Credential | undefined;
  /** Whether the connection's session came in the cookie. */
  byCookie?: boolean;
  /** The watch of that session, which has its viewer; undefined without a session. */
  watch?: SessionWatch;
  /** The id of the user whose quota of sockets this one counts toward. */
  counted?: UserId;
  /** The id of the viewer, while this connection counts for their presence. */
  present?: UserId;
  outlet: Outlet;
  /** The payer for all operations and frames of the connection. */
  payer: Payer;
  /** Called when an operation begins to answer. */
  begun(id: string): void;
  /** The running subscriptions of the connection. */
  running: Set<SocketOperation>;
}

const INIT_WAIT = 5_000; // ms until `connection_init`; then the socket is closed with 4408
const PATIENCE = 1_000; // ms that a client gets to answer the close frame when its session has ended
const ACCEPT_WITHIN = 3_000; // ms to accept a client; then it has to try again later

/**
 * GraphQL over WebSockets with the protocol graphql-transport-ws: accepts clients and runs their operations.
 * @param heartbeat tracks which sockets answer
 * @param onReleased receives a promise for the cleanup of a closed connection, so that a stopping server can wait for it
 */
export function graphqlTransport(
  { config, schema, contexts, doorkeeper, budgets, operations, metrics, mask, log }: Gate,
  heartbeat: Heartbeat,
  onReleased: (release: Promise<void>) => void,
): Server<Connection> {
  const subscriptions = new Subscriptions({ config, schema, contexts, doorkeeper, metrics, mask });

  const perUser = new UserSockets(config.socketsPerUser, heartbeat);

  /** Resolves with the work, or rejects if it takes too long, so that a client does not wait forever. */
  const inTime = <T>(work: Promise<T>): Promise<T> => {
    const limit = new AbortController();
    const tooLate = delay(ACCEPT_WITHIN, undefined, { signal: limit.signal }).then(() => {
      throw new Error(`a connection could not be accepted within ${ACCEPT_WITHIN} ms`);
    });
    tooLate.catch(() => {}); // after the work won the race
    return Promise.race([work, tooLate]).finally(() => limit.abort());
  };

  /** @returns the operation to run, or the errors of its document */
  async function prepare(connection: Connection, id: string, payload: SubscribePayload): Promise<SocketOperation | GraphQLError[]> {
    const { socket, address, byCookie = false, watch, outlet, payer, running } = connection;
    if (watch && !(await watch.use())) {
      endNow(socket);
      throw refusal("UNAUTHENTICATED");
    }
    // GraphiQL uses one socket for all tabs, and sends a tab's headers with each operation.
    const own = credentialInHeaders(payload.extensions?.headers);
    const asker = own ? await viewerOf(doorkeeper, own) : watch?.viewer;
    const caller = own ? { address, byCookie: false } : { address, byCookie, watch };
    const isGone = () => socket.readyState !== socket.OPEN;
    const admitted = await operations.admit(payload, { payer, viewer: asker ?? null, patience: Number.POSITIVE_INFINITY, isGone });
    if (Array.isArray(admitted)) return admitted;
    const { document, operationName, share } = admitted;
    try {
      checkCredential(schema, admitted, own, asker ?? null);
    } catch (error) {
      share.release();
      throw error;
    }
    return {
      schema,
      document,
      operationName,
      variableValues: payload.variables ?? null,
      contextValue: contexts.of(asker ?? null, caller),
      id,
      admitted,
      outlet,
      isGone,
      running,
      watchSession: asker && own ? (onEnd) => doorkeeper.watch(asker, onEnd, () => true) : undefined,
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
        const viewer = await viewerOf(doorkeeper, given);
        if (!viewer) socket.close(CLOSE.SESSION_OVER, DEAD_TOKEN);
        // Closed in the meantime: nothing would release what is taken from here on.
        if (!viewer || socket.readyState !== socket.OPEN) return false;
        if (!(await perUser.admit(viewer.id, socket))) {
          socket.close(CLOSE.TRY_LATER, `This user has ${config.socketsPerUser} connections open. Close one first.`);
          return false;
        }
        extra.counted = viewer.id;
        extra.payer = budgets.payerOf(viewer.id, extra.address, socket);
        extra.watch = doorkeeper.watch(
          viewer,
          () => endNow(socket),
          () => extra.running.size > 0,
        );
        await extra.watch.ready;
        if (socket.readyState !== socket.OPEN) return false;
        extra.present = viewer.id;
        await doorkeeper.opened(viewer.id);
        return true;
      };
      try {
        return await inTime(accept());
      } catch (error) {
        log.debug({ error: String(error) }, "could not accept a connection; closed it with 1013");
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
        // No one gets the error of a client that is gone, and there may be many.
        const refused = extra.socket.readyState === extra.socket.OPEN ? mask(error) : GONE;
        const operation: Refused = { schema, document: NOTHING, refused };
        return operation;
      }
    },

    onOperation: ({ extra }, id) => extra.begun(id),

    // graphql-ws passes on the object that `onSubscribe` returned.
    async execute(args) {
      if ("refused" in args) return { errors: [(args as Refused).refused] };
      const { admitted, outlet } = args as SocketOperation;
      const release = () => admitted.share.release();
      try {
        return await operations.run(args as SocketOperation, admitted);
      } finally {
        // graphql-ws writes the answer first. The operation is under way until the client has read that.
        setImmediate(() => (outlet.congested ? outlet.onDrained(release) : release()));
      }
    },

    subscribe(args) {
      (args as SocketOperation).admitted.share.release(); // each event is charged separately
      return subscriptions.start(args as SocketOperation);
    },

    onClose({ extra: { socket, watch, counted, present } }) {
      watch?.stop();
      if (counted !== undefined) perUser.release(counted, socket);
      if (present === undefined) return;
      onReleased(
        doorkeeper.closed(present).catch((error: Error) => {
          log.debug({ error: error.message }, "could not record that a connection closed; the lease's next renewal does");
        }),
      );
    },
  });
}

/**
 * An operation that is refused before it runs. Its client gets the same as if a resolver refused: one result with `errors`, then
 * `complete`. An `error` frame is only for an invalid document.
 */
interface Refused extends ExecutionArgs {
  refused: GraphQLError;
}

const GONE = new GraphQLError("The client is gone.");
const NOTHING = parse("{ __typename }"); // stands in for the refused document

/** Closes a socket whose session has ended. Terminates it if the client does not answer. */
function endNow(socket: WebSocket): void {
  socket.close(CLOSE.SESSION_OVER, "This session has ended. Log in again.");
  const cut = setTimeout(() => socket.terminate(), PATIENCE);
  socket.once("close", () => clearTimeout(cut));
}
