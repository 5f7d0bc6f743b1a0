import type { FastifyReply, FastifyRequest } from "fastify";
import { type ExecutionResult, GraphQLError, getOperationAST } from "graphql";
import { createHandler, type RequestParams, type Response } from "graphql-http";
import { badInput, refusal } from "../errors.js";
import { createContext } from "./context.js";
import { cookiesWith, cookieTokens } from "./cookie.js";
import { credentialOf, DEAD_TOKEN, isOpenToAll, viewerOf } from "./credentials.js";
import type { Parts } from "./http.js";
import { problem } from "./problem.js";

const LONGEST_WAIT = 10_000; // ms until an operation begins whose client took more than its share; then it is refused

const RESPONSE_JSON = "application/graphql-response+json";

/** What is refused with a status of its own, whatever the client accepts, by the error's code. All else is 200 or 400, as the library does. */
const STATUS: Partial<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  BAD_REQUEST: 405,
  RATE_LIMITED: 429,
  INTERNAL_SERVER_ERROR: 500,
  UNAVAILABLE: 503,
};

/** Answers queries and mutations over HTTP: https://graphql.github.io/graphql-over-http/draft/ */
export function graphqlOverHttp({ config, addressOf, schema, services, budgets, operations, metrics, mask }: Parts) {
  const handle = createHandler<FastifyRequest, FastifyReply>({
    async onSubscribe({ raw: request, context: reply }, params) {
      metrics.operations.inc({ transport: "http" });
      const result = await answer(request, reply, params).catch((error: unknown) => ({ errors: [mask(error)] }));
      // Without data the request itself is at fault, of which the status tells.
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

  /** @throws what the operation is refused for before it runs */
  async function answer({ raw, method }: FastifyRequest, reply: FastifyReply, asked: RequestParams): Promise<ExecutionResult> {
    const address = addressOf(raw);
    const given = credentialOf(raw);
    const viewer = await viewerOf(services, given);
    const payer = budgets.payerOf(viewer?.id, address, address === undefined ? raw.socket : undefined);
    const admitted = await operations.admit(asked, { payer, viewer, patience: LONGEST_WAIT, isGone: () => reply.raw.closed });
    if (Array.isArray(admitted)) return { errors: admitted.map(mask) };
    const { document, operationName, share } = admitted;
    if (reply.raw.closed) share.release();
    else reply.raw.once("close", () => share.release());
    const byCookie = given?.token !== undefined && given.byCookie;
    // A browser sends an expired cookie by itself, and the page cannot know: such a request is anonymous.
    if (given && !viewer && !byCookie && !isOpenToAll(schema, document, operationName))
      throw refusal("UNAUTHENTICATED", given.token === undefined ? given.refused : DEAD_TOKEN);
    const kind = getOperationAST(document, operationName)?.operation;
    if (kind === "mutation" && method === "GET") throw badRequest("A mutation must be sent by POST.");
    if (kind === "subscription")
      throw badInput("query", "must be a query or a mutation here. Subscriptions run over a WebSocket at the same address.");
    const setCookie = (value: string | null) => {
      reply.removeHeader("set-cookie").header("set-cookie", cookiesWith(value, raw, config.proxies)); // by itself it would add more
    };
    const contextValue = createContext(services, viewer, { address, byCookie, setCookie });
    return operations.run({ schema, document, operationName, variableValues: asked.variables ?? null, contextValue }, admitted);
  }
}

/** The error for what is wrong with a request rather than with its operation. */
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
