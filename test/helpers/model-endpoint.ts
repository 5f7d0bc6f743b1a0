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
  /** Resolves when its connection is over, from whichever side. */
  gone: Promise<unknown>;
}

/** What the endpoint does with a request: it may write, wait, and break off. */
export type Reaction = (response: ServerResponse, asked: Asked) => unknown;

/** A chunk with the next piece of an answer, or with whatever else such a chunk may hold. */
export function chunk(piece: string | object, finish: string | null = null): object {
  const delta = typeof piece === "string" ? { content: piece } : piece;
  return { id: "1", object: "chat.completion.chunk", model: "test", choices: [{ index: 0, delta, finish_reason: finish }] };
}

/** An event of a stream. */
export const event = (data: string | object) => `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;

/** An answer that is whole, in these pieces. */
export const answers = (...pieces: string[]) =>
  sends([
    event(chunk({ role: "assistant", content: "" })),
    ...pieces.map((piece) => event(chunk(piece))),
    event(chunk({}, "stop")),
    event("[DONE]"),
  ]);

/** Sends these parts of a stream, in writes of their own, and ends. */
export function sends(parts: (string | Buffer)[], headers: Record<string, string> = SSE): Reaction {
  return async (response) => {
    await sendParts(response, parts, headers);
    response.end();
  };
}

/** Sends this of an answer, and then nothing more, on an open connection. */
export const stalls = (...pieces: string[]): Reaction => {
  return (response) => sendParts(response, [": waiting\n\n", ...pieces.map((piece) => event(chunk(piece)))]);
};

/** Sends this of an answer, and then breaks the connection. */
export const drops = (...pieces: string[]): Reaction => {
  return async (response) => {
    await sendParts(response, [": waiting\n\n", ...pieces.map((piece) => event(chunk(piece)))]);
    response.destroy();
  };
};

/** Breaks the connection without a word. */
export const hangsUp: Reaction = (response) => response.destroy();

/** Answers with a status, and an error as such APIs put it. */
export const refuses = (status: number, message = "no", headers: Record<string, string> = {}): Reaction => {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify({ error: { message, type: "some_error", code: null } }));
  };
};

/** Each part leaves in a write of its own, when the one before it has left. */
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
 * An OpenAI-compatible endpoint of the test's own. It reacts to the first request with the first of these, and so on; to
 * further ones with the last.
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
    /** What ASSISTANT_URL would be. */
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    /** The requests so far. */
    asked,
    /** The request of this number, counted from 0, once it is there. */
    async request(index: number): Promise<Asked> {
      for (;;) {
        const found = asked[index];
        if (found) return found;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    /** From now on nobody listens there. */
    stop,
  };
}
