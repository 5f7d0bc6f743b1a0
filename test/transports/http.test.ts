import { request } from "node:http";
import type { Socket } from "node:net";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { serverAudits } from "graphql-http";
import { describe, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { TestClient } from "../helpers/client.js";
import { eventually } from "../helpers/eventually.js";
import { proxyTo } from "../helpers/proxy.js";
import { RawSocket } from "../helpers/raw-socket.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const server = await ownServer(redis.url);
const closed = await ownServer(redis.url, { playground: false, introspection: false, allowedOrigins: ["https://chat.example"] });
const endpoint = `${server.url}/graphql`;

const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(endpoint, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });

describe("GraphQL over HTTP", () => {
  const audits = serverAudits({ url: endpoint, fetchFn: fetch }).filter(({ name }) => /^(MUST|SHOULD) /.test(name));

  it("[HTTP1] is audited for every MUST and SHOULD of the specification", () => {
    expect(audits.length).toBeGreaterThanOrEqual(36); // as of graphql-http 1.23
  });

  it.each(audits.map((audit) => [audit.name, audit] as const))("[HTTP1] %s", async (_name, audit) => {
    expect(await audit.fn()).toMatchObject({ status: "ok" });
  });

  it("[O1] refuses invalid requests with a code and a sentence, without server internals", async () => {
    for (const [response, status] of [
      [await post("{"), 400],
      [await post("null"), 400],
      [await post("[]"), 400],
      [await post('{"query": 5}'), 400],
      [await post('{"query": {"toString": "x"}, "operationName": {"toString": 1}}'), 400],
      [await post("null", { "content-type": "application/json", authorization: "Bearer 1.dead" }), 400],
      [await post("{}", { "content-type": "text/plain" }), 415],
      [await post("{}", { "content-type": "application/xml" }), 415],
      [await post(JSON.stringify({ query: `{ me { id } } #${"x".repeat(70_000)}` })), 413],
      [await fetch(`${server.url}/nowhere`), 404],
    ] as const) {
      expect(response.status).toBe(status);
      const text = await response.text();
      const { errors } = JSON.parse(text);
      expect(errors[0]).toMatchObject({ message: expect.any(String), extensions: { code: expect.any(String), retryable: false } });
      expect(text).not.toMatch(/node_modules|at \w+ \(|stack/);
    }
  });

  it("[O1] refuses an invalid query with the fitting code", async () => {
    const codes = async (query: string, variables = {}) => {
      const { errors } = await new TestClient(server.url).request(query, variables);
      return errors?.map(({ extensions }) => extensions);
    };
    expect(await codes("{ me { id }")).toEqual([{ code: "GRAPHQL_PARSE_FAILED", retryable: false }]);
    expect(await codes("{ you }")).toEqual([{ code: "GRAPHQL_VALIDATION_FAILED", retryable: false }]);
    expect(await codes("query ($id: ID!) { room(id: $id) { id } }")).toEqual([{ code: "BAD_USER_INPUT", retryable: false }]);
    expect(await codes("query A { me { id } } query B { me { id } }")).toEqual([
      { code: "OPERATION_RESOLUTION_FAILURE", retryable: false },
    ]);
    expect(await codes(`{ ${"me { id } ".repeat(1_000)} }`)).toEqual([{ code: "GRAPHQL_PARSE_FAILED", retryable: false }]);
  });

  it("[O1] refuses nested pages that multiply before it runs them, on both transports", async () => {
    const alice = await TestClient.register(server);
    const page = (inner: string) => `messages(last: 100) { nodes { room { ${inner} } } }`;
    const deep = `{ room(id: "0") { ${page(page(page("id")))} } }`;
    const spread = `{ room(id: "0") { ...a } } fragment a on Room { ${page("...b ...b")} } fragment b on Room { ${page("id name")} }`;
    const variable = `query ($n: Int) { ${[1, 2, 3, 4, 5, 6].map((n) => `r${n}: room(id: "0") { messages(last: $n) { nodes { from { id } text } } }`).join(" ")} }`;
    const code = { code: "QUERY_TOO_COMPLEX", retryable: false };
    const texts = `{ messages(roomId: "0", last: 100) { nodes { ${Array.from({ length: 20 }, (_, n) => `t${n}: text`).join(" ")} } } }`;
    for (const query of [deep, spread, texts]) {
      expect((await alice.refused(query)).extensions).toEqual(code);
      expect((await alice.subscribe(query).result()).errors).toMatchObject([{ extensions: code }]);
    }
    expect((await alice.refused(variable, { n: 200 })).extensions).toEqual(code);
    expect((await alice.ask(variable, { n: 20 })).r6.messages.nodes).toHaveLength(20);
    const everything =
      '{ messages(roomId: "0", last: 100) { edges { cursor node { id text sentAt position clientMessageId roomId from { id name online } room { id name position } } } } }';
    expect((await alice.request(everything)).errors).toBeUndefined();
  });

  it("[O1] refuses a subscription over HTTP, and points to the WebSocket", async () => {
    const { message, extensions } = await new TestClient(server.url).refused("subscription { messageAdded { id } }");
    expect(extensions).toEqual({ code: "BAD_USER_INPUT", retryable: false, argument: "query" });
    expect(message).toContain("WebSocket");
  });

  it("[O1] returns null for an invalid value in the database instead of blaming the client", async () => {
    const alice = await TestClient.register(server);
    await redis.client.hset(`user:${alice.id}`, "createdAt", "no date");
    expect((await alice.ask("{ me { id createdAt } }")).me).toEqual({ id: alice.id, createdAt: null });
  });

  it("[O1] masks internal errors", async () => {
    await redis.client.set("sessions:{user:77}", "not a sorted set");
    const { errors } = await new TestClient(server.url, `77.${"A".repeat(43)}`).request("{ me { id } }");
    expect(errors?.[0]?.extensions).toEqual({ code: "INTERNAL_SERVER_ERROR", retryable: false });
    expect(JSON.stringify(errors)).not.toMatch(/WRONGTYPE|sorted set|script/i);
  });

  it("[O1] quotes only a short part of the client's input in errors", async () => {
    const long = "<b>".repeat(10_000);
    for (const response of [
      await fetch(`${server.url}/${"x".repeat(8_000)}`),
      await post(JSON.stringify({ query: "query ($n: Int!) { users(first: $n) { nodes { id } } }", variables: { n: long } })),
      await post(JSON.stringify({ query: `query ${"x".repeat(20_000)} { you }` })),
      await post(JSON.stringify({ query: "{ me { id } }", operationName: long })),
      await post(`{"query": ${long}`),
    ]) {
      expect(response.headers.get("content-type")).toContain("json");
      expect((await response.text()).length).toBeLessThan(1_500);
    }
  });

  it('[HTTP1] ignores operationName: "" and unknown media type parameters, and takes null as default', async () => {
    const query = "query A { server { name } }";
    for (const response of [
      await post(JSON.stringify({ query, operationName: "" })),
      await fetch(`${endpoint}?operationName=&query=${encodeURIComponent(query)}`),
      await post(JSON.stringify({ query }), { accept: "application/json; foo=bar" }),
      await post(JSON.stringify({ query }), { accept: "text/csv, application/graphql-response+json;foo=bar;q=0.5;charset=latin1" }),
    ]) {
      expect([response.status, await response.json()]).toEqual([200, { data: { server: { name: "palaver" } } }]);
      expect(response.headers.get("content-type")).toMatch(/^application\/(graphql-response\+)?json; charset=utf-8$/);
    }
    const alice = await TestClient.register(server);
    const { id } = await alice.send("react to me");
    const react = 'mutation ($id: ID!, $on: Boolean) { react(messageId: $id, emoji: "👍", on: $on) { reactions { count } } }';
    expect((await alice.ask(react, { id, on: null })).react.reactions).toEqual([{ count: 1 }]);
    expect((await alice.ask(react, { id, on: false })).react.reactions).toEqual([]);
    const join = 'mutation { joinAsGuest(name: "Gus", cookie: null) { token } }';
    expect((await new TestClient(server.url).ask(join)).joinAsGuest.token).not.toBe("");
    expect((await alice.ask("{ users(first: null) { nodes { id } } }")).users.nodes.length).toBeGreaterThan(0);
  });

  it("[HTTP2] names the allowed methods", async () => {
    for (const at of [server, closed]) {
      const options = await fetch(`${at.url}/graphql`, { method: "OPTIONS" });
      expect([options.status, options.headers.get("allow"), await options.text()]).toEqual([204, "GET, POST, OPTIONS", ""]);
    }
    for (const [method, path, allow] of [
      ["PUT", "/graphql", "GET, POST, OPTIONS"],
      ["HEAD", "/graphql", "GET, POST, OPTIONS"],
      ["DELETE", "/graphql?query={me{id}}", "GET, POST, OPTIONS"],
      ["PROPFIND", "/graphql", "GET, POST, OPTIONS"],
      ["POST", "/healthz", "GET"],
    ] as const) {
      const response = await fetch(server.url + path, { method });
      expect([method, response.status, response.headers.get("allow")]).toEqual([method, 405, allow]);
      if (method !== "HEAD") expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "BAD_REQUEST" } }] });
    }
  });

  it("[API4] loads 50 messages with one round trip for the page and one for all senders", async () => {
    const { roundTrips, url, stop } = await proxyTo(redis.url);
    const proxied = await ownServer(url);
    try {
      const writers = await Promise.all(Array.from({ length: 10 }, () => TestClient.register(server)));
      for (let n = 0; n < 50; n++) await writers[n % 10]?.send(`message ${n}`);
      const reader = writers[0]?.on(proxied) as TestClient;
      const query = (size: number) =>
        reader.ask(`{ messages(roomId: "0", last: ${size}) { nodes { text from { id name online } room { name } } position } }`);
      await query(1); // loads the scripts into Redis
      for (const size of [1, 10, 50]) {
        const taken = async () => {
          const before = roundTrips();
          expect((await query(size)).messages.nodes).toHaveLength(size);
          return roundTrips() - before;
        };
        // The session; the page; then senders, their presence and the room in one batch. The server's own commands add to the count, and
        // a busy machine may split a batch, so a single undisturbed page is enough.
        await expect.poll(taken).toBeLessThanOrEqual(4);
      }
    } finally {
      await proxied.stop();
      await stop();
    }
  });
});

describe("pages for browsers and machines", () => {
  it("[GIQL1] serves GraphiQL at /graphql to browsers, self-contained, with example operations", async () => {
    const response = await fetch(endpoint, { headers: { accept: "text/html,application/xhtml+xml", "accept-encoding": "identity" } });
    expect(response.headers.get("content-type")).toContain("text/html");
    const page = await response.text();
    expect(page).toContain("messageAdded");
    expect(page.match(/<(?:script|link)[^>]*(?:src|href)="https?:/g)).toBeNull();
    const zipped = await fetch(endpoint, { headers: { accept: "text/html", "accept-encoding": "gzip" } });
    expect(zipped.headers.get("content-encoding")).toBe("gzip");
    expect((await zipped.text()).length).toBe(page.length); // fetch unzips
  });

  it("[GIQL2] serves no GraphiQL without the playground, and no schema without introspection", async () => {
    const visit = await fetch(`${closed.url}/graphql`, { headers: { accept: "text/html" } });
    expect(visit.headers.get("content-type")).not.toContain("text/html");
    const refused = { extensions: { code: "GRAPHQL_VALIDATION_FAILED", retryable: false } };
    const { data, errors } = await new TestClient(closed.url).request('{ __type(name: "User") { name } }');
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([refused]);
    await expect(new TestClient(closed.url).subscribe('{ __type(name: "User") { name } }').next()).rejects.toMatchObject([refused]);
  });

  it("[SEC4] sends a content security policy with every answer; GraphiQL's scripts are hashed", async () => {
    for (const path of ["/", "/healthz", "/nowhere", "/graphql?query={me{id}}"]) {
      const { headers } = await fetch(server.url + path);
      expect(headers.get("content-security-policy")).toContain("default-src 'self'; ");
      expect(headers.get("content-security-policy")).not.toContain("unsafe");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
    }
    const policy = (await fetch(endpoint, { headers: { accept: "text/html" } })).headers.get("content-security-policy");
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[\w+/]{43}='; /);
  });

  it("[GIQL2] does not suggest schema names in errors without introspection", async () => {
    const client = new TestClient(closed.url);
    for (const [query, variables] of [
      ["{ mee { id } }", {}],
      ["{ me { emai } }", {}],
      ["{ me }", {}],
      ["{ me { id @includ(if: true) } }", {}],
      ["{ me { ... on Usr { id } } }", {}],
      ["query ($x: I) { me { id } }", {}],
    ] as const) {
      const { errors } = await client.request(query, variables);
      const overSocket = await client
        .subscribe(query, variables)
        .next()
        .catch((failure) => failure);
      for (const text of [errors, overSocket].map((answer) => JSON.stringify(answer))) {
        expect(text).toContain("GRAPHQL_VALIDATION_FAILED");
        expect(text).not.toContain("Did you mean");
      }
    }
    const { errors } = await new TestClient(server.url).request("{ mee { id } }");
    expect(errors?.[0]?.message).toContain('Did you mean "me"?');
  });

  it("[RUN8] answers /healthz, /readyz and /metrics", async () => {
    expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ alive: true });
    const ready = await fetch(`${server.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, problems: [], warnings: [] }]);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/^palaver_operations_total\{transport="http"\} \d+$/m);
    expect(metrics).toMatch(/^palaver_errors_total\{code="BAD_USER_INPUT"\} \d+$/m);
    expect(metrics).toMatch(/^palaver_sockets \d+$/m);
  });

  it("[API5] returns the product's version and whether Redis answers in `server`", async () => {
    expect((await new TestClient(server.url).ask("{ server { name version redis } }")).server).toEqual({
      name: "palaver",
      version: packageJson.version,
      redis: true,
    });
  });
});

describe("other origins", () => {
  const preflight = (url: string, origin: string) =>
    fetch(`${url}/graphql`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type,authorization" },
    });

  it("[SEC1] can use the API over HTTP only if they are allowed", async () => {
    expect((await preflight(closed.url, "https://chat.example")).headers.get("access-control-allow-origin")).toBe("https://chat.example");
    const refused = await preflight(closed.url, "https://evil.example");
    // The browser then sends the request without the user's cookie, and the server refuses it.
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([204, "https://evil.example"]);
    expect(refused.headers.get("access-control-allow-headers")).toBe("content-type,authorization");
    expect(refused.headers.get("access-control-allow-credentials")).toBeNull();
    expect(refused.headers.get("access-control-max-age")).toBe("0");
  });

  it("[SEC1] get 403 and a code over HTTP, unless allowed; the same origin and no origin pass", async () => {
    const ask = (url: string, headers: Record<string, string>) =>
      fetch(`${url}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: '{"query":"{ server { name } }"}',
      });
    for (const origin of [
      "https://evil.example",
      "null",
      "",
      "https://chat.example.evil.example",
      `${closed.url}.evil.example`,
      "http://127.0.0.1",
    ]) {
      const refused = await ask(closed.url, { origin });
      expect([origin, refused.status]).toEqual([origin, 403]);
      expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: "FORBIDDEN", retryable: false } }] });
      expect(refused.headers.get("access-control-allow-origin")).toBe(origin || null); // the refusal can be read
      expect(refused.headers.get("access-control-allow-credentials")).toBeNull();
    }
    const allowed = [{ origin: "https://chat.example" }, { origin: closed.url }, { origin: closed.url.replace("http", "https") }, {}];
    for (const headers of allowed) expect((await ask(closed.url, headers)).status).toBe(200);
    expect((await fetch(`${server.url}/graphql`, { headers: { origin: "https://evil.example", accept: "text/html" } })).status).toBe(403);
  });

  it("[SEC1] can read only refusals", async () => {
    for (const path of ["/", "/healthz", "/metrics", "/graphql", "/rooms/0/export"]) {
      const { status, headers } = await fetch(server.url + path, { headers: { origin: server.url } });
      expect([path, headers.get("access-control-allow-origin")]).toEqual([path, null]);
      expect(status).not.toBe(403);
    }
  });
});

describe("answers to clients that accept compression", async () => {
  const reader = await TestClient.register(server, "reader");
  for (let n = 0; n < 20; n++) await reader.send(`message ${n}, as people write them`);
  const page = '{ messages(roomId: "0", last: 50) { nodes { id text sentAt from { id name } } } }';
  /** Sends a request without decompressing the answer. */
  const ask = (query: string, accepted: string, path = "/graphql") =>
    new Promise<{ encoding: string | undefined; vary: string | undefined; body: Buffer }>((resolve, reject) => {
      const headers = { "content-type": "application/json", authorization: `Bearer ${reader.token}`, "accept-encoding": accepted };
      const asked = request(server.url + path, { method: path === "/graphql" ? "POST" : "GET", headers }, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        const { "content-encoding": encoding, vary } = response.headers;
        resolve({ encoding, vary, body: Buffer.concat(chunks) });
      });
      asked.on("error", reject).end(path === "/graphql" ? JSON.stringify({ query }) : undefined);
    });

  it.each([
    ["br", "br", brotliDecompressSync],
    ["gzip", "gzip", gunzipSync],
    ["gzip, deflate, br, zstd", "br", brotliDecompressSync],
    ["br;q=0.1, gzip;q=0.9", "gzip", gunzipSync],
    ["br;q=0, *", "gzip", gunzipSync],
  ])("[HTTP3] are compressed for accept-encoding: %s", async (accepted, expected, unpack) => {
    const plain = await ask(page, "identity");
    const { encoding, vary, body } = await ask(page, accepted);
    expect([encoding, vary]).toEqual([expected, "accept-encoding"]);
    expect(unpack(body)).toEqual(plain.body);
    expect(body.length).toBeLessThan(plain.body.length / 3);
    expect((await ask("", accepted, "/metrics")).encoding).toBe(expected);
  });

  it("[HTTP3] are not compressed if small, if unwanted, or if their length could reveal a secret", async () => {
    const both = "gzip, br";
    await redis.client.hset(`user:${reader.id}`, "email", "reader@example.com");
    const big = (field: string) => `{ me { ${field} } ${page.slice(1)}`;
    expect(await ask("{ me { id } }", both)).toMatchObject({ encoding: undefined, vary: undefined });
    for (const accepted of ["", "identity", "deflate", "br;q=0, gzip;q=0"])
      expect(await ask(page, accepted)).toMatchObject({ encoding: undefined, vary: "accept-encoding" });
    expect((await ask(big("name"), both)).encoding).toBe("br");
    expect((await ask(big("mine: email"), both)).encoding).toBeUndefined();
    const join = `mutation { ${Array.from({ length: 15 }, (_, n) => `g${n}: joinAsGuest(name: "Gus") { secret: token id }`).join(" ")} }`;
    const { encoding, body } = await ask(join, both);
    expect([encoding, body.length > 1_024]).toEqual([undefined, true]);
  });

  it("[HTTP3] are compressed on a WebSocket if the setting and client allow it, except secrets", async () => {
    const deflating = await ownServer(redis.url, { socketCompression: true });
    for (const [at, expected] of [
      [server, false],
      [deflating, true],
    ] as const) {
      const socket = await RawSocket.accepted(at, reader.token);
      expect(socket.socket.extensions.includes("permessage-deflate")).toBe(expected);
      const { _socket: connection } = socket.socket as unknown as { _socket: Socket };
      const bytes = async (query: string) => {
        const before = connection.bytesRead;
        await socket.subscribe("1", query);
        const answer = JSON.stringify((await socket.answer("1"))[0]);
        return (connection.bytesRead - before) / answer.length;
      };
      expect((await bytes(page)) < 0.5).toBe(expected);
      expect(await bytes(`{ me { email } ${page.slice(1)}`)).toBeGreaterThan(0.9);
      await socket.subscribe("2", "subscription { messageAdded(includeOwn: true) { text } }");
      await socket.subscribe("3", "{ me { id } }");
      await socket.answer("3");
      await eventually(async () => {
        await reader.send("x".repeat(3_000));
        expect(socket.heard.some(({ id, payload }) => id === "2" && payload?.data.messageAdded.text.length === 3_000)).toBe(true);
      });
      await socket.say(`{"type":"ping","payload":{"x":"${"x".repeat(500_000)}"}}`); // small on the wire if compressed
      expect((await socket.closed).code).toBe(1009);
    }
  });
});

describe("a query by GET", async () => {
  const alice = await TestClient.register(server);
  const { cookie, id } = await (async () => {
    const login = `mutation { joinAsGuest(name: "Gus", cookie: true) { user { id } } }`;
    const response = await post(JSON.stringify({ query: login }));
    const { data } = await response.json();
    return { cookie: response.headers.get("set-cookie")?.split(";")[0] ?? "", id: data.joinAsGuest.user.id };
  })();
  const get = async (headers: Record<string, string>, query = "{ me { id } }") => {
    const response = await fetch(`${endpoint}?query=${encodeURIComponent(query)}`, { headers });
    const { data, errors } = (await response.json()) as { data?: unknown; errors?: { message: string }[] };
    return { status: response.status, data, said: errors?.[0]?.message, kept: response.headers.get("cache-control") };
  };
  const ours = { "sec-fetch-site": "same-origin", "sec-fetch-dest": "empty" };

  it.each([
    ["a token", { authorization: `Bearer ${alice.token}` }, alice.id],
    [
      "a token, as urql and graphql-request ask",
      { authorization: `Bearer ${alice.token}`, accept: "application/graphql-response+json, application/json" },
      alice.id,
    ],
    ["a token beside a cookie", { authorization: `Bearer ${alice.token}`, cookie }, alice.id],
    ["nothing", { accept: "application/graphql-response+json" }, undefined],
    ["an unrelated cookie", { cookie: "theme=dark" }, undefined],
    ["a cookie, from the server's own page", { cookie, ...ours }, id],
    ["a cookie and a header that a link cannot set", { cookie, "apollo-require-preflight": "true" }, id],
  ])("[SEC2] runs with %s", async (_what, headers: Record<string, string>, viewer) => {
    expect(await get(headers)).toEqual({
      status: 200,
      data: { me: viewer === undefined ? null : { id: viewer } },
      said: undefined,
      kept: "no-store",
    });
  });

  it.each([
    ["no other header", {}],
    ["a password that the browser adds", { authorization: "Basic dTpw" }],
    ["the headers of a page of another site", { "sec-fetch-site": "cross-site", "sec-fetch-dest": "empty" }],
    ["the headers of a page of another subdomain", { "sec-fetch-site": "same-site", "sec-fetch-dest": "empty" }],
    ["the headers of a link on the server's own page", { "sec-fetch-site": "same-origin", "sec-fetch-dest": "document" }],
    ["the headers of an image on the server's own page", { "sec-fetch-site": "same-origin", "sec-fetch-dest": "image" }],
    ["a form's content type", { "content-type": "text/plain" }],
  ])("[SEC2] does not run with a cookie and %s", async (_what, headers: Record<string, string>) => {
    expect(await get({ cookie, ...headers })).toMatchObject({
      status: 400,
      data: undefined,
      said: expect.stringContaining("another site"),
    });
  });

  it("[SEC2] is never a mutation", async () => {
    for (const headers of [{ authorization: `Bearer ${alice.token}` }, {}, { cookie, ...ours }]) {
      expect(await get(headers, 'mutation { joinAsGuest(name: "Eve") { token } }')).toMatchObject({ status: 405, data: undefined });
    }
  });

  it("[SEC2] works with urql's defaults", async () => {
    const { Client, fetchExchange } = await import("@urql/core");
    const urql = new Client({
      url: endpoint,
      exchanges: [fetchExchange],
      fetchOptions: { headers: { authorization: `Bearer ${alice.token}` } },
    });
    expect((await urql.query("{ me { id } }", {}).toPromise()).data).toEqual({ me: { id: alice.id } });
  });
});

describe("a credential", async () => {
  const alice = await TestClient.register(server);
  const dead = `1.${"A".repeat(43)}`;
  const ask = async (headers: Record<string, string>, query = "{ me { id } }", path = "/graphql") => {
    const response = await fetch(server.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ query }),
    });
    const { data, errors } = (await response.json()) as { data?: unknown; errors?: { message: string; extensions: { code: string } }[] };
    return { status: response.status, data, code: errors?.[0]?.extensions.code, said: errors?.[0]?.message };
  };

  it.each([["Bearer "], ["bearer "], ["BEARER   "], [""]])("[S11] is accepted over HTTP after %j", async (prefix) => {
    expect(await ask({ authorization: `${prefix}${alice.token}` })).toMatchObject({ status: 200, data: { me: { id: alice.id } } });
  });

  it.each([
    ["an unknown token", { authorization: `Bearer ${dead}` }, "Log in again"],
    ["a token of another issuer", { authorization: "Bearer eyJhbGciOi.eyJzdWIiOi.c2ln" }, "Log in again"],
    ["another scheme", { authorization: `Basic ${Buffer.from("ada:secret").toString("base64")}` }, "Bearer TOKEN"],
    ["nothing after Bearer", { authorization: "Bearer" }, "Bearer TOKEN"],
    ["a bare word", { authorization: "let-me-in" }, "Bearer TOKEN"],
    ["a token in another header", { "x-auth-token": alice.token as string }, "Authorization"],
    [
      "an unknown token, for a client that accepts only application/json",
      { authorization: `Bearer ${dead}`, accept: "application/json" },
      "Log in again",
    ],
  ])("[S11] is refused over HTTP with 401 and a sentence if it is %s", async (_what, headers: Record<string, string>, said) => {
    const refused = { status: 401, data: undefined, code: "UNAUTHENTICATED", said: expect.stringContaining(said) };
    expect(await ask(headers)).toEqual(refused);
    expect(await ask(headers, "{ server { name } me { id } }")).toEqual(refused);
    const exported = await fetch(`${server.url}/rooms/0/export`, { headers });
    expect([exported.status, await exported.text()]).toEqual([401, expect.stringContaining(said)]);
  });

  it.each(["token", "access_token", "authToken", "authorization", "jwt", "anything"])(
    "[S11] is refused in the query string, as %s",
    async (name) => {
      const refused = await ask({}, "{ me { id } }", `/graphql?${name}=${alice.token}`);
      expect(refused).toMatchObject({ status: 401, code: "UNAUTHENTICATED", said: expect.stringContaining("address") });
    },
  );

  it("[S11] does not prevent a login or public queries if it is unknown", async () => {
    const authorization = `Bearer ${dead}`;
    for (const query of [
      `mutation { login(username: "${alice.username}", password: "a good password") { user { id } } }`,
      'mutation { joinAsGuest(name: "Gus") { id } }',
      `mutation { register(username: "new-${alice.username}", password: "a good password") { id } }`,
      "{ session { id } server { name } }",
      "query ($x: Boolean = true) { ...f @include(if: $x) } fragment f on Query { __typename __schema { queryType { name } } }",
    ]) {
      const { status, data } = await ask({ authorization }, query);
      expect([query, status, data !== undefined]).toEqual([query, 200, true]);
    }
    expect((await ask({ authorization }, "{ me {")).code).toBe("GRAPHQL_PARSE_FAILED");
  });
});
