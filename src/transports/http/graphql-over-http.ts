import type { FastifyReply, FastifyRequest } from "fastify";
import { type ExecutionResult, GraphQLError, getOperationAST } from "graphql";
import { createHandler, type RequestParams, type Response } from "graphql-http";
import { badInput } from "../../util/errors.js";
import { cookiesWith, cookieTokens } from "../gate/cookie.js";
import { checkCredential, credentialOf, viewerOf } from "../gate/credentials.js";
import type { Gate } from "../gate/gate.js";
import { problem } from "./problem.js";

const LONGEST_WAIT = 10_000; // ms that an operation of a client over its budget waits; then it is refused

const RESPONSE_JSON = "application/graphql-response+json";

/** The HTTP status by the error's code, whatever media type the client accepts. Other codes get the library's 200 or 400. */
const STATUS: Partial<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  BAD_REQUEST: 405,
  RATE_LIMITED: 429,
  INTERNAL_SERVER_ERROR: 500,
  UNAVAILABLE: 503,
};

/** Answers queries and mutations over HTTP: https://graphql.github.io/graphql-over-http/draft/ */
export function graphqlOverHttp({ config, addressOf, schema, contexts, doorkeeper, budgets, operations, metrics, mask }: Gate) {
  const handle = createHandler<FastifyRequest, FastifyReply>({
    async onSubscribe({ raw: request, context: reply }, params) {
      metrics.operations.inc({ transport: "http" });
      const result = await answer(request, reply, params).catch((error: unknown) => ({ errors: [mask(error)] }));
      // Without data the whole request failed, which the status shows.
      return "data" in result ? result : refuse(request, result.errors ?? []);
    },
    formatError: (error) => (error instanceof GraphQLError ? error : badRequest(`${error.message}.`)),
  });

  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    if (isForgeable(request)) return reply.code(400).send(problem(400, FORGEABLE));
    const { method, url, headers, body } = request;
    const [text, { status, headers: more = {} }] = await handle({
      method,
      url,
      headers: { ...headers, accept: withoutUnknownParameters(headers.accept ?? "*/*") },
      body: body as Record<string, unknown> | null,
      raw: request,
      context: reply,
    });
    return reply
      .code(status)
      .headers(more)
      .send(text ?? problem(status));
  };

  /** @throws the error with which the operation is refused before it runs */
  async function answer({ raw, method }: FastifyRequest, reply: FastifyReply, asked: RequestParams): Promise<ExecutionResult> {
    const address = addressOf(raw);
    const given = credentialOf(raw);
    const viewer = await viewerOf(doorkeeper, given);
    const payer = budgets.payerOf(viewer?.id, address, address === undefined ? raw.socket : undefined);
    const admitted = await operations.admit(asked, { payer, viewer, patience: LONGEST_WAIT, isGone: () => reply.raw.closed });
    if (Array.isArray(admitted)) return { errors: admitted.map(mask) };
    const { document, operationName, share } = admitted;
    if (reply.raw.closed) share.release();
    else reply.raw.once("close", () => share.release());
    const byCookie = given?.token !== undefined && given.byCookie;
    // A browser sends an expired cookie automatically, and the page cannot see it: such a request is anonymous.
    checkCredential(schema, admitted, byCookie ? undefined : given, viewer);
    const kind = getOperationAST(document, operationName)?.operation;
    if (kind === "mutation" && method === "GET") throw badRequest("A mutation cannot be sent by GET. Send it by POST.");
    if (kind === "subscription")
      throw badInput("query", "must be a query or a mutation over HTTP. Open a WebSocket at the same address for subscriptions.");
    const setCookie = (value: string | null) => {
      reply.removeHeader("set-cookie").header("set-cookie", cookiesWith(value, raw, config.proxies)); // or Fastify would append to it
    };
    const contextValue = contexts.of(viewer, { address, byCookie, setCookie });
    return operations.run({ schema, document, operationName, variableValues: asked.variables ?? null, contextValue }, admitted);
  }
}

/** The error for a problem of the request, not of its operation. */
const badRequest = (sentence: string) => new GraphQLError(sentence, { extensions: { code: "BAD_REQUEST", retryable: false } });

function refuse({ headers }: FastifyRequest, errors: readonly GraphQLError[]): Response | readonly GraphQLError[] {
  const { code, retryAfter } = errors[0]?.extensions ?? {};
  const status = STATUS[String(code)];
  if (status === undefined) return errors;
  const type = headers.accept?.includes(RESPONSE_JSON) ? RESPONSE_JSON : "application/json";
  const more = { ...(status === 405 && { allow: "POST" }), ...(status === 429 && { "retry-after": String(retryAfter) }) };
  return [JSON.stringify({ errors }), { status, statusText: "", headers: { "content-type": `${type}; charset=utf-8`, ...more } }];
}

const FORGEABLE =
  "A link on another site could have caused this request with the browser's cookie. Send it by POST, or add the header `apollo-require-preflight: true`.";

/**
 * Whether a page of another site could make a browser send this GET on behalf of its user. It cannot forge a POST: that has to be JSON,
 * which needs a preflight, as custom headers do. A request without a session cookie is safe too: it is anonymous, or has a token that the
 * page knows. And browsers mark requests from Palaver's own page.
 */
function isForgeable({ method, headers, raw }: FastifyRequest): boolean {
  if (method !== "GET" || cookieTokens(raw) === undefined) return false;
  if (headers["sec-fetch-site"] === "same-origin" && headers["sec-fetch-dest"] === "empty") return false;
  if (headers["apollo-require-preflight"] || headers["x-apollo-operation-name"]) return false;
  // Browsers add `Basic` automatically, for a proxy that asked for it.
  return !/^\s*Bearer\s/i.test(headers.authorization ?? "") && !/^application\/json\b/i.test(headers["content-type"] ?? "");
}

/** Removes parameters other than `q` from GraphQL's media types, so that a client that sends some still gets its answer. */
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
