import { isIP } from "node:net";
import type { Config } from "../config.js";

const LOCAL = ["localhost", "*.localhost"];

/**
 * Whether a request may be answered that names this host. With DNS rebinding, an attacker's page
 * makes its own name point to this machine and then has the same origin as the server. So a server that only this machine can reach
 * answers only to local names, unless it is behind a proxy or `ALLOWED_HOSTS` is set. An IP address cannot be rebound.
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
