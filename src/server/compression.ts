import { randomBytes, randomInt } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { FastifyInstance } from "fastify";

/** Below that many bytes an answer fits into one packet with its headers, and is sent as it is. */
export const SMALLEST_COMPRESSED = 1_024;

const LARGEST = 1024 * 1024; // bytes: more would keep one of the few threads busy that passwords are hashed on, too

/** Those of Node's that browsers know, the better one first. */
const ENCODINGS = {
  br: (text: Buffer) =>
    promisify(brotliCompress)(text, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 4, // as quick as gzip, and smaller
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
      },
    }),
  gzip: (text: Buffer) => promisify(gzip)(text),
} as const;

const LONGEST_PADDING = 48; // bytes, which are 64 characters

/** Something with the form of a session's token, or a value that is an e-mail address. */
const SECRET = /"[1-9]\d{0,14}\.[\w-]{43}"|"[^"\s@\\]{1,64}@[^"\s@\\]+"/;

/**
 * Whether a text may be compressed. The length of a compressed text tells how much of it repeats: who can put a guess beside a secret, and
 * sees the length of what passes, learns whether the guess was right. So what holds a token or an address is sent as it is.
 * https://www.breachattack.com
 */
export const isCompressible = (text: string) => !SECRET.test(text);

/** Compresses answers for clients that can read them so. Streams pass as they are. */
export function compressAnswers(app: FastifyInstance): void {
  app.addHook("onSend", async ({ method, headers }, reply, payload) => {
    if (typeof payload !== "string" || method === "HEAD" || reply.hasHeader("content-encoding")) return payload;
    const text = Buffer.from(payload);
    if (text.length < SMALLEST_COMPRESSED || text.length > LARGEST) return payload;
    const vary = String(reply.getHeader("vary") ?? "");
    if (!/\baccept-encoding\b/i.test(vary)) reply.header("vary", vary === "" ? "accept-encoding" : `${vary}, accept-encoding`);
    const encoding = chosen(headers["accept-encoding"] ?? "");
    if (!encoding || !isCompressible(payload)) return payload;
    // The length says less where it varies by itself.
    reply.headers({ "content-encoding": encoding, "x-padding": randomBytes(randomInt(LONGEST_PADDING)).toString("base64url") });
    return ENCODINGS[encoding](text);
  });
}

/** The best encoding that a client accepts; undefined for none. */
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
