import { existsSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { fileURLToPath } from "node:url";
import { ApolloServer, type ApolloServerPlugin } from "@apollo/server";
import { ApolloServerPluginCacheControlDisabled, ApolloServerPluginLandingPageDisabled } from "@apollo/server/plugin/disabled";
import { fastifyApolloHandler } from "@as-integrations/fastify";
import cors from "@fastify/cors";
import files from "@fastify/static";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { GraphQLError, type GraphQLSchema, parse } from "graphql";
import type { Logger } from "pino";
import type { Config } from "../config.js";
import type { Context } from "../context.js";
import { badInput, refusal } from "../errors.js";
import type { SessionWatches } from "../sessions/session-watch.js";
import type { AddressOf } from "./address.js";
import { compressAnswers } from "./compression.js";
import { createContext, type Services } from "./context.js";
import { cookiesWith, cookieTokens } from "./cookie.js";
import { credentialOf, DEAD_TOKEN, isOpenToAll, viewerOf } from "./credentials.js";
import { serveExports } from "./export.js";
import { graphiqlPage } from "./graphiql.js";
import { hostProblem } from "./host.js";
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

const METHODS = ["GET", "POST", "OPTIONS"]; // at /graphql

const LONGEST_ECHO = 200; // characters of what a client sent that an error repeats

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
  /** The address that a client's share is counted by; undefined for this very machine. */
  addressOf: AddressOf;
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

  compressAnswers(app);
  app.addHook("onSend", async (_request, reply) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) if (!reply.hasHeader(name)) reply.header(name, value);
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ err: error }, "a request failed for a reason of ours");
    reply.code(status).send(problem(status));
  });
  app.setNotFoundHandler(({ url, method }, reply) => {
    const path = pathOf(url);
    const allowed = (["GET", "POST"] as const).filter((other) => app.hasRoute({ url: path, method: other }));
    if (allowed.length > 0) return refuseMethod(reply, method, allowed);
    const message = `Nothing is at ${path.slice(0, LONGEST_ECHO)}. The API is at /graphql.`;
    return reply.code(404).send({ errors: [{ message, extensions: { code: "NOT_FOUND", retryable: false } }] });
  });
  app.addHook("onRequest", async ({ method, headers }, reply) => {
    const problem = hostProblem(headers.host, config);
    if (problem !== undefined) return reply.code(421).send({ errors: [mask(refusal("FORBIDDEN", problem))] });
    if (isAllowedOrigin(headers, config.allowedOrigins)) return;
    return refuseOrigin(method, headers, reply, mask);
  });
  app.addHook("onRequest", async ({ url, method }, reply) => {
    if (pathOf(url) !== "/graphql") return;
    reply.header("cache-control", "no-store"); // also what a GET brings depends on who asks
    if (method === "OPTIONS") reply.header("allow", METHODS.join(", "));
    else if (!METHODS.includes(method)) return refuseMethod(reply, method, METHODS);
  });
  if (config.allowedOrigins.length > 0)
    await app.register(cors, { origin: config.allowedOrigins, credentials: true, strictPreflight: false, maxAge: 600 /* seconds */ });
  app.options("/graphql", (_request, reply) => reply.code(204).send());

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

async function serveGraphQL(app: FastifyInstance, { config, addressOf, schema, services, metrics, mask }: Parts): Promise<void> {
  const apollo = new ApolloServer<Context>({
    schema,
    introspection: true, // the rules below decide, as they do for sockets
    parseOptions: { maxTokens: MOST_TOKENS },
    validationRules: extraRules(config.introspection),
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false, // main.ts does, in an order that keeps Redis until the end
    formatError: (_formatted, error) => mask(error).toJSON(),
    csrfPrevention: false, // `isForgeable` decides
    plugins: [
      emptyNames,
      refuseEarly(schema),
      statuses,
      retryables,
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginCacheControlDisabled(),
    ],
  });
  await apollo.start();
  app.addHook("onClose", () => apollo.stop());

  const answer = fastifyApolloHandler<Context, FastifyInstance["server"]>(apollo, {
    context: async ({ raw, body, query }, reply) => {
      metrics.operations.inc({ transport: "http" });
      const asked = askedIn(raw.method === "GET" ? query : body);
      const unfit = conditionalSubscription(asked.query);
      if (unfit) throw withStatus(unfit, 400);
      const given = credentialOf(raw);
      const viewer = await viewerOf(services, given);
      const byCookie = given?.token !== undefined && given.byCookie;
      // A browser sends a dead cookie by itself, and the page cannot know of it: that is nobody's request.
      if (given && !viewer && !byCookie && !runsForAll(schema, asked))
        throw withStatus(refusal("UNAUTHENTICATED", given.token === undefined ? given.refused : DEAD_TOKEN), 401);
      const setCookie = (value: string | null) => {
        reply.removeHeader("set-cookie").header("set-cookie", cookiesWith(value, raw, config.proxies)); // by itself it would add more
      };
      return createContext(services, viewer, { address: addressOf(raw), byCookie, setCookie });
    },
  });
  app.removeContentTypeParser("text/plain"); // which a form of another site can send
  app.route({
    method: ["GET", "POST"],
    url: "/graphql",
    exposeHeadRoute: false,
    async onRequest({ headers }) {
      if (headers.accept !== undefined) headers.accept = withoutUnknownParameters(headers.accept);
    },
    async handler(request, reply) {
      if (!config.playground || !isBrowserVisit(request)) {
        if (isForgeable(request)) return reply.code(400).send(problem(400, FORGEABLE));
        return answer.call(app, request, reply);
      }
      const { html, gzipped, policy } = await graphiqlPage();
      reply.type("text/html; charset=utf-8").headers({ vary: "accept, accept-encoding", "content-security-policy": policy });
      if (!/\bgzip\b/.test(request.headers["accept-encoding"] ?? "")) return reply.send(html);
      return reply.header("content-encoding", "gzip").send(gzipped);
    },
  });
}

/** The page at `/`, where it has been built. Its files were compressed then, and those in `assets/` have a hash of their content in the name. */
async function serveClientExample(app: FastifyInstance): Promise<void> {
  if (!existsSync(CLIENT_EXAMPLE)) return;
  await app.register(async (page) => {
    page.addHook("onSend", async ({ url }, reply) => {
      if (reply.statusCode >= 400) return;
      const vary = reply.getHeader("vary");
      reply.header("vary", vary ? `${vary}, accept-encoding` : "accept-encoding");
      reply.header("cache-control", url.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache");
    });
    await page.register(files, { root: CLIENT_EXAMPLE, preCompressed: true, cacheControl: false });
  });
}

function isBrowserVisit({ method, headers, query }: FastifyRequest): boolean {
  return method === "GET" && /\btext\/html\b/.test(headers.accept ?? "") && !("query" in (query as object));
}

/** Answers a page of an origin that is not allowed: the page may read why, and nothing else. */
function refuseOrigin(
  method: string,
  { origin = "", ...headers }: IncomingHttpHeaders,
  reply: FastifyReply,
  mask: Parts["mask"],
): FastifyReply {
  // Without credentials: the answer does not depend on them.
  if (origin !== "") reply.headers({ "access-control-allow-origin": origin, vary: "origin" });
  const asked = headers["access-control-request-headers"] ?? "";
  if (method === "OPTIONS" && headers["access-control-request-method"] !== undefined) {
    // Or the browser would not send the request that is to be refused. The answer is not kept, as settings change.
    reply.headers({ "access-control-allow-methods": METHODS.join(", "), "access-control-max-age": "0" });
    if (/^[\w\s,-]+$/.test(asked)) reply.header("access-control-allow-headers", asked);
    return reply.code(204).send();
  }
  const error = mask(refusal("FORBIDDEN", "Pages of this origin may not use this API; the setting ALLOWED_ORIGINS lets them."));
  return reply.code(403).send({ errors: [error] });
}

function refuseMethod(reply: FastifyReply, method: string, allowed: readonly string[]): FastifyReply {
  const message = `${method} is not understood here. ${allowed.join(" and ")} ${allowed.length > 1 ? "are" : "is"}.`;
  return reply
    .code(405)
    .header("allow", allowed.join(", "))
    .send({ errors: [{ message, extensions: { code: "BAD_REQUEST", retryable: false } }] });
}

const FORGEABLE =
  "A link of another site could have made this request with the browser's cookie. Send it by POST, or with a header `apollo-require-preflight: true`.";

/**
 * Whether a page of another site could make a browser send this GET in the name of its user. A POST cannot be: it has to be JSON, which
 * needs the server's consent, as a header of the page's own does. Neither can be what has no cookie of ours: it is nobody's, or has a token that
 * the page knows. And a browser says which requests are of our own page.
 */
function isForgeable({ method, headers, raw }: FastifyRequest): boolean {
  if (method !== "GET" || cookieTokens(raw) === undefined) return false;
  if (headers["sec-fetch-site"] === "same-origin" && headers["sec-fetch-dest"] === "empty") return false;
  if (headers["apollo-require-preflight"] || headers["x-apollo-operation-name"]) return false;
  // Browsers add `Basic` by themselves, for a proxy that asked for it.
  return !/^\s*Bearer\s/i.test(headers.authorization ?? "") && !/^application\/json\b/i.test(headers["content-type"] ?? "");
}

/** The media types of GraphQL without parameters that mean nothing: a client that sends some gets its answer all the same. */
function withoutUnknownParameters(accept: string): string {
  return accept
    .split(",")
    .map((range) => {
      const [type = "", ...parameters] = range.split(";");
      if (!/^\s*application\/(graphql-response\+)?json\s*$/i.test(type)) return range;
      return [type, ...parameters.filter((parameter) => /^\s*q\s*=/i.test(parameter))].join(";");
    })
    .join(",");
}

/** What an operation over HTTP says. */
interface AskedOverHttp {
  query: string;
  operationName: string | null;
}

/** Reads what may be any JSON. Of anything but an operation nothing is left: Apollo Server refuses it in words. */
function askedIn(said: unknown): AskedOverHttp {
  const { query, operationName } = (said ?? {}) as Record<string, unknown>;
  return {
    query: typeof query === "string" ? query : "",
    operationName: typeof operationName === "string" && operationName !== "" ? operationName : null,
  };
}

/** Whether it can run for someone whose session is over; also where it cannot be read, which is told then. */
function runsForAll(schema: GraphQLSchema, { query, operationName }: AskedOverHttp): boolean {
  try {
    return isOpenToAll(schema, parse(query, { maxTokens: MOST_TOKENS }), operationName);
  } catch {
    return true;
  }
}

const withStatus = (error: GraphQLError, status: number) =>
  new GraphQLError(error.message, { ...placeOf(error), extensions: { ...error.extensions, http: { status } } });

const pathOf = (url: string) => url.split("?")[0] ?? "";

/** Some clients say `""` for an operation without a name. */
const emptyNames: ApolloServerPlugin<Context> = {
  async requestDidStart({ request }) {
    if (request.operationName === "") delete request.operationName;
  },
};

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
