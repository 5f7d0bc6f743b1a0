import { integer, onOff, setting, type ValuesOf } from "../config/setting.js";

/** The settings of this part. */
export const settings = {
  host: setting({
    env: ["HOST"],
    placeholder: "ADDRESS",
    parse: (text) => text,
    fallback: "127.0.0.1",
    help: "address to listen on; 0.0.0.0 for every interface",
  }),
  port: setting({
    env: ["PORT"],
    placeholder: "N",
    parse: integer(0, 65_535),
    fallback: 4000,
    help: "port to listen on; 0 for any free one",
  }),
  allowedOrigins: setting<string[]>({
    env: ["ALLOWED_ORIGINS"],
    placeholder: "ORIGINS",
    parse: origins,
    fallback: [],
    fallbackSaid: "same origin",
    help: "other origins whose pages may use the API, comma-separated, such as http://localhost:5173,https://chat.example",
  }),
  allowedHosts: setting<string[]>({
    env: ["ALLOWED_HOSTS"],
    placeholder: "NAMES",
    parse: hosts,
    fallback: [],
    fallbackSaid: "any; only local names if HOST is a loopback address and PROXIES is 0",
    help: "host names that the server answers to in addition to local ones, comma-separated; *.chat.example for all subdomains, * for any",
  }),
  proxies: setting({
    env: ["PROXIES"],
    placeholder: "N",
    parse: integer(0, 10),
    fallback: 0,
    help: "number of proxies in front of the server that add to X-Forwarded-For; if it is too low, all clients seem to have the proxy's address",
  }),
  socketsPerUser: setting({
    env: ["SOCKETS_PER_USER"],
    placeholder: "N",
    parse: integer(1, 1_000_000),
    fallback: 20,
    help: "open WebSockets that one user may have on one server",
  }),
  socketsPerAddress: setting({
    env: ["SOCKETS_PER_ADDRESS"],
    placeholder: "N",
    parse: integer(1, 1_000_000),
    fallback: 500,
    help: "open WebSockets that one address may have on one server; see PROXIES",
  }),
  subscriptionsPerSocket: setting({
    env: ["SUBSCRIPTIONS_PER_SOCKET"],
    placeholder: "N",
    parse: integer(1, 10_000),
    fallback: 200,
    help: "subscriptions that may run at once on one WebSocket",
  }),
  socketCompression: setting({
    env: ["SOCKET_COMPRESSION"],
    placeholder: "on|off",
    parse: onOff,
    fallback: false,
    fallbackSaid: "off",
    help: "compress long answers on WebSockets for clients that ask for it (permessage-deflate); answers over HTTP are always compressed",
  }),
  playground: setting<boolean>({
    env: ["PLAYGROUND"],
    placeholder: "on|off",
    parse: onOff,
    fallback: false,
    derive: (_config, { NODE_ENV }) => NODE_ENV !== "production",
    fallbackSaid: "on unless NODE_ENV=production",
    help: "serve GraphiQL at /graphql",
  }),
  introspection: setting<boolean>({
    env: ["INTROSPECTION"],
    placeholder: "on|off",
    parse: onOff,
    fallback: false,
    derive: (_config, { NODE_ENV }) => NODE_ENV !== "production",
    fallbackSaid: "on unless NODE_ENV=production",
    help: "let clients query the schema",
  }),
};

declare module "../config/config.js" {
  interface Config extends ValuesOf<typeof settings> {}
}

function origins(text: string): string[] {
  return text.split(",").map((part) => {
    const origin = part.trim();
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new Error(`${origin} is not an origin such as https://chat.example (no path, no trailing slash)`);
    }
    return origin;
  });
}

function hosts(text: string): string[] {
  return text.split(",").map((part) => {
    const name = part.trim().toLowerCase();
    if (!/^(\*|(\*\.)?[\w-]+(\.[\w-]+)*)$/.test(name))
      throw new Error(`${name} is not a host name such as chat.example (no port, no https://)`);
    return name;
  });
}
