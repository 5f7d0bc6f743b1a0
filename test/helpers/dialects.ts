/*
 * Dialects of the OpenAI chat-completions protocol, as the known services speak it. The whole answer is "Grüß dich 👋" in all of them.
 */

/** A response of an endpoint. */
export interface Response {
  status?: number;
  headers?: Record<string, string>;
  body: string;
}

/** A response that is not a whole answer: the text that users see, and why it ends early. */
export interface Broken extends Response {
  text: string;
  reason: "TOO_LONG" | "BROKEN_OFF" | "WITHHELD";
}

/** A refusal: the sentence that users see, the total number of requests, and the change that the endpoint wants. */
export interface Refusal extends Response {
  sentence?: RegExp;
  asked: number;
  /** Whether the endpoint answers this request. */
  isMet?: (body: { messages: { role: string; content: string }[]; stream: boolean; max_tokens?: number }) => boolean;
}

export interface Dialect {
  whole: Record<string, Response>;
  broken?: Record<string, Broken>;
  refusals?: Record<string, Refusal>;
}

const json = { "content-type": "application/json" };
const lines = (...data: (object | string)[]) =>
  data.map((one) => (typeof one === "string" ? one : `data: ${JSON.stringify(one)}\n\n`)).join("");
const DONE = "data: [DONE]\n\n";

/** A chunk with this delta or text. */
const piece = (delta: string | object, finish_reason: string | null = null, more: object = {}) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "m",
  choices: [{ index: 0, delta: typeof delta === "string" ? { content: delta } : delta, finish_reason, ...more }],
});
const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 };
const message = (content: unknown, finish_reason: string | null = "stop", more: object = {}) =>
  JSON.stringify({ object: "chat.completion", choices: [{ index: 0, message: { role: "assistant", content, ...more }, finish_reason }] });
const error = (message: string, more: object = {}) =>
  JSON.stringify({ error: { message, type: "invalid_request_error", param: null, ...more } });
const SAFE = { hate: { filtered: false, severity: "safe" } };
const isShorter: Refusal["isMet"] = ({ messages }) => messages.length === 2;
const hasNoSystem: Refusal["isMet"] = ({ messages }) =>
  messages.every(({ role }) => role !== "system") && /^You are a parrot/.test(messages[0]?.content ?? "");
const BUSY = /^The assistant is busy\./;
const AWAY = /^The assistant cannot be reached\./;
const SET_UP = /^The assistant is not set up correctly\./;
const NOT_THAT = /^The assistant may not answer that\./;

export const dialects: Record<string, Dialect> = {
  OpenAI: {
    whole: {
      "with its usage": {
        body: lines(
          piece({ role: "assistant", content: "", refusal: null }),
          piece("Grüß "),
          piece("dich 👋"),
          piece({}, "stop"),
          { ...piece({}), choices: [], usage },
          DONE,
        ),
      },
      "in one piece": { headers: json, body: message("Grüß dich 👋", "stop", { refusal: null, annotations: [] }) },
    },
    broken: {
      "by its length": { body: lines(piece("Grüß "), piece({}, "length"), DONE), text: "Grüß ", reason: "TOO_LONG" },
      "by an error": {
        body: lines(piece("Grüß "), { error: { message: "The server had an error", type: "server_error" } }),
        text: "Grüß ",
        reason: "BROKEN_OFF",
      },
      "by a call of a tool that the request did not offer": {
        body: lines(piece("Grüß "), piece({}, "tool_calls"), DONE),
        text: "Grüß ",
        reason: "BROKEN_OFF",
      },
    },
    refusals: {
      "a long conversation": {
        status: 400,
        body: error("This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.", {
          code: "context_length_exceeded",
        }),
        asked: 2,
        isMet: isShorter,
      },
      "a stream without verification": {
        status: 400,
        body: error("Your organization must be verified to stream this model.", { param: "stream", code: "unsupported_value" }),
        asked: 2,
        isMet: ({ stream }) => !stream,
      },
      "an old parameter name": {
        status: 400,
        body: error("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."),
        asked: 2,
        isMet: ({ max_tokens }) => max_tokens === undefined,
      },
      "an account without money": {
        status: 429,
        body: error("You exceeded your current quota, please check your plan and billing details.", { code: "insufficient_quota" }),
        asked: 1,
        sentence: SET_UP,
      },
      "too many requests": {
        status: 429,
        headers: { "retry-after": "0" },
        body: error("Rate limit reached. Please try again in 4ms."),
        asked: 3,
        sentence: BUSY,
      },
    },
  },
  "Azure OpenAI": {
    whole: {
      "with filters": {
        body: lines(
          {
            id: "",
            object: "",
            created: 0,
            model: "",
            choices: [],
            prompt_filter_results: [{ prompt_index: 0, content_filter_results: SAFE }],
          },
          piece({ role: "assistant", content: "" }, null, { content_filter_results: {} }),
          piece("Grüß dich 👋", null, { content_filter_results: SAFE }),
          {
            id: "",
            object: "",
            choices: [{ index: 0, finish_reason: null, content_filter_results: SAFE, content_filter_offsets: { check_offset: 4 } }],
          },
          piece({}, "stop"),
          DONE,
        ),
      },
    },
    broken: {
      "by a filter": { body: lines(piece("Grüß "), piece({}, "content_filter"), DONE), text: "Grüß ", reason: "WITHHELD" },
    },
    refusals: {
      "a prompt that its filter blocks": {
        status: 400,
        body: error("The response was filtered due to the prompt triggering Azure OpenAI's content management policy.", {
          code: "content_filter",
        }),
        asked: 1,
        sentence: NOT_THAT,
      },
      "too many requests": {
        status: 429,
        body: error("Requests have exceeded the rate limit. Please retry after 86400 seconds.", { code: "429" }),
        asked: 1,
        sentence: BUSY,
      },
    },
  },
  Anthropic: {
    whole: { "like OpenAI": { body: lines(piece({ role: "assistant", content: "Grüß dich 👋" }), piece({}, "stop"), DONE) } },
    broken: {
      "by a refusal": { body: lines(piece("Grüß "), piece({}, "refusal"), DONE), text: "Grüß ", reason: "WITHHELD" },
      "while it is overloaded": {
        body: `${lines(piece("Grüß "))}event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n`,
        text: "Grüß ",
        reason: "BROKEN_OFF",
      },
    },
    refusals: {
      "a long conversation": { status: 400, body: error("prompt is too long: 210000 tokens > 200000 maximum"), asked: 2, isMet: isShorter },
      "requests while it is overloaded": { status: 529, body: error("Overloaded", { type: "overloaded_error" }), asked: 3, sentence: AWAY },
    },
  },
  Gemini: {
    whole: {
      "with a finish reason in capitals": { body: lines(piece({ role: "assistant", content: "Grüß dich 👋" }), piece({}, "STOP"), DONE) },
      "as an array of chunks": {
        headers: json,
        body: `[${JSON.stringify(piece("Grüß "))}\n,\n${JSON.stringify(piece("dich 👋", "stop"))}\n]`,
      },
    },
    broken: {
      "by its length": { body: lines(piece("Grüß ", "MAX_TOKENS"), DONE), text: "Grüß ", reason: "TOO_LONG" },
      "by safety": { body: lines(piece("Grüß ", "SAFETY"), DONE), text: "Grüß ", reason: "WITHHELD" },
      "by an enum's qualified name": { body: lines(piece("Grüß ", "FinishReason.MAX_TOKENS"), DONE), text: "Grüß ", reason: "TOO_LONG" },
    },
    refusals: {
      "a long conversation, in an array": {
        status: 400,
        body: `[${JSON.stringify({ error: { code: 400, message: "The input token count (134123) exceeds the maximum number of tokens allowed (131072).", status: "INVALID_ARGUMENT" } })}]`,
        asked: 2,
        isMet: isShorter,
      },
      "a system message": {
        status: 400,
        body: `[${JSON.stringify({ error: { code: 400, message: "Developer instruction is not enabled for models/gemma-3-27b-it", status: "INVALID_ARGUMENT" } })}]`,
        asked: 2,
        isMet: hasNoSystem,
      },
      "too many requests": {
        status: 429,
        body: `[${JSON.stringify({ error: { code: 429, status: "RESOURCE_EXHAUSTED", message: "Resource has been exhausted", details: [{ retryDelay: "34s" }] } })}]`,
        asked: 1,
        sentence: BUSY,
      },
    },
  },
  Mistral: {
    whole: {
      "with content in parts": {
        body: lines(
          piece({ role: "assistant", content: "" }),
          piece({ content: [{ type: "thinking", thinking: [{ type: "text", text: "A greeting." }] }] }),
          piece({ content: [{ type: "text", text: "Grüß " }] }),
          piece("dich 👋", "stop"),
          DONE,
        ),
      },
      "with parts in one piece": {
        headers: json,
        body: message([
          { type: "thinking", thinking: [{ type: "text", text: "Hm." }] },
          { type: "text", text: "Grüß dich 👋" },
        ]),
      },
      "with tags around its reasoning": {
        body: lines(piece("[THINK]A greet"), piece("ing.[/TH"), piece("INK]Grüß "), piece("dich 👋", "stop"), DONE),
      },
    },
    broken: {
      "by the model's length limit": { body: lines(piece("Grüß "), piece("", "model_length"), DONE), text: "Grüß ", reason: "TOO_LONG" },
    },
    refusals: {
      "a long conversation": {
        status: 400,
        body: JSON.stringify({
          object: "error",
          message: "Prompt is too long: too many tokens",
          type: "invalid_request_prompt",
          code: "3051",
        }),
        asked: 2,
        isMet: isShorter,
      },
      "a wrong key": { status: 401, body: JSON.stringify({ detail: "Unauthorized" }), asked: 1, sentence: SET_UP },
    },
  },
  Groq: {
    whole: {
      "with usage in its own field": {
        body: lines(
          { ...piece({ role: "assistant", content: "" }), x_groq: { id: "req_1" } },
          piece({ reasoning: "A greeting." }),
          piece("Grüß dich 👋"),
          { ...piece({}, "stop"), x_groq: { usage } },
          DONE,
        ),
      },
    },
    refusals: {
      "a long conversation": {
        status: 413,
        body: error(
          "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 6294, please reduce your message size and try again.",
        ),
        asked: 2,
        isMet: isShorter,
      },
      "too many requests, for milliseconds": {
        status: 429,
        body: error("Rate limit reached for model `m`. Please try again in 4.5ms. Visit …"),
        asked: 3,
        sentence: BUSY,
      },
      "too many requests, for minutes": {
        status: 429,
        body: error("Rate limit reached for model `m`. Please try again in 1m47.5854s. Visit …"),
        asked: 1,
        sentence: BUSY,
      },
    },
  },
  OpenRouter: {
    whole: {
      "with comments": {
        body: lines(
          ": OPENROUTER PROCESSING\n\n",
          piece({
            role: "assistant",
            content: "",
            reasoning: "A greeting.",
            reasoning_details: [{ type: "reasoning.text", text: "A greeting." }],
          }),
          ": OPENROUTER PROCESSING\n\n",
          piece("Grüß dich 👋"),
          piece("", "stop", { native_finish_reason: "STOP" }),
          { ...piece(""), usage },
          DONE,
        ),
      },
    },
    broken: {
      "by its provider": {
        body: lines(piece("Grüß "), { ...piece("", "error"), error: { code: 502, message: "Provider disconnected" } }),
        text: "Grüß ",
        reason: "BROKEN_OFF",
      },
      "by a choice's error": {
        body: lines(piece("Grüß "), piece("", "error", { error: { code: 502, message: "Provider disconnected" } })),
        text: "Grüß ",
        reason: "BROKEN_OFF",
      },
    },
    refusals: {
      "a request while its provider is away, within a stream": {
        status: 200,
        body: lines(": OPENROUTER PROCESSING\n\n", { ...piece("", "error"), error: { code: 502, message: "Provider returned error" } }),
        asked: 3,
        sentence: AWAY,
      },
      "an account without money": { status: 402, body: error("Insufficient credits", { code: 402 }), asked: 1, sentence: SET_UP },
      "flagged input": {
        status: 403,
        body: error("Your chosen model requires moderation and your input was flagged", { code: 403 }),
        asked: 1,
        sentence: NOT_THAT,
      },
    },
  },
  vLLM: {
    whole: {
      "with a parser for reasoning": {
        body: lines(
          piece({ role: "assistant", content: "" }),
          piece({ reasoning_content: "A greeting." }),
          piece("Grüß "),
          piece("dich 👋", "stop", { stop_reason: null }),
          DONE,
        ),
      },
      "without a parser": { body: lines(piece("<th"), piece("ink>\nA greeting.\n</thi"), piece("nk>\n\nGrüß dich 👋", "stop"), DONE) },
      "without a parser, in one piece": { headers: json, body: message("A greeting.\n</think>\n\nGrüß dich 👋") },
    },
    broken: { "by an abort": { body: lines(piece("Grüß "), piece({}, "abort"), DONE), text: "Grüß ", reason: "BROKEN_OFF" } },
    refusals: {
      "a long conversation": {
        status: 400,
        body: JSON.stringify({
          object: "error",
          message: "This model's maximum context length is 8192 tokens. Please reduce the length of the messages.",
          type: "BadRequestError",
          code: 400,
        }),
        asked: 2,
        isMet: isShorter,
      },
      "a role that its template does not support": {
        status: 400,
        body: JSON.stringify({ object: "error", message: "System role not supported", type: "BadRequestError", param: null, code: 400 }),
        asked: 2,
        isMet: hasNoSystem,
      },
      "turns that do not alternate": {
        status: 400,
        body: error("Conversation roles must alternate user/assistant/user/assistant/...", { type: "BadRequestError", code: 400 }),
        asked: 2,
        isMet: hasNoSystem,
      },
    },
  },
  "llama.cpp": {
    whole: {
      "with timings": {
        body: lines(
          piece({ role: "assistant", content: null }),
          piece("Grüß dich 👋"),
          { ...piece({}, "stop"), timings: { predicted_n: 4 } },
          DONE,
        ),
      },
      "with CRLF and its reasoning": {
        body: lines(piece({ reasoning_content: "A greeting." }), piece("Grüß dich 👋"), piece({}, "stop"), DONE).replaceAll("\n", "\r\n"),
      },
    },
    broken: {
      "by an error in its own field": {
        body: `${lines(piece("Grüß "))}error: {"code":500,"message":"out of memory"}\n\n`,
        text: "Grüß ",
        reason: "BROKEN_OFF",
      },
    },
    refusals: {
      "a long conversation": {
        status: 400,
        body: error("the request exceeds the available context size, try increasing it", {
          code: 400,
          type: "exceed_context_size_error",
          n_ctx: 256,
        }),
        asked: 2,
        isMet: isShorter,
      },
      "requests while it loads its model": {
        status: 503,
        body: error("Loading model", { code: 503, type: "unavailable_error" }),
        asked: 3,
        sentence: AWAY,
      },
    },
  },
  Ollama: {
    whole: {
      "with empty reasons, in older versions": { body: lines(piece("Grüß ", ""), piece("dich 👋", ""), piece("", "stop"), DONE) },
      'with the reason "null"': { body: lines(piece("Grüß ", "null"), piece("dich 👋", "null"), piece("", "stop"), DONE) },
      "with its reasoning": {
        body: lines(piece({ role: "assistant", content: "", reasoning: "A greeting." }), piece("Grüß dich 👋"), piece("", "stop"), DONE),
      },
      "in lines, like its own API": {
        headers: { "content-type": "application/x-ndjson" },
        body: `${JSON.stringify({ message: { role: "assistant", content: "", thinking: "A greeting." }, done: false })}\n${JSON.stringify({ message: { role: "assistant", content: "Grüß " }, done: false })}\n${JSON.stringify({ message: { role: "assistant", content: "dich 👋" }, done: false })}\n${JSON.stringify({ message: { role: "assistant", content: "" }, done: true, done_reason: "stop" })}\n`,
      },
    },
    broken: {
      "by an error that is a string": {
        body: `${lines(piece("Grüß "))}data: {"error":"llama runner process has terminated"}\n\n`,
        text: "Grüß ",
        reason: "BROKEN_OFF",
      },
    },
    refusals: {
      "an unknown model": { status: 404, body: JSON.stringify({ error: "model 'm' not found" }), asked: 1, sentence: SET_UP },
    },
  },
  "LM Studio": {
    whole: {
      "like OpenAI, with another content type": {
        headers: json,
        body: lines(piece({ role: "assistant", content: "Grüß dich 👋" }), piece({}, "stop"), DONE),
      },
    },
    broken: {
      "by an error event": {
        body: `${lines(piece("Grüß "))}event: error\ndata: {"message":"The model has crashed"}\n\n`,
        text: "Grüß ",
        reason: "BROKEN_OFF",
      },
    },
    refusals: {
      "a long conversation, in a stream": {
        status: 200,
        body: `event: error\ndata: ${JSON.stringify({ error: { message: "Trying to keep the first 6547 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens" } })}\n\n`,
        asked: 2,
        isMet: isShorter,
      },
    },
  },
  LiteLLM: {
    whole: {
      "with empty fields": {
        body: lines(
          piece({ content: "Grüß ", role: "assistant", tool_calls: null, provider_specific_fields: null }),
          piece({ content: "dich 👋" }),
          piece({ content: null }, "stop"),
          DONE,
        ),
      },
      "as JSON without a content type": { headers: {}, body: message("Grüß dich 👋") },
      "as JSON with the content type of a stream": { headers: { "content-type": "text/event-stream" }, body: message("Grüß dich 👋") },
    },
    broken: { "by a missing end": { body: lines(piece("Grüß ")), text: "Grüß ", reason: "BROKEN_OFF" } },
    refusals: {
      "a long conversation, in a stream": {
        status: 200,
        body: lines({ error: { message: "litellm.ContextWindowExceededError: prompt is too long", type: null, code: "400" } }),
        asked: 2,
        isMet: isShorter,
      },
      "a stream": {
        status: 400,
        body: error("litellm.BadRequestError: streaming is not supported for this model"),
        asked: 2,
        isMet: ({ stream }) => !stream,
      },
    },
  },
};
