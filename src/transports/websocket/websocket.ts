import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from "graphql-ws";
import { type WebSocket, WebSocketServer } from "ws";
import { Quota } from "../../util/quota.js";
import { Slices } from "../../util/slices.js";
import { credentialOf } from "../gate/credentials.js";
import type { Gate } from "../gate/gate.js";
import { hostProblem } from "../gate/host.js";
import { isAllowedOrigin } from "../gate/origin.js";
import { isCompressible, SMALLEST_COMPRESSED } from "../http/compression.js";
import { LARGEST_REQUEST } from "../http/problem.js";
import { CLOSE, fitReason } from "./close-codes.js";
import { Heartbeat } from "./heartbeat.js";
import { Inbox } from "./inbox.js";
import { SocketOutlet } from "./outlet.js";
import { type Connection, graphqlTransport } from "./protocol.js";

const KEEP_ALIVE = 12_000; // ms between pings; a socket that has not answered a ping by the next one is dead
const BUDGET = 1024 * 1024; // bytes that may wait for a client to read them
const MOST_AT_ONCE = 50; // unanswered operations of a socket; the server then stops reading, and more wait in the client's buffers
const MOST_OF_STRANGERS = 10; // the same without a session: clients log in with one
const MOST_WAITING = 128 * 1024; // characters of those operations; after a frame that exceeds this, the server stops reading too
const RECEIVED = 2e-5; // ms to receive each character of a frame, and to collect the memory; measured with frames of 60,000 characters
const MOST_FRAGMENTS = 1_024; // per message
const MOST_COMPRESSED = 2; // messages compressed at the same time: passwords are hashed on the same threads
const LONGEST_GOODBYE = 5_000; // ms that a client may take to answer a close frame
const LONGEST_LAG = 30_000; // ms that a client may take to read the bytes that wait for it
const SPREAD = 5; // seconds over which clients should spread their reconnects after a restart
const PATIENCE = 1_000; // ms that a client gets to answer a close frame when the server stops

const OTHER_PROTOCOL = "Use the subprotocol graphql-transport-ws, as the library graphql-ws does; subscriptions-transport-ws is retired.";

export interface SocketServer {
  /** Open sockets. */
  readonly size: number;
  /** Closes every socket with a request to reconnect, and terminates those that do not answer. */
  stop(): Promise<void>;
}

/** Serves GraphQL over WebSockets at `/graphql`. */
export function serveWebSockets(server: Server, gate: Gate): SocketServer {
  const { config, addressOf, mask, log } = gate;
  const releases = new Set<Promise<void>>();
  const heartbeat = new Heartbeat();
  const slices = new Slices(); // so that frames that arrive together, from any number of sockets, leave time for other work
  const transport = graphqlTransport(gate, heartbeat, (release) => {
    releases.add(release);
    void release.finally(() => releases.delete(release));
  });
  const options = {
    noServer: true,
    maxPayload: LARGEST_REQUEST,
    maxFragments: MOST_FRAGMENTS,
    // No context takeover: a window per socket takes more memory than the rest of the socket. SocketOutlet does not compress live events.
    perMessageDeflate: config.socketCompression && {
      threshold: SMALLEST_COMPRESSED,
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      zlibDeflateOptions: { level: 4 }, // as quick as brotli's for HTTP
      concurrencyLimit: MOST_COMPRESSED,
    },
    closeTimeout: LONGEST_GOODBYE, // missing in the types of ws
    // A client with only other protocols is accepted with its first one, as otherwise it would not receive the close reason.
    handleProtocols: (offered: Set<string>) =>
      offered.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) ? GRAPHQL_TRANSPORT_WS_PROTOCOL : ([...offered][0] ?? false),
  } as const;
  const sockets = new WebSocketServer(options);

  const perAddress = new Quota(config.socketsPerAddress);
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => {}); // Node no longer handles errors here, and an unhandled one ends the process
    const refused = refusal(request, config);
    if (refused) return turnDown(socket, refused);
    const address = addressOf(request);
    if (address !== undefined) {
      if (!perAddress.take(address)) return turnDown(socket, "429 Too Many Requests");
      socket.once("close", () => perAddress.release(address));
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => accept(webSocket, socket, request));
  };
  server.on("upgrade", upgrade);

  const outlets = new WeakMap<WebSocket, SocketOutlet>();
  const keepAlive = setInterval(() => {
    for (const socket of sockets.clients) {
      if ((outlets.get(socket)?.lag ?? 0) > LONGEST_LAG) outlets.get(socket)?.giveUp();
      if (heartbeat.silence(socket) > KEEP_ALIVE / 2)
        socket.terminate(); // unanswered since the last round, unless pinged in between
      else heartbeat.ping(socket);
    }
  }, KEEP_ALIVE);

  function accept(socket: WebSocket, duplex: Duplex, request: IncomingMessage): void {
    socket.on("error", (error) => log.debug({ error: error.message }, "a socket failed; closing it")); // `close` follows
    if (socket.protocol !== GRAPHQL_TRANSPORT_WS_PROTOCOL) {
      socket.close(CLOSE.NO_SUCH_PROTOCOL, OTHER_PROTOCOL);
      return;
    }
    const outlet = new SocketOutlet(socket, duplex, BUDGET);
    outlets.set(socket, outlet);
    let inbox: Inbox | undefined;
    let draining = false;
    let paying = false;
    /** Frames that wait for their turn. */
    const frames: string[] = [];
    /** Handles the frames one by one, in turn with those of other sockets. */
    const handleNext = (): void => {
      slices.run(() => {
        const [frame] = frames;
        if (frame !== undefined && socket.readyState === socket.OPEN) inbox?.take(frame);
        frames.shift();
        if (frames.length > 0) queueMicrotask(handleNext);
        else readOnOrNot();
      });
    };
    /** Pauses reading while the client has too much under way, does not read its answers, or is over its budget; else resumes it. */
    const readOnOrNot = () => {
      if (outlet.congested && !draining) {
        draining = true;
        outlet.onDrained(() => {
          draining = false;
          readOnOrNot();
        });
      }
      const { payer } = connection;
      if (payer.wait > 0 && !paying) {
        paying = true;
        payer.onSolvent(() => {
          paying = false;
          readOnOrNot();
        });
      }
      const { waiting = 0, characters = 0 } = inbox ?? {};
      if (
        draining ||
        paying ||
        frames.length > 0 ||
        waiting >= (connection.watch ? MOST_AT_ONCE : MOST_OF_STRANGERS) ||
        characters > MOST_WAITING
      )
        socket.pause();
      else if (socket.isPaused) {
        heartbeat.heard(socket);
        socket.resume();
      }
    };
    const send = (frame: string) => {
      if (socket.readyState !== socket.OPEN) return;
      outlet.hold(); // so that an answer and its `complete` are sent together
      socket.send(frame, { compress: isCompressible(frame) });
    };
    const address = addressOf(request);
    const connection: Connection = {
      socket,
      address,
      credential: credentialOf(request),
      outlet,
      // The address pays only from `connection_init` on, so that this frame always gets through.
      payer: gate.budgets.payerOf(undefined, undefined, socket),
      begun: (id) => inbox?.begun(id),
      running: new Set(),
    };
    heartbeat.watch(socket);
    const closed = transport.opened(
      {
        protocol: socket.protocol,
        send,
        close: (code, reason) => socket.close(code, fitReason(reason ?? "")),
        onPing: async (payload) => {
          const frame = pong(payload);
          if (frame === undefined) socket.close(CLOSE.INVALID_FRAME, "The payload is nested too deeply");
          else socket.send(frame);
        },
        onMessage: (handle) => {
          inbox = new Inbox(handle, {
            onBegun: readOnOrNot,
            onFailure(id, error) {
              send(JSON.stringify({ id, type: "error", payload: [mask(error)] }));
            },
            onBadFrame(error) {
              // graphql-ws's error for a frame that only servers send.
              if (String(error).includes("Unexpected message of type")) return socket.close(CLOSE.INVALID_FRAME, "Unexpected frame type");
              log.error({ err: error }, "a frame failed unexpectedly; closing its socket with 4500");
              socket.close(CLOSE.INTERNAL_ERROR, "Internal server error");
            },
            onIdInUse: (id) => socket.close(CLOSE.ID_IN_USE, fitReason(`Subscriber for ${id} already exists`)),
            isOpen: () => socket.readyState === socket.OPEN,
          });
          socket.on("message", (data) => {
            if (socket.readyState !== socket.OPEN) return; // ignores frames that arrive after the close frame
            const text = String(data);
            connection.payer.charge(text.length * RECEIVED);
            frames.push(text);
            if (frames.length === 1) handleNext();
            if (frames.length > 0) readOnOrNot();
          });
        },
      },
      connection,
    );
    socket.on("close", (code, reason) => {
      closed(code, String(reason)).catch((error: unknown) => log.error({ err: error }, "the cleanup of a closed connection failed"));
    });
  }

  return {
    get size() {
      return sockets.clients.size;
    },
    async stop() {
      clearInterval(keepAlive);
      server.off("upgrade", upgrade);
      await Promise.all([...sockets.clients].map(sendAway));
      await Promise.all(releases);
    },
  };
}

/** Closes a socket with a request to reconnect, and terminates it if the client does not answer. Resolves when it is closed. */
function sendAway(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => socket.terminate(), PATIENCE);
    socket.once("close", () => {
      clearTimeout(cut);
      resolve();
    });
    socket.close(CLOSE.RESTARTING, `The server restarts. Reconnect within ${SPREAD} s, after a random delay.`);
  });
}

/** The answer to a ping; undefined if its payload can be parsed but not serialized, such as 64 KiB of nested brackets. */
function pong(payload: unknown): string | undefined {
  try {
    return JSON.stringify({ type: "pong", payload });
  } catch {
    return undefined;
  }
}

/** Refuses an upgrade, and closes the connection even if the client does not. */
function turnDown(socket: Duplex, status: string): void {
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

/** The status with which an upgrade is refused; undefined if it is allowed. */
function refusal({ url = "", headers }: IncomingMessage, config: Gate["config"]): string | undefined {
  if (hostProblem(headers.host, config) !== undefined) return "421 Misdirected Request";
  if (url.split("?")[0] !== "/graphql") return "404 Not Found";
  return isAllowedOrigin(headers, config.allowedOrigins) ? undefined : "403 Forbidden";
}
