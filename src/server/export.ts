import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type ErrorCode, rateLimited, refusal } from "../errors.js";
import { credentialOf, DEAD_TOKEN, viewerOf } from "./credentials.js";
import type { Parts } from "./http.js";
import { Quota } from "./quota.js";

const AT_ONCE = 2; // exports that one user may run at the same time, on one server
const LATER = 30; // seconds after which a user at that limit may try again

/** The HTTP status of a refused export, by the error's code; 500 for any other code. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  NOT_A_MEMBER: 403,
  NOT_FOUND: 404,
  BAD_USER_INPUT: 400,
  RATE_LIMITED: 429,
  UNAVAILABLE: 503,
};

/**
 * Serves a room's whole history to its members: `GET /rooms/<id>/export`, as JSON Lines. The stream is read only as fast as the client
 * reads. If the session or the membership ends, or Redis goes away, it is aborted, so that the client does not take it for complete.
 */
export function serveExports(app: FastifyInstance, { services, watches, mask }: Parts): void {
  const quota = new Quota(AT_ONCE);

  async function begin({ raw, params }: FastifyRequest, reply: FastifyReply): Promise<Readable> {
    const given = credentialOf(raw);
    const viewer = await viewerOf(services, given);
    if (!viewer) throw refusal("UNAUTHENTICATED", given && (given.token === undefined ? given.refused : DEAD_TOKEN));
    if (!quota.take(viewer.id)) throw rateLimited(LATER);
    try {
      const { roomId } = params as { roomId: string };
      const portions = await services.exports.begin(viewer.id, roomId);
      const stream = Readable.from(portions, { objectMode: false });
      const watch = watches.start(
        viewer,
        () => stream.destroy(),
        () => true,
      );
      stream.once("close", () => {
        watch.stop();
        quota.release(viewer.id);
      });
      reply
        .type("application/jsonl; charset=utf-8")
        .header("content-disposition", `attachment; filename="room-${roomId.replaceAll(":", "-")}.jsonl"`)
        .header("cache-control", "no-store");
      return stream;
    } catch (error) {
      quota.release(viewer.id);
      throw error;
    }
  }

  app.get("/rooms/:roomId/export", { exposeHeadRoute: false }, async (request, reply) => {
    try {
      return await begin(request, reply);
    } catch (error) {
      const masked = mask(error);
      const { code, retryAfter } = masked.extensions as { code: ErrorCode; retryAfter?: number };
      if (retryAfter !== undefined) reply.header("retry-after", retryAfter);
      return reply.code(STATUS[code] ?? 500).send({ errors: [masked] });
    }
  });
}
