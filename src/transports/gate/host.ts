import { isIP } from "node:net";
import type { Config } from "../../config/config.js";

const LOCAL = ["localhost", "*.localhost"];

/**
 * Checks whether the server may answer a request to this host. With DNS rebinding, an attacker's page points its own name to this machine
 * and then has the same origin as the server. So a server that only this machine can reach answers only to local names, unless it is
 * behind a proxy or `ALLOWED_HOSTS` is set. An IP address cannot be rebound.
 * @returns a sentence for people that says why not; undefined if it may
 */
export function hostProblem(
  host: string | undefined,
  { host: listensOn, proxies, allowedHosts }: Pick<Config, "host" | "proxies" | "allowedHosts">,
): string | undefined {
  if (host === undefined) return undefined; // browsers always send one
  if (allowedHosts.length === 0 && (proxies > 0 || !isLoopback(listensOn))) return undefined;
  const name = host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
  if (isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0 || [...LOCAL, ...allowedHosts].some((allowed) => fits(name, allowed))) return undefined;
  return allowedHosts.length > 0
    ? "This server does not answer to this host name. Use another name, or add this one to the setting ALLOWED_HOSTS."
    : "This server answers to local host names only, such as localhost. For a tunnel or a proxy, add its public names to the setting ALLOWED_HOSTS.";
}

const isLoopback = (address: string) => address === "localhost" || address === "::1" || /^127\./.test(address);

const fits = (name: string, allowed: string) =>
  allowed === "*" || name === allowed || (allowed.startsWith("*.") && name.endsWith(allowed.slice(1)));
