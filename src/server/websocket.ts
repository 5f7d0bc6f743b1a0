import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from "graphql-ws";
import { type Extra, useServer } from "graphql-ws/use/ws";
import { type WebSocket, WebSocketServer } from "ws";
import type { Context, Viewer } from "../context.js";
import { refusal } from "../errors.js";
import { bearerToken, createContext } from "./context.js";
import { LARGEST_REQUEST, type Parts } from "./http.js";
import { extraRules, prepare, run, subscribe } from "./operations.js";

/** What a connection carries once it is accepted. */
type Connection = Extra & { token?: string; viewer?: Viewer } & Record<PropertyKey, unknown>;

/** The close codes that are not the protocol's own. Each one asks the client to come back. */
const CLOSE = {
  TRY_LATER: 1013,
  RESTARTING: 1012,
  SESSION_OVER: 4403,
} as const;

const SPREAD = 5; // seconds over which clients are asked to come back after a restart
const PATIENCE = 1_000; // ms that a socket gets to say goodbye

export interface SocketServer {
  readonly size: number;
  /** Asks every client to come back, and ends what does not go. */
  stop(): Promise<void>;
}

/** Serves GraphQL over WebSockets, by the protocol graphql-transport-ws, to whoever upgrades at `/graphql`. */
export function serveWebSockets(server: Server, { config, schema, services, metrics, mask, log }: Parts): SocketServer {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_REQUEST,
    handleProtocols: (protocols) => protocols.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) && GRAPHQL_TRANSPORT_WS_PROTOCOL,
  });
  const rules = extraRules(config.introspection);
  const releases = new Set<Promise<void>>();

  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refused = refuseUpgrade(request, config.allowedOrigins);
    if (refused) socket.end(`HTTP/1.1 ${refused}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    else sockets.handleUpgrade(request, socket, head, (webSocket) => sockets.emit("connection", webSocket, request));
  });

  const service = useServer<Record<string, unknown>, Connection>(
    {
      async onConnect({ connectionParams, extra }) {
        const token = tokenIn(connectionParams);
        if (token === undefined) return true;
        try {
          const viewer = await services.sessions.viewer(token);
          if (!viewer) return false;
          if (extra.socket.readyState !== extra.socket.OPEN) return false; // gone while we looked: its close has been and went
          Object.assign(extra, { token, viewer });
          await services.presence.opened(viewer.id);
          return true;
        } catch (error) {
          log.debug({ error: String(error) }, "could not look up a session");
          extra.socket.close(CLOSE.TRY_LATER, "Redis does not answer. Try again in a moment.");
          return false;
        }
      },

      async onSubscribe({ extra }, _id, payload) {
        metrics.operations.inc({ transport: "websocket" });
        try {
          if (extra.token !== undefined && !(await services.sessions.viewer(extra.token))) {
            extra.socket.close(CLOSE.SESSION_OVER, "The session is over. Log in again.");
            return [refusal("UNAUTHENTICATED")];
          }
          const document = prepare(schema, rules, payload);
          if (Array.isArray(document)) return document;
          return {
            schema,
            document,
            operationName: payload.operationName,
            variableValues: payload.variables,
            contextValue: createContext(services, extra.viewer ?? null),
          };
        } catch (error) {
          return [mask(error)];
        }
      },

      execute: (args) => run(args, mask),
      subscribe: (args) => subscribe<Context>(args, ({ viewer }) => createContext(services, viewer), mask),

      onClose({ extra: { viewer } }) {
        if (!viewer) return;
        const release = services.presence
          .closed(viewer.id)
          .catch((error: Error) => log.debug({ error: error.message }, "could not note that a connection closed; the next lease does"))
          .finally(() => releases.delete(release));
        releases.add(release);
      },
    },
    sockets,
  );

  return {
    get size() {
      return sockets.clients.size;
    },
    async stop() {
      for (const socket of sockets.clients)
        socket.close(CLOSE.RESTARTING, `The server restarts. Come back within ${SPREAD} s, at a moment of your own.`);
      await Promise.all([...sockets.clients].map(gone));
      await service.dispose();
      await Promise.all(releases);
    },
  };
}

/** Resolves when the socket is closed; one that does not answer is cut. */
function gone(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState === socket.CLOSED) return resolve();
    const cut = setTimeout(() => socket.terminate(), PATIENCE);
    socket.once("close", () => {
      clearTimeout(cut);
      resolve();
    });
  });
}

/** The status line that turns an upgrade down; undefined where it may go on. */
function refuseUpgrade({ url = "", headers }: IncomingMessage, allowedOrigins: string[]): string | undefined {
  if (url.split("?")[0] !== "/graphql") return "404 Not Found";
  const { origin, host } = headers;
  // A page of another origin could otherwise speak for whoever looks at it.
  const sameOrigin = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
  return sameOrigin || allowedOrigins.includes(origin ?? "") ? undefined : "403 Forbidden";
}

/** The token in `connectionParams.authorization`, in whatever letter case the key is: GraphiQL sends headers as typed. */
function tokenIn(params: Record<string, unknown> | undefined): string | undefined {
  const entry = Object.entries(params ?? {}).find(([key]) => key.toLowerCase() === "authorization");
  return bearerToken(entry?.[1]);
}
