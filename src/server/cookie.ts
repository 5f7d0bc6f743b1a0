import type { IncomingMessage } from "node:http";
import { stringifySetCookie } from "cookie";

const NAME = "palaver-session";
/** Browsers take a cookie with this prefix from this very host over TLS alone: no other host of the site can plant one. */
const HOST_NAME = `__Host-${NAME}`;
const LONGEST = 34_560_000; // seconds: 400 days, which is as long as browsers keep a cookie; the session ends before
const MOST = 4; // cookies that are looked at: others of the same name come from other hosts of the site, or other paths

type Request = Pick<IncomingMessage, "headers" | "socket">;

/** The tokens that the browser's cookies may hold, the one to try first first; undefined where there is no such cookie. */
export function cookieTokens({ headers: { cookie = "" } }: Pick<IncomingMessage, "headers">): string[] | undefined {
  const pairs = cookie.split(";").map((pair) => pair.trim());
  const valuesOf = (name: string) => pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
  const found = [valuesOf(HOST_NAME), valuesOf(NAME)].find((values) => values.length > 0);
  if (!found) return undefined;
  const tokens = found.filter((value) => /^\d+\.[\w-]+$/.test(value));
  return [...new Set(tokens)].slice(0, MOST);
}

/**
 * The headers `set-cookie` that keep a token where no script of a page can read it; null takes it away. A browser that came by TLS
 * sends it by TLS alone, and forgets one that was set without the prefix.
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
  const hops = String(headers["x-forwarded-proto"] ?? "").split(","); // most proxies pass on one for all
  return "encrypted" in socket || (proxies > 0 && (hops.at(-proxies) ?? hops[0])?.trim() === "https");
}
