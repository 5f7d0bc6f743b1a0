import type { IncomingMessage } from "node:http";
import { isIP, isIPv4, isIPv6 } from "node:net";

/**
 * The address that a client's share is counted by; undefined for this very machine, whose own programs have no limit.
 * @param proxies how many proxies in front each add the address they were called from to X-Forwarded-For. What comes
 * before those entries is what the client says, and counts for nothing.
 */
export function clientAddress({ socket, headers }: Pick<IncomingMessage, "socket" | "headers">, proxies: number): string | undefined {
  const hops = String(headers["x-forwarded-for"] ?? "").split(",");
  const told = proxies > 0 ? withoutPort(hops.at(-proxies) ?? "") : "";
  if (isIP(told)) return networkOf(told);
  const peer = socket.remoteAddress ?? "";
  return /^(::ffff:)?127\.|^::1$/.test(peer) ? undefined : networkOf(peer);
}

/** Some proxies write `192.0.2.1:4711` or `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  const [, address = hop.trim()] = /^\[(.+)\](?::\d+)?$/.exec(hop.trim()) ?? /^([\d.]+):\d+$/.exec(hop.trim()) ?? [];
  return address;
}

/** An IPv6 customer has at least 2^64 addresses to choose from: they count as one. */
function networkOf(address: string): string {
  const [, mapped] = /^::ffff:([\d.]+)$/i.exec(address) ?? [];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  if (!isIPv6(address)) return address;
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::").map((part) => part.split(":").filter(Boolean));
  const groups =
    tail === undefined ? [...head] : [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0"), ...tail];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
