import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ApolloServer, type ApolloServerPlugin } from "@apollo/server";
import { ApolloServerPluginCacheControlDisabled, ApolloServerPluginLandingPageDisabled } from "@apollo/server/plugin/disabled";
import { fastifyApolloHandler } from "@as-integrations/fastify";
import cors from "@fastify/cors";
import files from "@fastify/static";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { GraphQLError, type GraphQLSchema } from "graphql";
import type { Logger } from "pino";
import type { Config } from "../config.js";
import type { Context } from "../context.js";
import { badInput, refusal } from "../errors.js";
import type { SessionWatches } from "../sessions/session-watch.js";
import { clientAddress } from "./address.js";
import { bearerToken, createContext, type Services } from "./context.js";
import { cookieToken, cookieWith } from "./cookie.js";
import { serveExports } from "./export.js";
import { graphiqlPage } from "./graphiql.js";
import { checkCost, MOST_TOKENS } from "./limits.js";
import { placeOf } from "./mask-error.js";
import type { Metrics } from "./metrics.js";
import { conditionalSubscription, extraRules } from "./operations.js";
import { isAllowedOrigin } from "./origin.js";
import { onlyTrulyRetryable } from "./repetition.js";

/** The largest body of a request and the largest frame of a socket, in bytes. */
export const LARGEST_REQUEST = 64 * 1024;

const LONGEST_HEAD = 10_000; // ms from the connection, or the request before, until a request's headers are there
const LONGEST_BODY = 20_000; // ms until all of it is there
const LONGEST_SILENCE = 20_000; // ms in which nothing passes, in either direction: the client asks no more, or does not read

const CLIENT_EXAMPLE = fileURLToPath(new URL("../../client-example/dist", import.meta.url));

/** What browsers are told about every answer: our pages take everything from here, and no other site may frame or open them. */
const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** What a server's transports are made of. */
export interface Parts {
  config: Config;
  schema: GraphQLSchema;
  services: Services;
  /** Watches over the sessions behind sockets and streams. */
  watches: SessionWatches;
  metrics: Metrics;
  /** The error as a client may see it. */
  mask: (error: unknown) => GraphQLError;
  log: Logger;
}

/** Everything that is served over HTTP, ready to listen. */
export async function createHttpServer(parts: Parts): Promise<FastifyInstance> {
  const { config, metrics, services, mask, log } = parts;
  const app = fastify({
    http: { headersTimeout: LONGEST_HEAD, connectionsCheckingInterval: LONGEST_HEAD / 5 },
    requestTimeout: LONGEST_BODY,
    connectionTimeout: LONGEST_SILENCE,
    loggerInstance: log.child({}, { level: "warn" }),
    bodyLimit: LARGEST_REQUEST,
    forceCloseConnections: "idle",
    frameworkErrors: (_error, _request, reply: FastifyReply) => reply.code(400).send(problem(400, "The address cannot be understood.")),
  }) as unknown as FastifyInstance;

  app.addHook("onSend", async (_request, reply) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) if (!reply.hasHeader(name)) reply.header(name, value);
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ err: error }, "a request failed for a reason of ours");
    reply.code(status).send(problem(status));
  });
  app.setNotFoundHandler((request, reply) => {
    reply.code(404).send({
      errors: [
        {
          message: `Nothing is at ${request.url.split("?")[0]}. The API is at /graphql.`,
          extensions: { code: "NOT_FOUND", retryable: false },
        },
      ],
    });
  });
  app.addHook("onRequest", async ({ headers }, reply) => {
    if (isAllowedOrigin(headers, config.allowedOrigins)) return;
    const error = mask(refusal("FORBIDDEN", "Pages of this origin may not use this API; the setting ALLOWED_ORIGINS lets them."));
    return reply.code(403).send({ errors: [error] });
  });
  if (config.allowedOrigins.length > 0)
    await app.register(cors, { origin: config.allowedOrigins, credentials: true, maxAge: 600 /* seconds */ });

  app.get("/healthz", () => ({ alive: true }));
  app.get("/readyz", async (_request, reply) => {
    const readiness = await services.readiness();
    return reply
      .code(readiness.ready ? 200 : 503)
      .header("cache-control", "no-store")
      .send(readiness);
  });
  app.get("/metrics", async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()));

  await serveGraphQL(app, parts);
  serveExports(app, parts);
  await serveClientExample(app);
  return app;
}

async function serveGraphQL(app: FastifyInstance, { config, schema, services, metrics, mask }: Parts): Promise<void> {
  const apollo = new ApolloServer<Context>({
    schema,
    introspection: true, // the rules below decide, as they do for sockets
    parseOptions: { maxTokens: MOST_TOKENS },
    validationRules: extraRules(config.introspection),
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false, // main.ts does, in an order that keeps Redis until the end
    formatError: (_formatted, error) => mask(error).toJSON(),
    plugins: [refuseEarly(schema), statuses, retryables, ApolloServerPluginLandingPageDisabled(), ApolloServerPluginCacheControlDisabled()],
  });
  await apollo.start();
  app.addHook("onClose", () => apollo.stop());

  const answer = fastifyApolloHandler<Context, FastifyInstance["server"]>(apollo, {
    context: async ({ raw, headers, body }, reply) => {
      metrics.operations.inc({ transport: "http" });
      const unfit = conditionalSubscription(String((body as { query?: unknown } | undefined)?.query));
      if (unfit) throw new GraphQLError(unfit.message, { ...placeOf(unfit), extensions: { ...unfit.extensions, http: { status: 400 } } });
      const bearer = bearerToken(headers.authorization);
      const token = bearer ?? cookieToken(raw);
      const viewer = token === undefined ? null : await services.sessions.viewer(token);
      const setCookie = (value: string | null) => {
        reply.removeHeader("set-cookie").header("set-cookie", cookieWith(value, raw, config.proxies)); // by itself it would add one more
      };
      const byCookie = bearer === undefined && token !== undefined;
      return createContext(services, viewer, { address: clientAddress(raw, config.proxies), byCookie, setCookie });
    },
  });
  app.route({
    method: ["GET", "POST"],
    url: "/graphql",
    async handler(request, reply) {
      if (!config.playground || !isBrowserVisit(request)) return answer.call(app, request, reply);
      const { html, gzipped, policy } = await graphiqlPage();
      reply.type("text/html; charset=utf-8").headers({ vary: "accept, accept-encoding", "content-security-policy": policy });
      if (!/\bgzip\b/.test(request.headers["accept-encoding"] ?? "")) return reply.send(html);
      return reply.header("content-encoding", "gzip").send(gzipped);
    },
  });
}

/** The page at `/`, where it has been built. */
async function serveClientExample(app: FastifyInstance): Promise<void> {
  if (existsSync(CLIENT_EXAMPLE)) await app.register(files, { root: CLIENT_EXAMPLE });
}

function isBrowserVisit({ method, headers, query }: FastifyRequest): boolean {
  return method === "GET" && /\btext\/html\b/.test(headers.accept ?? "") && !("query" in (query as object));
}

/** Refuses operations that parse and fit the schema, and still must not run here. */
function refuseEarly(schema: GraphQLSchema): ApolloServerPlugin<Context> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ document, operation, operationName, request }) {
          if (operation?.operation === "subscription") {
            throw badInput("query", "must be a query or a mutation here. Subscriptions run over a WebSocket at the same address.");
          }
          checkCost(schema, document, operationName, request.variables ?? {});
        },
      };
    },
  };
}

/**
 * The status of a response in GraphQL's form. Clients that accept only `application/json` know no other than 200.
 * https://graphql.github.io/graphql-over-http/draft/#sec-application-json
 */
const statuses: ApolloServerPlugin<Context> = {
  async requestDidStart() {
    return {
      async willSendResponse({ request, response, errors }) {
        const accept = request.http?.headers.get("accept") ?? "";
        if (!accept.includes("application/graphql-response+json") && accept.includes("application/json")) response.http.status = 200;
        else if (response.http.status === 500 && errors?.every(isOfTheClient)) response.http.status = 400;
      },
    };
  },
};

/** As for sockets, see `onlyTrulyRetryable`. */
const retryables: ApolloServerPlugin<Context> = {
  async requestDidStart() {
    return {
      async willSendResponse({ schema, document, operationName, request, response: { body } }) {
        if (!document || body.kind !== "single" || !body.singleResult.errors) return;
        const ran = { schema, document, operationName, variableValues: request.variables };
        body.singleResult.errors = onlyTrulyRetryable(ran, body.singleResult.errors, (error, message, extensions) => ({
          ...error,
          message,
          extensions,
        }));
      },
    };
  },
};

const isOfTheClient = ({ extensions }: GraphQLError) => extensions.code !== "INTERNAL_SERVER_ERROR" && extensions.code !== "UNAVAILABLE";

/** What a request gets that is refused before GraphQL sees it. */
function problem(status: number, said?: string): object {
  const messages: Record<number, string> = {
    400: "The body is not valid JSON.",
    413: `The body is larger than ${LARGEST_REQUEST} bytes.`,
    415: "The body must be JSON, with `content-type: application/json`.",
  };
  const message =
    said ??
    messages[status] ??
    (status < 500 ? "The request cannot be understood." : "Something went wrong on the server. It has been logged.");
  return { errors: [{ message, extensions: { code: status < 500 ? "BAD_REQUEST" : "INTERNAL_SERVER_ERROR", retryable: false } }] };
}
