import type { IncomingMessage } from "node:http";
import { isIP, isIPv4, isIPv6 } from "node:net";
import type { Logger } from "pino";

const FORWARDING = ["x-forwarded-for", "forwarded", "x-real-ip"];

/** Returns the address that a client's limits are counted by. Warns the operator once if requests come through a proxy but PROXIES is 0. */
export type AddressOf = (request: Pick<IncomingMessage, "socket" | "headers">) => string | undefined;

export function addressesBehind(proxies: number, log: Logger): AddressOf {
  let warned = false;
  return (request) => {
    if (proxies === 0 && !warned && FORWARDING.some((name) => request.headers[name] !== undefined)) {
      warned = true;
      log.warn(
        "requests come through a proxy, but PROXIES is not set: all clients count as one address and share its limits. Set PROXIES to the number of proxies in front of the server.",
      );
    }
    return clientAddress(request, proxies);
  };
}

/**
 * The address that a client's limits are counted by; undefined for programs on this machine, which have no limits. A request with a
 * proxy's header always has an address, even if the proxy runs on this machine.
 * @param proxies number of proxies in front of the server, each of which adds its caller's address to X-Forwarded-For. Earlier entries
 * come from the client and are ignored.
 */
export function clientAddress({ socket, headers }: Pick<IncomingMessage, "socket" | "headers">, proxies: number): string | undefined {
  const hops = String(headers["x-forwarded-for"] ?? "").split(",");
  const told = proxies > 0 ? withoutPort(hops.at(-proxies) ?? "") : "";
  if (isIP(told)) return networkOf(told);
  const peer = socket.remoteAddress ?? "";
  const direct = FORWARDING.every((name) => headers[name] === undefined);
  return direct && /^(::ffff:)?127\.|^::1$/.test(peer) ? undefined : networkOf(peer);
}

/** Some proxies write `192.0.2.1:4711` or `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  const [, address = hop.trim()] = /^\[(.+)\](?::\d+)?$/.exec(hop.trim()) ?? /^([\d.]+):\d+$/.exec(hop.trim()) ?? [];
  return address;
}

/** The /64 network of an IPv6 address, as each customer has at least 2^64 addresses; IPv4 addresses as they are. */
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
