import { isIP } from "node:net";
import type { Config } from "../config.js";

const LOCAL = ["localhost", "*.localhost"];

/**
 * Whether a request may be answered that names this host. A page on a name that is made to point at this machine (DNS rebinding) is of
 * the same origin as what answers there: so a server that only this machine can reach answers to local names alone, unless a proxy is
 * in front of it, or it is told its names. An address is no name that could point elsewhere.
 * @returns what is wrong, for people; undefined where nothing is
 */
export function hostProblem(
  host: string | undefined,
  { host: listensOn, proxies, allowedHosts }: Pick<Config, "host" | "proxies" | "allowedHosts">,
): string | undefined {
  if (host === undefined) return undefined; // no browser
  if (allowedHosts.length === 0 && (proxies > 0 || !isLoopback(listensOn))) return undefined;
  const name = host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
  if (isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0 || [...LOCAL, ...allowedHosts].some((allowed) => fits(name, allowed))) return undefined;
  return allowedHosts.length > 0
    ? "This server does not answer to this host name; the setting ALLOWED_HOSTS lists those that it answers to."
    : "This server answers to local host names only, such as localhost. Behind a tunnel or a proxy, list its public names in the setting ALLOWED_HOSTS.";
}

const isLoopback = (address: string) => address === "localhost" || address === "::1" || /^127\./.test(address);

const fits = (name: string, allowed: string) =>
  allowed === "*" || name === allowed || (allowed.startsWith("*.") && name.endsWith(allowed.slice(1)));
