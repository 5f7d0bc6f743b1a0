import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { LimitedLog } from "../util/limited-log.js";
import { type End, readCompletion, readText } from "./completion.js";
import type { Model, Piece, Turn } from "./model.js";
import { promptOf } from "./prompt.js";
import { RESTART, ReasoningFilter } from "./reasoning.js";
import { kindOf, type Manner, otherManner, waitOf } from "./refusal.js";
import { Trouble } from "./trouble.js";

/** An OpenAI-compatible API, and the parameters of its requests. */
export interface EndpointOptions {
  /** The base URL, without a slash at its end; a query is kept. */
  url: string;
  model: string;
  key?: string | undefined;
  prompt: string;
  maxTokens: number;
  /** How long it may be silent within an answer, in ms. */
  silence: number;
}

/** Timeouts, in ms. */
export interface Patience {
  /** Until the first sign of an answer: a small machine first loads its model, then processes the conversation. */
  beginning: number;
  /** For one whole answer, however slowly it arrives. */
  answer: number;
  /** Before the first retry. It doubles with each retry, and half of it is random. */
  retry: number;
  /** The longest wait before a retry, because a user is waiting. If the endpoint asks for a longer one, there is no retry. */
  longestRetry: number;
}

const PATIENCE: Patience = { beginning: 120_000, answer: 600_000, retry: 500, longestRetry: 10_000 };
const ATTEMPTS = 3;
const LONGEST_ANSWER = 32_768; // characters, more than a message can have; some endpoints ignore max_tokens
const LONGEST_ERROR = 16 * 1_024; // bytes of an error's body that are read
const LOGGED = 300; // characters of it that are logged

/** A model behind an OpenAI-compatible API. Retries where that can help, as long as the endpoint has not begun an answer. */
export function createEndpoint(options: EndpointOptions, log: Logger, patience: Patience = PATIENCE): Model {
  return new Endpoint(options, log, patience);
}

/** Models whose prompt template has the mark that opens the reasoning, so that their answers have only the closing one. */
const UNMARKED = /\br1\b|qwq|-thinking|nemotron.*reasoning/i;

class Endpoint implements Model {
  readonly #options: EndpointOptions;
  readonly #log: LimitedLog;
  readonly #patience: Patience;
  readonly #url: URL;
  #manner: Manner = { limit: "max_tokens", isStreamed: true, hasSystem: true, isShort: false };
  /** Whether the last answer began with reasoning without an opening mark. If so, the next one is held back until the closing mark. */
  #beginsUnmarked: boolean;

  constructor(options: EndpointOptions, log: Logger, patience: Patience) {
    this.#options = options;
    this.#log = new LimitedLog(log);
    this.#patience = patience;
    this.#url = new URL(options.url);
    this.#url.pathname = `${this.#url.pathname.replace(/\/$/, "")}/chat/completions`;
    this.#beginsUnmarked = UNMARKED.test(options.model);
  }

  async *answer(turns: Turn[], signal: AbortSignal): AsyncGenerator<Piece> {
    let manner = this.#manner;
    for (let attempt = 1; ; ) {
      const begun = { any: false };
      try {
        signal.throwIfAborted();
        yield* this.#ask(turns, manner, begun, signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        const trouble = error instanceof Trouble ? error : dropped(error, begun.any);
        const other = begun.any ? undefined : this.#otherManner(manner, turns, trouble);
        const wait = other ? 0 : this.#waitBefore(attempt, trouble);
        const isLast = begun.any || wait === undefined || (!other && attempt === ATTEMPTS);
        this.#report(trouble, attempt);
        if (isLast) throw trouble.toFailure();
        if (other) manner = other;
        else attempt++;
        await delay(wait, undefined, { signal });
      }
    }
  }

  /**
   * Sends one request.
   * @param begun set once the endpoint is working on an answer, which may cost money
   * @throws Trouble; the connection's error; the reason with which `signal` was aborted
   */
  async *#ask(turns: Turn[], manner: Manner, begun: { any: boolean }, signal: AbortSignal): AsyncGenerator<Piece> {
    const watch = new Watch(signal, this.#patience.answer);
    const filter = new ReasoningFilter(this.#beginsUnmarked, LONGEST_ANSWER);
    let length = 0;
    let half = ""; // first half of a character that two chunks share
    const shown = function* (pieces: Iterable<Piece>): Generator<Piece> {
      for (const given of pieces) {
        if (given === RESTART) {
          if (length > 0) yield RESTART;
          length = 0;
          half = "";
          continue;
        }
        const piece = (half + given).slice(0, LONGEST_ANSWER - length);
        half = /[\uD800-\uDBFF]$/.exec(piece)?.[0] ?? "";
        const rest = piece.slice(0, piece.length - half.length).toWellFormed();
        const whole = length === 0 ? rest.trimStart() : rest; // after reasoning, many models begin with empty lines
        length += whole.length;
        if (whole === "") continue;
        watch.pause(); // the consumer may take its time
        yield whole;
      }
    };
    try {
      watch.expect(this.#patience.beginning);
      for await (const { text, isThinking, end } of readCompletion(await this.#post(turns, manner, watch.signal))) {
        begun.any ||= isThinking || text.trim() !== "";
        yield* shown(filter.add(text));
        if (end !== undefined || length + half.length >= LONGEST_ANSWER) {
          yield* shown(filter.end(end === "whole"));
          if (end === "whole") this.#beginsUnmarked = filter.hasBegunUnmarked;
          this.#check(length, end ?? "length");
          return;
        }
        if (text !== "" || isThinking) watch.expect(this.#options.silence); // comments and empty chunks do not count as a sign of life
      }
      yield* shown(filter.end(false));
      throw dropped("the stream ended within the answer", begun.any);
    } finally {
      watch.end();
    }
  }

  /** @throws Trouble unless the answer is complete */
  #check(length: number, end: End): void {
    if (end === "filtered") throw new Trouble("filtered");
    if (length === 0) throw new Trouble("empty", { end });
    if (end === "length") throw new Trouble("cut", { end });
    if (end === "error") throw new Trouble("brokenOff", { end });
  }

  async #post(turns: Turn[], { limit, isStreamed, hasSystem, isShort }: Manner, signal: AbortSignal): Promise<Response> {
    const { model, key, prompt, maxTokens } = this.#options;
    const messages = promptOf(prompt, isShort ? shortened(turns) : turns, hasSystem);
    const response = await fetch(this.#url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "text/event-stream, application/json",
        "accept-encoding": "identity", // compression would hold pieces back
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({ model, messages, stream: isStreamed, [limit]: maxTokens }),
      redirect: "manual", // the key and the conversation must not reach another host
      signal,
    });
    if (response.ok) return response;
    const said = response.body === null ? "" : await readText(response.body, LONGEST_ERROR);
    const { status, headers } = response;
    throw new Trouble(kindOf(status, said), { status, said, retryAfter: headers.get("retry-after") ?? "" });
  }

  /** The form to use instead, if the endpoint objects to the form of the request. */
  #otherManner(manner: Manner, turns: Turn[], { why: { said } }: Trouble): Manner | undefined {
    const other = typeof said === "string" ? otherManner(manner, said) : undefined;
    if (other?.isShort && shortened(turns).length === turns.length) return undefined;
    if (other) this.#manner = { ...other, isShort: false };
    return other;
  }

  /** How long to wait before a retry, in ms; undefined if a retry cannot help, or would take too long. */
  #waitBefore(attempt: number, { retryable, why }: Trouble): number | undefined {
    if (!retryable) return undefined;
    const { retry, longestRetry } = this.#patience;
    const asked = waitOf(String(why.retryAfter ?? ""), String(why.said ?? ""));
    if (asked > longestRetry) return undefined;
    return Math.max(asked, Math.min(longestRetry, retry * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2));
  }

  /** Logs the endpoint's response for the operator, without the key, in case the response repeats it. */
  #report({ kind, why }: Trouble, attempt: number): void {
    const { key, model } = this.#options;
    const { said, ...details } = why;
    const shown = typeof said === "string" ? said.replaceAll(key ?? "\0", "[key]").slice(0, LOGGED) : undefined;
    this.#log.warn(
      `${kind} ${details.status}`,
      { kind, host: this.#url.host, model, attempt, ...details, ...(shown !== undefined && { said: shown }) },
      "the assistant's model did not answer as expected",
    );
  }
}

/** Aborts a request once it takes too long, or once the caller aborts it. */
class Watch {
  readonly #controller = new AbortController();
  readonly #whole: NodeJS.Timeout;
  #next: NodeJS.Timeout | undefined;
  readonly signal: AbortSignal;

  /** @param asked the caller's signal @param longest for the whole request, in ms */
  constructor(asked: AbortSignal, longest: number) {
    this.signal = AbortSignal.any([asked, this.#controller.signal]);
    this.#whole = this.#endAfter(longest);
  }

  /** Aborts the request after `ms`, unless this or `pause` is called earlier. */
  expect(ms: number): void {
    clearTimeout(this.#next);
    this.#next = this.#endAfter(ms);
  }

  pause(): void {
    clearTimeout(this.#next);
  }

  end(): void {
    clearTimeout(this.#next);
    clearTimeout(this.#whole);
    this.#controller.abort();
  }

  #endAfter(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#controller.abort(new Trouble("slow", { ms })), ms);
  }
}

/** The trouble with a connection that was refused or lost. The `cause` of fetch's error has the reason. */
function dropped(error: unknown, isBegun: boolean): Trouble {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const { code, message } = cause instanceof Error ? (cause as NodeJS.ErrnoException) : { code: undefined, message: String(cause) };
  return new Trouble(isBegun ? "brokenOff" : "unreachable", { reason: code ?? message });
}

/** The newest turns, with at most a quarter of the characters; always at least the last one. */
function shortened(turns: Turn[]): Turn[] {
  const last = turns.at(-1);
  const fewest = last?.role === "assistant" ? 2 : 1; // an answer to be continued needs its question
  let left = turns.reduce((sum, { text }) => sum + text.length, 0) / 4;
  let count = 0;
  for (const { text } of turns.toReversed()) {
    left -= text.length;
    if (left < 0 && count >= fewest) break;
    count++;
  }
  return turns.slice(turns.length - count);
}
