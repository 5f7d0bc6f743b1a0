import { Client, type CombinedError, fetchExchange, mapExchange, type OperationResult } from "@urql/core";
import { pause } from "./pause";

/**
 * A client for queries and mutations, over HTTP. The browser sends the session's cookie. The client has no cache, because subscriptions,
 * not repeated queries, keep the page up to date.
 */
export function createHttpClient(onSessionOver = () => {}): Client {
  return new Client({
    url: "/graphql",
    preferGetMethod: false,
    // With this type the server sends errors with status 200. Browsers log any other status as a failed request.
    fetchOptions: () => ({ headers: { accept: "application/json" }, signal: AbortSignal.timeout(ANSWER_WITHIN) }),
    exchanges: [
      mapExchange({
        onError: (error) => {
          if (new Refused(error).code === "UNAUTHENTICATED") onSessionOver();
        },
      }),
      fetchExchange,
    ],
  });
}

const ANSWER_WITHIN = 15_000; // ms; a lost network is not reported

/** The error of an operation that the server answered with errors, or not at all. */
export class Refused extends Error {
  readonly code: unknown;
  readonly retryable: boolean;
  /** Seconds to wait before a retry; undefined if the server does not say. */
  readonly retryAfter: number | undefined;

  constructor(error: CombinedError | undefined) {
    const first = error?.graphQLErrors[0];
    super(first?.message ?? "The server cannot be reached.");
    this.code = first?.extensions.code;
    this.retryable = first ? first.extensions.retryable === true : true;
    this.retryAfter = typeof first?.extensions.retryAfter === "number" ? first.extensions.retryAfter : undefined;
  }
}

/** Root fields that can be null without an error, because the object does not exist. */
type MayBeMissing = "me" | "session" | "room";

/** Other fields that are null only if they were refused. */
type MayBeRefused = "messages" | "members" | "pins";

/** A part of an answer without errors: no field in it was refused. */
export type Whole<Part> = Part extends (infer Entry)[]
  ? Whole<Entry>[]
  : Part extends object
    ? { [Field in keyof Part]: Whole<Field extends MayBeRefused ? NonNullable<Part[Field]> : Part[Field]> }
    : Part;

/** An answer without errors. */
export type Answered<Data> = { [Field in keyof Data]: Whole<Field extends MayBeMissing ? Data[Field] : NonNullable<Data[Field]>> };

/**
 * Returns the data of a query or mutation.
 * @throws Refused
 */
export async function ask<Data>(request: PromiseLike<OperationResult<Data>>): Promise<Answered<Data>> {
  const { data, error } = await request;
  if (error || !data) throw new Refused(error);
  return data as Answered<Data>;
}

/**
 * Retries a query or mutation until it is answered.
 * @throws Refused for an error that is not retryable
 */
export async function insist<Data>(request: () => PromiseLike<OperationResult<Data>>): Promise<Answered<Data>> {
  for (;;) {
    try {
      return await ask(request());
    } catch (error) {
      if (!(error instanceof Refused && error.retryable)) throw error;
      await pause((error.retryAfter ?? 2) * 1_000);
    }
  }
}
