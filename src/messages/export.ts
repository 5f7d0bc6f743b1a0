import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Stores } from "../api/context.js";
import { readRoomId } from "../api/ids.js";
import type { HttpGate } from "../feature.js";
import { type ErrorCode, rateLimited } from "../util/errors.js";
import { Quota } from "../util/quota.js";

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
export function serveExports(app: FastifyInstance, { exports }: Pick<Stores, "exports">, { authenticate, watch, mask }: HttpGate): void {
  const quota = new Quota(AT_ONCE);

  async function begin({ raw, params }: FastifyRequest, reply: FastifyReply): Promise<Readable> {
    const viewer = await authenticate(raw);
    if (!quota.take(viewer.id)) throw rateLimited(LATER);
    try {
      const roomId = readRoomId((params as { roomId: string }).roomId, "roomId");
      const portions = await exports.begin(roomId, viewer.id);
      const stream = Readable.from(portions, { objectMode: false });
      const watched = watch(viewer, () => stream.destroy());
      stream.once("close", () => {
        watched.stop();
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
