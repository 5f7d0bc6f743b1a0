import { Client, type CombinedError, fetchExchange, mapExchange, type OperationResult } from "@urql/core";
import { pause } from "./pause";

/**
 * Queries and mutations, over HTTP. The session is in a cookie, which the browser sends by itself. Without a cache: what
 * the page shows is kept up to date by subscriptions, not by asking again.
 */
export function createHttpClient(onSessionOver = () => {}): Client {
  return new Client({
    url: "/graphql",
    preferGetMethod: false,
    // For this type a refusal is an answer like any other, with status 200; browsers log others as failures.
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

const ANSWER_WITHIN = 15_000; // ms; a network that vanished does not say so

/** An operation that was answered with errors, or not at all. */
export class Refused extends Error {
  readonly code: unknown;
  readonly retryable: boolean;
  /** Seconds after which to try again; undefined where the server does not say. */
  readonly retryAfter: number | undefined;

  constructor(error: CombinedError | undefined) {
    const first = error?.graphQLErrors[0];
    super(first?.message ?? "The server cannot be reached.");
    this.code = first?.extensions.code;
    this.retryable = first ? first.extensions.retryable === true : true;
    this.retryAfter = typeof first?.extensions.retryAfter === "number" ? first.extensions.retryAfter : undefined;
  }
}

/** Root fields that can be null though nothing was refused: there is no such thing. */
type MayBeMissing = "me" | "session" | "room";

/** Other fields that are null where they were refused, and only there. */
type MayBeRefused = "messages" | "members";

/** A part of an answer without errors: nothing in it was refused. */
export type Whole<Part> = Part extends (infer Entry)[]
  ? Whole<Entry>[]
  : Part extends object
    ? { [Field in keyof Part]: Whole<Field extends MayBeRefused ? NonNullable<Part[Field]> : Part[Field]> }
    : Part;

/** An answer without errors. */
export type Answered<Data> = { [Field in keyof Data]: Whole<Field extends MayBeMissing ? Data[Field] : NonNullable<Data[Field]>> };

/**
 * The data of a query or mutation.
 * @throws Refused
 */
export async function ask<Data>(request: PromiseLike<OperationResult<Data>>): Promise<Answered<Data>> {
  const { data, error } = await request;
  if (error || !data) throw new Refused(error);
  return data as Answered<Data>;
}

/**
 * Asks until there is an answer.
 * @throws Refused for what asking again does not mend
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
