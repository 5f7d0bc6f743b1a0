import { randomBytes, randomInt } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { FastifyInstance } from "fastify";

/** An answer of fewer bytes fits into one packet with its headers, so the server does not compress it. */
export const SMALLEST_COMPRESSED = 1_024;

const LARGEST = 1024 * 1024; // bytes: more would occupy one of the few threads that also hash passwords

/** Encodings that Node and browsers support, the better one first. */
const ENCODINGS = {
  br: (text: Buffer) =>
    promisify(brotliCompress)(text, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 4, // as fast as gzip, with a smaller result
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
      },
    }),
  gzip: (text: Buffer) => promisify(gzip)(text),
} as const;

const LONGEST_PADDING = 48; // bytes, 64 characters in base64url

/** A value in the form of a session's token or of an e-mail address. */
const SECRET = /"[1-9]\d{0,14}\.[\w-]{43}"|"[^"\s@\\]{1,64}@[^"\s@\\]+"/;

/**
 * Whether a text may be compressed. The length of a compressed text reveals repetition: an attacker who can place a guess next to a secret
 * and see the length learns whether the guess was right. So texts with a token or an e-mail address are not compressed.
 * https://www.breachattack.com
 */
export const isCompressible = (text: string) => !SECRET.test(text);

/** Compresses answers for clients that accept it. Streams are not compressed. */
export function compressAnswers(app: FastifyInstance): void {
  app.addHook("onSend", async ({ method, headers }, reply, payload) => {
    if (typeof payload !== "string" || method === "HEAD" || reply.hasHeader("content-encoding")) return payload;
    const text = Buffer.from(payload);
    if (text.length < SMALLEST_COMPRESSED || text.length > LARGEST) return payload;
    const vary = String(reply.getHeader("vary") ?? "");
    if (!/\baccept-encoding\b/i.test(vary)) reply.header("vary", vary === "" ? "accept-encoding" : `${vary}, accept-encoding`);
    const encoding = chosen(headers["accept-encoding"] ?? "");
    if (!encoding || !isCompressible(payload)) return payload;
    // Random padding makes the length reveal less.
    reply.headers({ "content-encoding": encoding, "x-padding": randomBytes(randomInt(LONGEST_PADDING)).toString("base64url") });
    return ENCODINGS[encoding](text);
  });
}

/** The best encoding that the client accepts; undefined if it accepts none of them. */
function chosen(accepted: string): keyof typeof ENCODINGS | undefined {
  const weights = new Map<string, number>();
  for (const part of accepted.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((piece) => piece.trim());
    const [, weight = "1"] = /^q=([\d.]+)$/.exec(parameters[0] ?? "") ?? [];
    weights.set(name, Number(weight));
  }
  const weightOf = (name: string) => weights.get(name) ?? weights.get("*") ?? 0;
  const usable = (Object.keys(ENCODINGS) as (keyof typeof ENCODINGS)[]).filter((name) => weightOf(name) > 0);
  return usable.sort((one, other) => weightOf(other) - weightOf(one))[0];
}
