import type { TroubleKind } from "./trouble.js";

/** What the texts of errors contain, for all endpoints. */
const errors = {
  tooLong:
    /context_length_exceeded|exceed_context_size|context (length|window|size)|too many (input |total )?tokens|(prompt|input|message) is too (long|large)|input token count|reduce (the length|your message)|request too large|keep the first \d+ tokens/i,
  busy: /rate.?limit reached/i,
  filtered: /content_?filter|content_?policy|content management policy|moderation|flagged|safety/i,
  unpaid: /insufficient_quota|billing|credit/i,
};

/** The form of a request. Each answer begins with the form that the endpoint accepted before. */
export interface Manner {
  /** OpenAI's newer models refuse `max_tokens`, which all other endpoints accept. */
  limit: "max_tokens" | "max_completion_tokens";
  isStreamed: boolean;
  hasSystem: boolean;
  isShort: boolean;
}

/** What an endpoint may object to, and the form to use instead. The last one applies to one answer only. */
const OBJECTIONS: { heard: RegExp; instead: Partial<Manner> }[] = [
  { heard: /max_completion_tokens/, instead: { limit: "max_completion_tokens" } },
  {
    heard:
      /verified to stream|"param":\s*"stream"|stream(ing)? (is |are )?(not|un) ?(supported|allowed|available)|not (support|allow)\w* stream/i,
    instead: { isStreamed: false },
  },
  {
    heard:
      /system (role|message|prompt|instruction)s? (is |are )?(not|un) ?(supported|allowed|available)|not support\w* .{0,9}system|(developer|system) instruction is not enabled|roles must alternate|un(supported|expected|known) role.{0,9}system/i,
    instead: { hasSystem: false },
  },
  { heard: errors.tooLong, instead: { isShort: true } },
];

/** The form to use instead, if the endpoint objects to something in the request; undefined if there is none. */
export function otherManner(manner: Manner, said: string): Manner | undefined {
  const objection = OBJECTIONS.find(
    ({ heard, instead }) => heard.test(said) && Object.entries(instead).some(([name, value]) => value !== manner[name as keyof Manner]),
  );
  return objection && { ...manner, ...objection.instead };
}

/** The kind of an error with this status (undefined if it has none) and this text. */
export function kindOf(status: number | undefined, said: string): TroubleKind {
  if (errors.tooLong.test(said) && !errors.busy.test(said)) return "tooLong";
  if ((status === undefined || status === 400 || status === 403) && errors.filtered.test(said)) return "filtered";
  if (status === 429) return errors.unpaid.test(said) ? "setUp" : "busy";
  if (status === undefined) return "failed";
  return status >= 500 || status === 408 ? "unreachable" : "setUp"; // redirects too: their target belongs in the setting
}

/** How long an endpoint asks clients to wait, in ms, by the header `Retry-After` or the text of its error. */
export const waitOf = (header: string, said: string) => Math.max(retryAfter(header), retryAfterSaid(said));

/** `Retry-After`: seconds, or a date; in ms. */
function retryAfter(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? 0 : Math.max(0, ms);
}

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** The same from the text of an error: "Please try again in 1m47.5s", "retry after 12 seconds", `"retryDelay": "34s"`. */
function retryAfterSaid(said: string): number {
  const [, time = ""] = /(?:try again in|retry after|retry in|retryDelay"?:\s*")\s*((?:[\d.]+\s?(?:ms|[hms])[a-z]*\s?)+)/i.exec(said) ?? [];
  const parts = [...time.matchAll(/([\d.]+)\s?(ms|[hms])/gi)];
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (UNITS[unit.toLowerCase()] ?? 0), 0);
}
