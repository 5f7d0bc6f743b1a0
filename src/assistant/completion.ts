import { createParser } from "eventsource-parser";
import { record } from "./record.js";
import { kindOf } from "./refusal.js";
import { Trouble } from "./trouble.js";

/** Why an answer ended. It counts as whole only if the endpoint says so. */
export type End = "whole" | "length" | "filtered" | "error";

/** A part of an answer, reduced to what is used of it. */
export interface Chunk {
  /** The next piece of text; empty if the chunk has none. */
  text: string;
  /** The chunk has reasoning. It is not shown, but is a sign that the model is working. */
  isThinking: boolean;
  end?: End;
}

const LONGEST_EVENT = 256 * 1_024; // characters; a piece of an answer has a few hundred
const LONGEST_JSON = 1_024 * 1_024; // characters of an answer that arrives all at once
const MOST_BYTES = 32 * 1_024 * 1_024; // of a whole stream; 100,000 tokens in chunks of 300 bytes
const LOGGED = 300; // characters of a body that is not an answer

/** An answer, or a piece of one, as JSON; `isError` if the endpoint marks it as an error. */
interface Data {
  json: string;
  isError: boolean;
}

/**
 * Reads an answer in any of its forms: server-sent events, one JSON object, or several, in lines or in an array. The body decides which,
 * because content types are often wrong. An answer is whole only if a chunk says so; a stream that just ends was cut off.
 * @throws Trouble if the answer cannot be read or reports an error; the connection's error
 */
export async function* readCompletion(response: Response): AsyncGenerator<Chunk> {
  const type = response.headers.get("content-type") ?? "";
  if (response.body === null) throw new Trouble("unreadable", { type });
  let unknownEnd: string | undefined;
  for await (const { json, isError } of readBody(response.body, type)) {
    if (json.trim() === "[DONE]") {
      yield { text: "", isThinking: false, end: unknownEnd === undefined ? "whole" : "error" };
      return;
    }
    for (const chunk of readChunks(json, isError)) {
      const end = chunk.finish === undefined ? undefined : endOf(chunk.finish);
      if (chunk.finish !== undefined && end === undefined) unknownEnd = chunk.finish;
      yield { text: chunk.text, isThinking: chunk.isThinking, ...(end !== undefined && { end }) };
    }
  }
  if (unknownEnd !== undefined) yield { text: "", isThinking: false, end: "error" };
}

/** The text of a body, at most its first `mostBytes` bytes. */
export async function readText(body: ReadableStream<Uint8Array>, mostBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let left = mostBytes;
  let text = "";
  for await (const bytes of body) {
    text += decoder.decode(bytes.subarray(0, left), { stream: true });
    left -= bytes.length;
    if (left <= 0) break;
  }
  return text + decoder.decode();
}

async function* readBody(body: ReadableStream<Uint8Array>, type: string): AsyncGenerator<Data> {
  const decoder = new TextDecoder();
  let reader: EventReader | JsonReader | undefined;
  let beginning = "";
  let length = 0;
  for await (const bytes of body) {
    length += bytes.length;
    let text = decoder.decode(bytes, { stream: true });
    if (!reader) {
      beginning = (beginning + text).trimStart();
      if (beginning !== "") reader = readerOf(beginning, type);
      text = beginning;
    }
    if (reader) yield* reader.read(text);
    if (length > MOST_BYTES || reader?.isTooLong) throw new Trouble("unreadable", { bytes: length });
  }
  if (reader) yield* reader.end();
}

/** @throws Trouble for an HTML page: the URL is not that of an API */
function readerOf(beginning: string, type: string): EventReader | JsonReader {
  if (/^[[{]/.test(beginning)) return new JsonReader();
  if (beginning.startsWith("<") || (/html/i.test(type) && !/^[a-z]*:/.test(beginning)))
    throw new Trouble("setUp", { type, said: beginning.slice(0, LOGGED) });
  return new EventReader();
}

/** Server-sent events. */
class EventReader {
  isTooLong = false;
  readonly #read: Data[] = [];
  #isStream = false;
  #beginning = "";
  readonly #parser = createParser({
    maxBufferSize: LONGEST_EVENT,
    onEvent: ({ event, data }) => {
      this.#isStream = true;
      this.#read.push({ json: data, isError: event === "error" });
    },
    onComment: () => {
      this.#isStream = true;
    },
    onError: ({ type, field, value = "" }) => {
      this.isTooLong ||= type === "max-buffer-size-exceeded";
      if (field === "error") this.#read.push({ json: value, isError: true }); // llama.cpp; other unknown fields are ignored
    },
  });

  read(text: string): Data[] {
    if (this.#beginning.length < LOGGED) this.#beginning += text.slice(0, LOGGED);
    this.#parser.feed(text);
    return this.#read.splice(0);
  }

  /** @throws Trouble if the body had text but no events */
  end(): Data[] {
    this.#parser.feed("\n\n"); // for servers that omit the empty line after the last event
    if (!this.#isStream && this.#read.length === 0) throw new Trouble("unreadable", { said: this.#beginning });
    return this.#read.splice(0);
  }
}

/** JSON objects with any separation: as lines, as elements of an array, or none. */
class JsonReader {
  isTooLong = false;
  #object = "";
  #depth = 0;
  #isString = false;
  #isEscaped = false;

  read(text: string): Data[] {
    const found: Data[] = [];
    let start = this.#depth > 0 ? 0 : -1;
    for (let index = 0; index < text.length; index++) {
      const character = text[index];
      if (this.#isString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (character === "\\") this.#isEscaped = true;
        else if (character === '"') this.#isString = false;
      } else if (character === "{") {
        if (this.#depth++ === 0) start = index;
      } else if (character === '"') this.#isString = this.#depth > 0;
      else if (character === "}" && this.#depth > 0 && --this.#depth === 0) {
        found.push({ json: this.#object + text.slice(start, index + 1), isError: false });
        this.#object = "";
        start = -1;
      }
    }
    if (start >= 0) this.#object += text.slice(start);
    this.isTooLong = this.#object.length > LONGEST_JSON;
    return found;
  }

  /** @throws Trouble if the last object was cut off */
  end(): Data[] {
    if (this.#depth > 0) throw new Trouble("unreadable", { said: this.#object });
    return [];
  }
}

/** The chunks of one event or object. @throws Trouble if it is not a chunk, or is an error */
function readChunks(json: string, isError: boolean): ReturnType<typeof readChunk>[] {
  const parsed = parse(json);
  const elements = Array.isArray(parsed) && parsed.some((element) => record(element)) ? parsed : [parsed];
  return elements.map((element) => {
    const chunk = record(element);
    if (isError) throw errorOf(chunk?.error ?? parsed, json);
    if (chunk === undefined) throw new Trouble("unreadable", { said: json });
    return readChunk(chunk, json);
  });
}

/** Parses one chunk of a stream (`delta`), or a whole answer (`message`). Ollama's own API has no `choices`. */
function readChunk(chunk: Record<string, unknown>, json: string): { text: string; isThinking: boolean; finish?: string | undefined } {
  const choice = record(Array.isArray(chunk.choices) ? chunk.choices[0] : chunk); // none in a chunk with the costs
  const error = chunk.error || choice?.error || (chunk.object === "error" || chunk.type === "error" ? chunk : undefined);
  if (error) throw errorOf(error, json);
  const { delta, message, finish_reason = choice?.done_reason } = choice ?? {};
  const said = record(delta) ?? record(message);
  const parts = partsOf(said?.content);
  const finish = typeof finish_reason === "string" && !NO_END.test(finish_reason) ? finish_reason : undefined;
  const isWhole = record(delta) === undefined && record(message) !== undefined && choice?.done !== false; // it may omit the reason
  return {
    text: parts.text,
    isThinking: parts.isThinking || THOUGHTS.some((name) => hasContent(said?.[name])),
    finish: finish ?? (isWhole ? "stop" : undefined),
  };
}

const THOUGHTS = ["reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks"];
const hasContent = (value: unknown) => (typeof value === "string" || Array.isArray(value)) && value.length > 0;

/** Content is a string, or a list of parts, some of which are reasoning. */
function partsOf(content: unknown): { text: string; isThinking: boolean } {
  if (typeof content === "string") return { text: content, isThinking: false };
  const parts = Array.isArray(content) ? content.map((part) => (typeof part === "string" ? { text: part } : record(part))) : [];
  const texts = parts.filter(
    (part) => typeof part?.text === "string" && (part.type === undefined || /^(output_)?text$/.test(String(part.type))),
  );
  return { text: texts.map((part) => part?.text).join(""), isThinking: texts.length < parts.length };
}

/** An error in place of an answer; its status decides whether a retry can help. */
function errorOf(error: unknown, said: string): Trouble {
  const { code, status } = record(error) ?? {};
  const number = [code, status].map(Number).find((value) => value >= 400 && value < 600);
  return new Trouble(kindOf(number, said), { status: number, said });
}

/** Values that mean that there is no finish reason yet. */
const NO_END = /^(null|none|(finish_reason_)?unspecified)?$/i;

const ENDS: Record<Exclude<End, "error">, RegExp> = {
  whole: /^(stop|end_turn|stop_sequence|eos|eos_token|complete|completed)$/,
  length: /^(length|max_tokens|max_output_tokens|max_length|model_length|model_context_window_exceeded)$/,
  filtered: /^(content_filter|content_filtered|safety|recitation|blocklist|prohibited_content|spii|refusal|sensitive)$/,
};

/** The meaning of a finish reason; undefined for an unknown one, after which more text may follow. */
function endOf(reason: string): End | undefined {
  const word = reason.toLowerCase().replace(/^finishreason\./, "");
  for (const [end, words] of Object.entries(ENDS)) if (words.test(word)) return end as End;
  return word === "error" ? "error" : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
