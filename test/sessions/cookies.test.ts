import { once } from "node:events";
import http from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";
import { acceptedSocket, openSocket } from "../helpers/socket.js";

const redis = await ownRedis();
const server = await ownServer(redis.url, { allowedOrigins: ["https://chat.example"] });
const behindTls = await ownServer(redis.url, { proxies: 1 });

/** Sends a request like a browser, with the cookie and the page's origin. */
async function browse(query: string, { cookie, ...headers }: Record<string, string> = {}, at = server) {
  const response = await fetch(`${at.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: at.url, ...(cookie && { cookie }), ...headers },
    body: JSON.stringify({ query }),
  });
  const set = response.headers.get("set-cookie") ?? "";
  const { data, errors } = await response.json();
  return { status: response.status, set, cookie: set.split(";")[0] ?? "", data, code: errors?.[0].extensions.code };
}

/** Sends a request with any Host header, which `fetch` does not allow. */
async function asked(
  at: { url: string },
  host: string,
  { path = "/healthz", origin, body }: { path?: string; origin?: string; body?: object },
) {
  const headers = { host, ...(origin && { origin }), ...(body && { "content-type": "application/json" }) };
  const request = http.request(`${at.url}${body ? "/graphql" : path}`, { method: body ? "POST" : "GET", headers });
  request.end(body && JSON.stringify(body));
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  return { status: response.statusCode, text: await text(response) };
}

let names = 0;
async function logIn() {
  const { cookie, data } = await browse(
    `mutation { register(username: "user-${++names}", password: "a good password", cookie: true) { token user { id } } }`,
  );
  return { cookie, id: data.register.user.id as string };
}

const ME = "{ me { id } }";

describe("a session in a cookie", () => {
  it("[S6] is set on request, hidden from scripts, and the result has no token", async () => {
    for (const mutation of [
      'register(username: "ada", password: "a good password", cookie: true)',
      'login(username: "ada", password: "a good password", cookie: true)',
      'joinAsGuest(name: "Gus", cookie: true)',
    ]) {
      const { set, cookie, data } = await browse(`mutation { session: ${mutation} { token user { id } } }`);
      const { token, user } = data.session;
      expect(token).toBe("");
      expect(set).toMatch(/^palaver-session=\d+\.[\w-]{43}; Max-Age=34560000; Path=\/; HttpOnly; SameSite=Strict$/);
      expect((await browse(ME, { cookie })).data.me).toEqual({ id: user.id });
    }
    const { set, data } = await browse('mutation { login(username: "ada", password: "a good password") { token } }');
    expect([set, data.login.token.length > 40]).toEqual(["", true]);
  });

  it("[S6] is Secure when a trusted balancer reports TLS", async () => {
    const join = 'mutation { joinAsGuest(name: "Gus", cookie: true) { id } }';
    const https = { "x-forwarded-proto": "https" };
    expect((await browse(join, https, behindTls)).set).toContain("; Secure");
    expect((await browse(join, { "x-forwarded-proto": "https, http" }, behindTls)).set).not.toContain("Secure");
    expect((await browse(join, https)).set).not.toContain("Secure"); // without a trusted balancer anyone can send this header
  });

  it("[S6] has a __Host- name over TLS, takes precedence over a plain cookie, and logout clears both", async () => {
    const https = { "x-forwarded-proto": "https" };
    const { set, cookie, data } = await browse('mutation { joinAsGuest(name: "Gus", cookie: true) { user { id } } }', https, behindTls);
    expect(set).toMatch(/^__Host-palaver-session=\d+\.[\w-]{43}; Max-Age=34560000; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    const other = await logIn(); // set by an older version, or by another host of the site
    const both = `${other.cookie}; ${cookie}`;
    for (const at of [server, behindTls]) expect((await browse(ME, { cookie: both }, at)).data.me).toEqual(data.joinAsGuest.user);
    await acceptedSocket(behindTls, undefined, { cookie: both, origin: behindTls.url });
    expect((await browse(ME, { cookie: other.cookie, ...https }, behindTls)).data.me).toEqual({ id: other.id });
    const out = await browse("mutation { logout }", { cookie: both, ...https }, behindTls);
    expect(out.set).toMatch(/^__Host-palaver-session=; .*, palaver-session=; Max-Age=0; /);
    expect((await browse(ME, { cookie }, behindTls)).data.me).toBeNull();
  });

  it("[S6] is the one with a valid session among several of the same name", async () => {
    const { cookie, id } = await logIn();
    const over = `palaver-session=${id}.${"A".repeat(43)}`;
    for (const others of [
      over,
      "palaver-session=",
      "palaver-session=%ff%",
      "palaver-session=x; a=b",
      `${over}; palaver-session=nonsense`,
    ]) {
      for (const given of [`${others}; ${cookie}`, `${cookie}; ${others}`]) {
        expect((await browse(ME, { cookie: given })).data.me).toEqual({ id });
        await acceptedSocket(server, undefined, { cookie: given, origin: server.url });
      }
    }
    const many = Array.from({ length: 50 }, (_, n) => `palaver-session=${id}.${String(n).repeat(20)}`).join("; ");
    expect((await browse(ME, { cookie: `${many}; ${cookie}` })).data.me).toBeNull(); // the server checks only four
  });

  it("[S6] opens a socket, which closes when its session ends", async () => {
    const { cookie, id } = await logIn();
    const { say, next, closed } = await acceptedSocket(server, undefined, { cookie, origin: server.url });
    await say({ id: "1", type: "subscribe", payload: { query: ME } });
    expect(await next()).toMatchObject({ payload: { data: { me: { id } } } });
    const { set } = await browse("mutation { logout }", { cookie });
    expect(set).toMatch(/^palaver-session=; Max-Age=0; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(await closed).toBe(4403);
    await expect(acceptedSocket(server, undefined, { cookie })).rejects.toThrow("4403");
  });

  it("[S6] is ignored after its session ended, but kept, as another tab may have refreshed it", async () => {
    const { cookie, id } = await logIn();
    await redis.client.del(`sessions:{user:${id}}`);
    expect(await browse(ME, { cookie })).toMatchObject({ data: { me: null }, set: "" });
    const again = await browse('mutation { joinAsGuest(name: "Gus", cookie: true) { user { id } } }', { cookie });
    expect((await browse(ME, { cookie: again.cookie })).data.me).toEqual(again.data.joinAsGuest.user);
    for (const forged of ["palaver-session=", "palaver-session=1.x", "palaver-session=%ff%", `palaver-session=1.${"A".repeat(43)}`, "=;;="])
      expect((await browse(ME, { cookie: forged })).data).toEqual({ me: null });
  });

  it("[S6] is set once per response, by the last mutation that sets it", async () => {
    const join = (alias: string) => `${alias}: joinAsGuest(name: "Gus", cookie: true) { user { id } }`;
    const { set, cookie, data } = await browse(`mutation { ${join("first")} ${join("second")} }`);
    expect(set.match(/palaver-session=/g)).toHaveLength(1);
    expect((await browse(ME, { cookie })).data.me).toEqual(data.second.user);
  });

  it("[S6] lets `session` show the current session, which is null without it", async () => {
    const { set, cookie, data } = await browse('mutation { joinAsGuest(name: "Gus", cookie: true) { id expiresAt } }');
    expect(set).not.toBe("");
    expect((await browse("{ session { id expiresAt current } }", { cookie })).data.session).toEqual({ ...data.joinAsGuest, current: true });
    expect((await browse("{ session { id } }")).data).toEqual({ session: null });
  });

  it("[S6] is refreshed as a cookie, so its token never reaches a script", async () => {
    const { cookie, id } = await logIn();
    const refresh = "mutation { refreshSession { token } }";
    const { say, next } = await acceptedSocket(server, undefined, { cookie });
    await say({ id: "1", type: "subscribe", payload: { query: refresh } });
    expect(await next()).toMatchObject({ payload: { errors: [{ extensions: { code: "BAD_USER_INPUT", argument: "cookie" } }] } });
    const refreshed = await browse(refresh, { cookie });
    expect(refreshed.data.refreshSession.token).toBe("");
    expect((await browse(ME, { cookie: refreshed.cookie })).data.me).toEqual({ id });
    expect((await browse(ME, { cookie })).data.me).toBeNull();
  });

  it("[S6] cannot be set over a socket, and yields to a bearer token", async () => {
    const { cookie } = await logIn();
    const ann = await TestClient.register(server, "ann");
    const { say, next } = await acceptedSocket(server, ann.token, { cookie });
    await say({ id: "1", type: "subscribe", payload: { query: 'mutation { joinAsGuest(name: "Gus", cookie: true) { token } }' } });
    expect(await next()).toMatchObject({ payload: { errors: [{ extensions: { code: "BAD_USER_INPUT", argument: "cookie" } }] } });
    expect(await next()).toMatchObject({ type: "complete" });
    await say({ id: "2", type: "subscribe", payload: { query: ME } });
    expect(await next()).toMatchObject({ payload: { data: { me: { id: ann.id } } } });
    const { data, set } = await browse(ME, { cookie, authorization: `Bearer ${ann.token}` });
    expect([data.me.id, set]).toEqual([ann.id, ""]);
  });
});

describe("pages of other origins", () => {
  it("[SEC1] are refused over HTTP and WebSockets, with or without a cookie, unless allowed", async () => {
    const { cookie, id } = await logIn();
    const [before] = [await redis.client.zcard("room:0")];
    for (const origin of ["https://evil.example", "null", server.url.replace("127.0.0.1", "localhost"), `${server.url}.evil.example`]) {
      for (const headers of [{ origin }, { origin, cookie }]) {
        expect(await browse('mutation { send(roomId: "0", text: "forged") { id } }', headers)).toMatchObject({
          status: 403,
          code: "FORBIDDEN",
        });
        expect(await openSocket(server, headers as Record<string, string>).closed).toBe(1006);
      }
    }
    expect(await redis.client.zcard("room:0")).toBe(before);
    for (const origin of ["https://chat.example", server.url]) expect((await browse(ME, { origin, cookie })).data.me).toEqual({ id });
  });

  it("[REBIND1] under a host name that was rebound to this machine are refused, over both transports", async () => {
    const join = { query: 'mutation { joinAsGuest(name: "Gus") { token } }' };
    for (const name of ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "evillocalhost"]) {
      for (const path of ["/graphql", "/", "/metrics", "/rooms/0/export"]) {
        const answer = await asked(server, name, { path, origin: `http://${name}`, ...(path === "/graphql" && { body: join }) });
        expect(answer.status).toBe(421);
        expect(answer.text).toMatch(/"message":"This server answers to local host names only.*ALLOWED_HOSTS.*"code":"FORBIDDEN"/);
      }
      expect(await openSocket(server, { host: name, origin: `http://${name}` }).closed).toBe(1006);
    }
    for (const name of ["localhost", "LOCALHOST:4000", "chat.localhost", "localhost.", "127.0.0.1", "[::1]:4000", "192.0.2.1"])
      expect((await asked(server, name, { body: join })).status).toBe(200);
    await acceptedSocket(server, undefined, { host: "localhost:1" });
  });

  it("[REBIND1] are answered under other host names with a proxy, a public address or ALLOWED_HOSTS", async () => {
    const open = await ownServer(redis.url, { host: "0.0.0.0" });
    const named = await ownServer(redis.url, { host: "0.0.0.0", allowedHosts: ["chat.example", "*.team.example"] });
    const any = await ownServer(redis.url, { allowedHosts: ["*"] });
    const status = async (at: { url: string }, name: string) =>
      (await asked({ url: at.url.replace("0.0.0.0", "127.0.0.1") }, name, {})).status;
    for (const at of [behindTls, open, any]) expect(await status(at, "chat.example")).toBe(200);
    for (const name of ["chat.example", "Chat.Example:443", "one.team.example", "localhost", "10.0.0.7:4000"])
      expect(await status(named, name)).toBe(200);
    for (const name of ["team.example", "evil.example", "xchat.example", "chat.example.evil.example"])
      expect(await status(named, name)).toBe(421);
  });

  it("[SEC2] cannot make a browser run an operation with its cookie by a link or a form", async () => {
    const { cookie } = await logIn();
    const query = encodeURIComponent("{ me { id } }");
    for (const [method, headers] of [
      ["GET", {}],
      ["POST", { "content-type": "text/plain" }],
      ["POST", { "content-type": "application/x-www-form-urlencoded" }],
    ] as const) {
      const response = await fetch(`${server.url}/graphql?query=${query}`, { method, headers: { cookie, ...headers } });
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(await response.text()).not.toContain('"me"');
    }
  });
});
