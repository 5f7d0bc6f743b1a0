import { existsSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { fileURLToPath } from "node:url";
import cors from "@fastify/cors";
import files from "@fastify/static";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { HttpGate } from "../../feature.js";
import { refusal } from "../../util/errors.js";
import { credentialOf, DEAD_TOKEN, viewerOf } from "../gate/credentials.js";
import type { Gate } from "../gate/gate.js";
import { hostProblem } from "../gate/host.js";
import { isAllowedOrigin } from "../gate/origin.js";
import { compressAnswers } from "./compression.js";
import { graphiqlPage } from "./graphiql.js";
import { graphqlOverHttp } from "./graphql-over-http.js";
import { LARGEST_REQUEST, problem } from "./problem.js";

const LONGEST_HEAD = 10_000; // ms from the connection, or the previous request, until a request's headers have arrived
const LONGEST_BODY = 20_000; // ms until the whole request has arrived
const LONGEST_SILENCE = 20_000; // ms without data in either direction: the client sends no request, or does not read

const METHODS = ["GET", "POST", "OPTIONS"]; // at /graphql

const LONGEST_ECHO = 200; // characters of a client's text that an error repeats

const CLIENT_EXAMPLE = fileURLToPath(new URL("../../../client-example/dist", import.meta.url));

/** Headers of every answer: Palaver's pages load everything from this server, and no other site may frame or open them. */
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

/** Adds routes to the server. */
export type AddRoutes = (app: FastifyInstance, gate: HttpGate) => void;

/** Creates the HTTP server with all routes, ready to listen. */
export async function createHttpServer(gate: Gate, addRoutes: AddRoutes): Promise<FastifyInstance> {
  const { config, metrics, readiness: look, mask, log } = gate;
  const app = fastify({
    http: { headersTimeout: LONGEST_HEAD, connectionsCheckingInterval: LONGEST_HEAD / 5 },
    requestTimeout: LONGEST_BODY,
    connectionTimeout: LONGEST_SILENCE,
    loggerInstance: log.child({}, { level: "warn" }),
    bodyLimit: LARGEST_REQUEST,
    forceCloseConnections: "idle",
    frameworkErrors: (_error, _request, reply: FastifyReply) => reply.code(400).send(problem(400, "The address is not valid.")),
  }) as unknown as FastifyInstance;

  compressAnswers(app);
  app.addHook("onSend", async (_request, reply) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) if (!reply.hasHeader(name)) reply.header(name, value);
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ err: error }, "a request failed unexpectedly; its client gets an error");
    reply.code(status).send(problem(status));
  });
  app.setNotFoundHandler(({ url, method }, reply) => {
    const path = pathOf(url);
    const allowed = (["GET", "POST"] as const).filter((other) => app.hasRoute({ url: path, method: other }));
    if (allowed.length > 0) return refuseMethod(reply, method, allowed);
    const message = `There is nothing at ${path.slice(0, LONGEST_ECHO)}. The API is at /graphql.`;
    return reply.code(404).send(problem(404, message));
  });
  app.addHook("onRequest", async ({ method, headers }, reply) => {
    const misdirected = hostProblem(headers.host, config);
    if (misdirected !== undefined) return reply.code(421).send({ errors: [mask(refusal("FORBIDDEN", misdirected))] });
    if (isAllowedOrigin(headers, config.allowedOrigins)) return;
    return refuseOrigin(method, headers, reply, mask);
  });
  app.addHook("onRequest", async ({ url, method }, reply) => {
    if (pathOf(url) !== "/graphql") return;
    reply.header("cache-control", "no-store"); // the answer to a GET depends on the viewer too
    if (method === "OPTIONS") reply.header("allow", METHODS.join(", "));
    else if (!METHODS.includes(method)) return refuseMethod(reply, method, METHODS);
  });
  if (config.allowedOrigins.length > 0)
    await app.register(cors, { origin: config.allowedOrigins, credentials: true, strictPreflight: false, maxAge: 600 /* seconds */ });
  app.options("/graphql", (_request, reply) => reply.code(204).send());

  app.get("/healthz", () => ({ alive: true }));
  app.get("/readyz", async (_request, reply) => {
    const readiness = await look();
    return reply
      .code(readiness.ready ? 200 : 503)
      .header("cache-control", "no-store")
      .send(readiness);
  });
  app.get("/metrics", async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()));

  serveGraphQL(app, gate);
  addRoutes(app, {
    authenticate: async (request) => {
      const given = credentialOf(request);
      const viewer = await viewerOf(gate.doorkeeper, given);
      if (!viewer) throw refusal("UNAUTHENTICATED", given && (given.token === undefined ? given.refused : DEAD_TOKEN));
      return viewer;
    },
    watch: (viewer, onEnd) => gate.doorkeeper.watch(viewer, onEnd, () => true),
    mask,
  });
  await serveClientExample(app);
  return app;
}

/** Serves GraphiQL to browsers that navigate to `/graphql`, and the API to all other requests. */
function serveGraphQL(app: FastifyInstance, gate: Gate): void {
  const answer = graphqlOverHttp(gate);
  app.removeContentTypeParser("text/plain"); // which a form on another site can send
  app.route({
    method: ["GET", "POST"],
    url: "/graphql",
    exposeHeadRoute: false,
    async handler(request, reply) {
      if (!gate.config.playground || !isBrowserVisit(request)) return answer(request, reply);
      const { html, gzipped, policy } = await graphiqlPage();
      reply.type("text/html; charset=utf-8").headers({ vary: "accept, accept-encoding", "content-security-policy": policy });
      if (!/\bgzip\b/.test(request.headers["accept-encoding"] ?? "")) return reply.send(html);
      return reply.header("content-encoding", "gzip").send(gzipped);
    },
  });
}

/** Serves the page at `/`, if it is built. The build compresses its files, and puts a hash of the content into names in `assets/`. */
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

/** Refuses a page of an origin that is not allowed. The page may read only the reason. */
function refuseOrigin(
  method: string,
  { origin = "", ...headers }: IncomingHttpHeaders,
  reply: FastifyReply,
  mask: Gate["mask"],
): FastifyReply {
  // Without credentials: the answer does not depend on them.
  if (origin !== "") reply.headers({ "access-control-allow-origin": origin, vary: "origin" });
  const asked = headers["access-control-request-headers"] ?? "";
  if (method === "OPTIONS" && headers["access-control-request-method"] !== undefined) {
    // Otherwise the browser would not send the request, and the page could not read the reason. Not cached, as settings change.
    reply.headers({ "access-control-allow-methods": METHODS.join(", "), "access-control-max-age": "0" });
    if (/^[\w\s,-]+$/.test(asked)) reply.header("access-control-allow-headers", asked);
    return reply.code(204).send();
  }
  const error = mask(refusal("FORBIDDEN", "Pages of this origin may not use this API. Add the origin to the setting ALLOWED_ORIGINS."));
  return reply.code(403).send({ errors: [error] });
}

function refuseMethod(reply: FastifyReply, method: string, allowed: readonly string[]): FastifyReply {
  const message = `${method} is not allowed here. Use one of ${allowed.join(", ")}.`;
  return reply.code(405).header("allow", allowed.join(", ")).send(problem(405, message));
}

const pathOf = (url: string) => url.split("?")[0] ?? "";
