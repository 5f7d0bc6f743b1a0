import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { cleanUp } from "./cleanup.js";

/** A request that the endpoint got. */
export interface Asked {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: { model: string; stream: boolean; max_tokens?: number; messages: { role: string; content: string }[] } & Record<string, unknown>;
  /** Resolves when either side has closed its connection. */
  gone: Promise<unknown>;
}

/** How the endpoint handles a request: it may write, wait, and break the connection. */
export type Reaction = (response: ServerResponse, asked: Asked) => unknown;

/** A chunk with the next piece of an answer, or with any other delta. */
export function chunk(piece: string | object, finish: string | null = null): object {
  const delta = typeof piece === "string" ? { content: piece } : piece;
  return { id: "1", object: "chat.completion.chunk", model: "test", choices: [{ index: 0, delta, finish_reason: finish }] };
}

/** An event of a stream. */
export const event = (data: string | object) => `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;

/** Sends a complete answer in these pieces. */
export const answers = (...pieces: string[]) =>
  sends([
    event(chunk({ role: "assistant", content: "" })),
    ...pieces.map((piece) => event(chunk(piece))),
    event(chunk({}, "stop")),
    event("[DONE]"),
  ]);

/** Sends these parts of a stream in separate writes, and ends. */
export function sends(parts: (string | Buffer)[], headers: Record<string, string> = SSE): Reaction {
  return async (response) => {
    await sendParts(response, parts, headers);
    response.end();
  };
}

/** Sends these pieces of an answer, and then nothing more, on an open connection. */
export const stalls = (...pieces: string[]): Reaction => {
  return (response) => sendParts(response, [": waiting\n\n", ...pieces.map((piece) => event(chunk(piece)))]);
};

/** Sends these pieces of an answer, and then breaks the connection. */
export const drops = (...pieces: string[]): Reaction => {
  return async (response) => {
    await sendParts(response, [": waiting\n\n", ...pieces.map((piece) => event(chunk(piece)))]);
    response.destroy();
  };
};

/** Breaks the connection without an answer. */
export const hangsUp: Reaction = (response) => response.destroy();

/** Answers with a status, and an error in the format of such APIs. */
export const refuses = (status: number, message = "no", headers: Record<string, string> = {}): Reaction => {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify({ error: { message, type: "some_error", code: null } }));
  };
};

/** Sends each part in a separate write, after the previous one is flushed. */
export async function sendParts(
  response: ServerResponse,
  parts: (string | Buffer)[],
  headers: Record<string, string> = SSE,
): Promise<void> {
  if (!response.headersSent) response.writeHead(200, headers).flushHeaders();
  for (const part of parts) await new Promise<void>((resolve) => response.write(part, () => setImmediate(resolve)));
}

const SSE = { "content-type": "text/event-stream" };

/**
 * Starts an OpenAI-compatible endpoint. It handles the first request with the first reaction, and so on; further requests with the last
 * reaction.
 */
export async function modelEndpoint(...reactions: [Reaction, ...Reaction[]]) {
  const asked: Asked[] = [];
  const waiting: (() => void)[] = [];
  const server = createServer(async (request, response) => {
    const { method = "", url: path = "", headers } = request;
    const gone = once(response, "close");
    const got: Asked = { method, path, headers, body: JSON.parse((await text(request)) || "{}"), gone };
    asked.push(got);
    for (const wake of waiting.splice(0)) wake();
    await (reactions[asked.length - 1] ?? reactions.at(-1))?.(response, got);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  cleanUp(stop);
  return {
    /** The value for ASSISTANT_URL. */
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    /** The requests so far. */
    asked,
    /** Returns the request with this index, counted from 0, once it arrives. */
    async request(index: number): Promise<Asked> {
      for (;;) {
        const found = asked[index];
        if (found) return found;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    /** Stops listening and closes all connections. */
    stop,
  };
}
