import type { IncomingHttpHeaders } from "node:http";

/**
 * Whether a page of the request's origin may use the API. A page of any other origin could act on behalf of the user who visits it.
 * A request without an origin does not come from a page of another site.
 */
export function isAllowedOrigin({ origin, host }: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}
