import type { IncomingMessage } from "node:http";
import { parseCookie, stringifySetCookie } from "cookie";

const NAME = "palaver-session";
const LONGEST = 34_560_000; // seconds: 400 days, which is as long as browsers keep a cookie; the session ends before

/** The token in the browser's cookie. */
export function cookieToken({ headers: { cookie } }: Pick<IncomingMessage, "headers">): string | undefined {
  return cookie === undefined ? undefined : parseCookie(cookie)[NAME];
}

/**
 * The header `set-cookie` that keeps a token where no script of a page can read it; null takes it away. A browser that came
 * by TLS sends it by TLS alone.
 */
export function cookieWith(
  token: string | null,
  { headers, socket }: Pick<IncomingMessage, "headers" | "socket">,
  proxies: number,
): string {
  const hops = String(headers["x-forwarded-proto"] ?? "").split(","); // most proxies pass on one for all
  const secure = "encrypted" in socket || (proxies > 0 && (hops.at(-proxies) ?? hops[0])?.trim() === "https");
  const maxAge = token === null ? 0 : LONGEST;
  return stringifySetCookie({ name: NAME, value: token ?? "", httpOnly: true, sameSite: "strict", path: "/", secure, maxAge });
}
