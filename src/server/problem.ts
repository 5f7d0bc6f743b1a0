/** The largest body of a request and the largest frame of a socket, in bytes. */
export const LARGEST_REQUEST = 64 * 1024;

/** The body of an error response, in GraphQL's form, to a request without an operation. */
export interface Problem {
  errors: { message: string; extensions: { code: string; retryable: false } }[];
}

const SENTENCES: Record<number, string> = {
  400: "The body is not valid JSON.",
  406: "Only JSON can be had here: accept `application/graphql-response+json` or `application/json`.",
  413: `The body is larger than ${LARGEST_REQUEST} bytes.`,
  415: "The body must be JSON, with `content-type: application/json`.",
};

/** What a request gets that is refused before GraphQL sees it. @param said what is wrong, where the status does not say it all */
export function problem(status: number, said?: string): Problem {
  const usual = status < 500 ? "The request cannot be understood." : "Something went wrong on the server. It has been logged.";
  const code = status >= 500 ? "INTERNAL_SERVER_ERROR" : status === 404 ? "NOT_FOUND" : "BAD_REQUEST";
  return { errors: [{ message: said ?? SENTENCES[status] ?? usual, extensions: { code, retryable: false } }] };
}
