/** The largest body of a request and the largest frame of a socket, in bytes. */
export const LARGEST_REQUEST = 64 * 1024;

/** The body of an error response, in GraphQL's form, to a request without an operation. */
export interface Problem {
  errors: { message: string; extensions: { code: string; retryable: false } }[];
}

const SENTENCES: Record<number, string> = {
  400: "The body is not valid JSON. Send a JSON object with a `query`.",
  406: "This server answers only in JSON. Accept `application/graphql-response+json` or `application/json`.",
  413: `The body is larger than ${LARGEST_REQUEST} bytes. Send a smaller one.`,
  415: "The body must be JSON. Send it with `content-type: application/json`.",
};

/** The body of a response to a request that is refused before GraphQL sees it. @param said replaces the usual message of the status */
export function problem(status: number, said?: string): Problem {
  const usual = status < 500 ? "The request is not valid." : "Something went wrong on the server, which logged it.";
  const code = status >= 500 ? "INTERNAL_SERVER_ERROR" : status === 404 ? "NOT_FOUND" : "BAD_REQUEST";
  return { errors: [{ message: said ?? SENTENCES[status] ?? usual, extensions: { code, retryable: false } }] };
}
