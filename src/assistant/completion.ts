import { createParser } from "eventsource-parser";
import { Trouble } from "./trouble.js";

/** What an endpoint sent of an answer, as far as we make use of it. */
export interface Chunk {
  /** The next piece of it; empty where the chunk brings none. */
  text: string;
  /** It sends what it thinks, which is shown to nobody: it is at work. */
  isThinking: boolean;
  /** Why there is nothing more. */
  end?: "whole" | "length" | "filtered";
}

const LONGEST_EVENT = 256 * 1_024; // characters; a piece of an answer has some hundred
const LONGEST_JSON = 1_024 * 1_024; // bytes of an answer that comes all at once
const MOST_BYTES = 32 * 1_024 * 1_024; // of a whole stream; 100,000 tokens in chunks of 300 bytes

/**
 * Reads an answer as OpenAI's `/chat/completions` gives it: server-sent events, or plain JSON from servers that do not stream.
 * It is whole only when a chunk says how it ends; a stream that just ends was cut off.
 * @throws Trouble when it cannot be read; what the connection fails with
 */
export async function* readCompletion(response: Response): AsyncGenerator<Chunk> {
  const type = response.headers.get("content-type") ?? "";
  if (response.body === null) throw new Trouble("unreadable", { type });
  if (/html/i.test(type)) throw new Trouble("setUp", { type }); // a page for people: the URL leads somewhere else
  if (/json/i.test(type)) {
    yield { end: "whole", ...readChunk(await readText(response.body, LONGEST_JSON)) };
    return;
  }
  for await (const data of readEvents(response.body)) {
    if (data.trim() === "[DONE]") {
      yield { text: "", isThinking: false, end: "whole" };
      return;
    }
    yield readChunk(data);
  }
}

/** The text of a body, or the beginning of one that is longer than so many bytes. */
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

async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const read: string[] = [];
  let isTooLong = false;
  const parser = createParser({
    maxBufferSize: LONGEST_EVENT,
    onEvent: ({ data }) => read.push(data),
    onError: ({ type }) => {
      isTooLong ||= type === "max-buffer-size-exceeded"; // what is no field is passed over, as the standard has it
    },
  });
  const decoder = new TextDecoder();
  let length = 0;
  for await (const bytes of body) {
    length += bytes.length;
    parser.feed(decoder.decode(bytes, { stream: true }));
    yield* read.splice(0);
    if (isTooLong || length > MOST_BYTES) throw new Trouble("unreadable", { bytes: length });
  }
  parser.feed("\n\n"); // the last event of a server that leaves out the empty line after it
  yield* read.splice(0);
}

/** One chunk of a stream, or a whole answer, which differ in a name. @throws Trouble when it is neither, or tells of an error */
function readChunk(data: string): Chunk {
  const chunk = record(parse(data));
  if (chunk === undefined) throw new Trouble("unreadable", { said: data });
  if (chunk.error) throw new Trouble("failed", { said: data });
  const choice = record(Array.isArray(chunk.choices) ? chunk.choices[0] : undefined); // none where it tells the costs
  const message = record(choice?.delta) ?? record(choice?.message);
  return {
    text: typeof message?.content === "string" ? message.content : "",
    isThinking: [message?.reasoning_content, message?.reasoning].some((thought) => typeof thought === "string" && thought !== ""),
    ...(typeof choice?.finish_reason === "string" && { end: endOf(choice.finish_reason) }),
  };
}

function endOf(reason: string): Chunk["end"] & string {
  if (reason === "length") return "length";
  return reason === "content_filter" ? "filtered" : "whole";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const record = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
