import type { IncomingMessage } from "node:http";
import { stringifySetCookie } from "cookie";

const NAME = "palaver-session";
/** Browsers accept a cookie with this prefix only from this exact host over TLS, so that no other host of the site can plant one. */
const HOST_NAME = `__Host-${NAME}`;
const LONGEST = 34_560_000; // seconds: 400 days, the maximum in browsers; the session ends earlier
const MOST = 4; // cookies that are checked: there can be several of the same name, from other hosts of the site or other paths

type Request = Pick<IncomingMessage, "headers" | "socket">;

/** The possible tokens in the request's cookies, in the order to try them; undefined without such a cookie. */
export function cookieTokens({ headers: { cookie = "" } }: Pick<IncomingMessage, "headers">): string[] | undefined {
  const pairs = cookie.split(";").map((pair) => pair.trim());
  const valuesOf = (name: string) => pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
  const found = [valuesOf(HOST_NAME), valuesOf(NAME)].find((values) => values.length > 0);
  if (!found) return undefined;
  const tokens = found.filter((value) => /^\d+\.[\w-]+$/.test(value));
  return [...new Set(tokens)].slice(0, MOST);
}

/**
 * The `set-cookie` headers that store a token where scripts of a page cannot read it; null deletes it. Over TLS the cookie is for TLS
 * only, and a cookie that was set without the prefix is deleted.
 */
export function cookiesWith(token: string | null, request: Request, proxies: number): string[] {
  const secure = isSecure(request, proxies);
  const cookie = (name: string, value: string | null) =>
    stringifySetCookie({
      name,
      value: value ?? "",
      httpOnly: true,
      sameSite: "strict",
      path: "/",
      secure,
      maxAge: value === null ? 0 : LONGEST,
    });
  if (!secure) return [cookie(NAME, token)];
  const hasOld = (request.headers.cookie ?? "").split(";").some((pair) => pair.trim().startsWith(`${NAME}=`));
  return [cookie(HOST_NAME, token), ...(hasOld ? [cookie(NAME, null)] : [])];
}

function isSecure({ headers, socket }: Request, proxies: number): boolean {
  const hops = String(headers["x-forwarded-proto"] ?? "").split(","); // most proxies forward one value for all hops
  return "encrypted" in socket || (proxies > 0 && (hops.at(-proxies) ?? hops[0])?.trim() === "https");
}
