import type { IncomingHttpHeaders } from "node:http";

/**
 * Whether a page of the origin that a browser names may use the API: a page of another one could otherwise speak for
 * whoever looks at it. Who names no origin is no page of another site.
 */
export function isAllowedOrigin({ origin, host }: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}
