import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { LimitedLog } from "../limited-log.js";
import { readCompletion, readText } from "./completion.js";
import type { Model, Turn } from "./model.js";
import { promptOf } from "./prompt.js";
import { ModelFailure, Trouble, type TroubleKind } from "./trouble.js";

/** An OpenAI-compatible API, and what it is asked for. */
export interface EndpointOptions {
  /** The base, without a slash at its end; a query is kept. */
  url: string;
  model: string;
  key?: string | undefined;
  prompt: string;
  maxTokens: number;
  /** How long it may be silent amid an answer, in ms. */
  silence: number;
}

/** How long is waited for what, in ms. */
export interface Patience {
  /** Until the first sign of an answer: a small machine first loads its model, and then reads the conversation. */
  beginning: number;
  /** For one answer in all, however it trickles. */
  answer: number;
  /** Before it is asked a second time; then twice as long each time, and half of it left to chance. */
  retry: number;
  /** If an endpoint says when to come back: at most so long, as someone is waiting. */
  longestRetry: number;
}

const PATIENCE: Patience = { beginning: 120_000, answer: 600_000, retry: 500, longestRetry: 10_000 };
const ATTEMPTS = 3;
const LONGEST_ANSWER = 32_768; // characters: whatever an endpoint makes of max_tokens, no message is as long
const CUT = " …"; // at the end of an answer that has no more room
const LONGEST_ERROR = 16 * 1_024; // bytes of an error that are read,
const LOGGED = 300; // and characters of it that are logged

/** A model behind an OpenAI-compatible API. It is asked again where that can help and nothing of the answer has been given yet. */
export function createEndpoint(options: EndpointOptions, log: Logger, patience: Patience = PATIENCE): Model {
  return new Endpoint(options, log, patience);
}

class Endpoint implements Model {
  readonly #options: EndpointOptions;
  readonly #log: LimitedLog;
  readonly #patience: Patience;
  readonly #url: URL;
  /** OpenAI's newer models refuse the name that everyone else knows. */
  #limit: "max_tokens" | "max_completion_tokens" = "max_tokens";

  constructor(options: EndpointOptions, log: Logger, patience: Patience) {
    this.#options = options;
    this.#log = new LimitedLog(log);
    this.#patience = patience;
    this.#url = new URL(options.url);
    this.#url.pathname = `${this.#url.pathname.replace(/\/$/, "")}/chat/completions`;
  }

  async *answer(turns: Turn[], signal: AbortSignal): AsyncGenerator<string> {
    for (let attempt = 1; ; attempt++) {
      let isBegun = false;
      try {
        signal.throwIfAborted();
        for await (const piece of this.#ask(turns, signal)) {
          isBegun = true;
          yield piece;
        }
        return;
      } catch (error) {
        signal.throwIfAborted();
        const trouble = error instanceof Trouble ? error : dropped(error, isBegun);
        const wait = this.#waitBefore(attempt, trouble);
        const isLast = isBegun || attempt === ATTEMPTS || wait === undefined;
        this.#report(trouble, attempt);
        if (isLast) throw new ModelFailure(trouble.message);
        await delay(wait, undefined, { signal });
      }
    }
  }

  /** Asks once. @throws Trouble; what the connection fails with; what `signal` was aborted with */
  async *#ask(turns: Turn[], signal: AbortSignal): AsyncGenerator<string> {
    const watch = new Watch(signal, this.#patience.answer);
    let length = 0;
    let half = ""; // of a character that two chunks share
    try {
      watch.expect(this.#patience.beginning);
      for await (const { text, isThinking, end } of readCompletion(await this.#post(turns, watch.signal))) {
        const piece = (half + text).slice(0, LONGEST_ANSWER - length);
        half = /[\uD800-\uDBFF]$/.exec(piece)?.[0] ?? "";
        const rest = piece.slice(0, piece.length - half.length).toWellFormed();
        const whole = length === 0 ? rest.trimStart() : rest; // after thinking, many begin with empty lines
        length += whole.length;
        if (whole !== "") {
          watch.pause(); // whoever takes the pieces may take their time
          yield whole;
        }
        if (end === "filtered") throw new Trouble("filtered");
        if (end !== undefined || length + half.length >= LONGEST_ANSWER) {
          if (length === 0) throw new Trouble("empty", { end });
          if (end !== "whole") yield CUT;
          return;
        }
        if (text !== "" || isThinking) watch.expect(this.#options.silence); // comments and empty chunks are no sign of life
      }
      throw dropped("the stream ended amid the answer", length > 0);
    } finally {
      watch.end();
    }
  }

  async #post(turns: Turn[], signal: AbortSignal): Promise<Response> {
    const { model, key, prompt, maxTokens } = this.#options;
    const response = await fetch(this.#url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "text/event-stream, application/json",
        "accept-encoding": "identity", // what compresses holds pieces back
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({ model, messages: promptOf(prompt, turns), stream: true, [this.#limit]: maxTokens }),
      redirect: "manual", // elsewhere the key and the conversation are nobody's business
      signal,
    });
    if (response.ok) return response;

    const said = response.body === null ? "" : await readText(response.body, LONGEST_ERROR);
    if (response.status === 400 && this.#limit === "max_tokens" && said.includes("max_completion_tokens")) {
      this.#limit = "max_completion_tokens";
      return this.#post(turns, signal);
    }
    throw new Trouble(kindOf(response.status), { status: response.status, said, retryAfter: response.headers.get("retry-after") });
  }

  /** In ms; undefined where it cannot help, or would take too long. */
  #waitBefore(attempt: number, { retryable, why }: Trouble): number | undefined {
    if (!retryable) return undefined;
    const { retry, longestRetry } = this.#patience;
    const asked = typeof why.retryAfter === "string" ? retryAfter(why.retryAfter) : 0;
    if (asked > longestRetry) return undefined;
    return Math.max(asked, Math.min(longestRetry, retry * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2));
  }

  /** The operator learns what the endpoint said, but for the key, should it repeat that. */
  #report({ kind, why }: Trouble, attempt: number): void {
    const { key, model } = this.#options;
    const { said, ...details } = why;
    const shown = typeof said === "string" ? said.replaceAll(key ?? "\0", "[key]").slice(0, LOGGED) : undefined;
    this.#log.warn(
      `${kind} ${details.status}`,
      { kind, host: this.#url.host, model, attempt, ...details, ...(shown !== undefined && { said: shown }) },
      "the assistant's model did not answer as it should",
    );
  }
}

/** Breaks a request off once it takes too long, or whoever asked does not want to know any more. */
class Watch {
  readonly #controller = new AbortController();
  readonly #whole: NodeJS.Timeout;
  #next: NodeJS.Timeout | undefined;
  readonly signal: AbortSignal;

  /** @param longest for all of it, in ms */
  constructor(asked: AbortSignal, longest: number) {
    this.signal = AbortSignal.any([asked, this.#controller.signal]);
    this.#whole = this.#endAfter(longest);
  }

  /** Something has to come within so many ms. */
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

/** A connection that was refused or lost; fetch says how in the cause of what it throws. */
function dropped(error: unknown, isBegun: boolean): Trouble {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const { code, message } = cause instanceof Error ? (cause as NodeJS.ErrnoException) : { code: undefined, message: String(cause) };
  return new Trouble(isBegun ? "brokenOff" : "unreachable", { reason: code ?? message });
}

function kindOf(status: number): TroubleKind {
  if (status === 429) return "busy";
  return status >= 500 ? "unreachable" : "setUp"; // a redirection too: its goal belongs into the setting
}

/** `Retry-After`: seconds, or a date; in ms. */
function retryAfter(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? 0 : Math.max(0, ms);
}
