import { describe, expect, it } from "vitest";
import { TestClient } from "./helpers/client.js";
import { ownRedis } from "./helpers/redis.js";
import { ownServer } from "./helpers/server.js";
import { acceptedSocket, openSocket } from "./helpers/socket.js";

const redis = await ownRedis();
const server = await ownServer(redis.url, { allowedOrigins: ["https://chat.example"] });
const behindTls = await ownServer(redis.url, { proxies: 1 });

/** A browser's request: with its cookie, and the origin of the page. */
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

let names = 0;
async function logIn() {
  const { cookie, data } = await browse(
    `mutation { register(username: "user-${++names}", password: "a good password", cookie: true) { token user { id } } }`,
  );
  return { cookie, id: data.register.user.id as string };
}

const ME = "{ me { id } }";

describe("a session in a cookie", () => {
  it("[S6] is set when it is asked for, where no script can read it, and the answer has no token", async () => {
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

  it("[S6] goes by TLS alone where it came by TLS, as a balancer says that is trusted", async () => {
    const join = 'mutation { joinAsGuest(name: "Gus", cookie: true) { id } }';
    const https = { "x-forwarded-proto": "https" };
    expect((await browse(join, https, behindTls)).set).toContain("; Secure");
    expect((await browse(join, { "x-forwarded-proto": "https, http" }, behindTls)).set).not.toContain("Secure");
    expect((await browse(join, https)).set).not.toContain("Secure"); // anyone may say so there
  });

  it("[S6] opens a socket, which ends with it", async () => {
    const { cookie, id } = await logIn();
    const { say, next, closed } = await acceptedSocket(server, undefined, { cookie, origin: server.url });
    await say({ id: "1", type: "subscribe", payload: { query: ME } });
    expect(await next()).toMatchObject({ payload: { data: { me: { id } } } });
    const { set } = await browse("mutation { logout }", { cookie });
    expect(set).toMatch(/^palaver-session=; Max-Age=0; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(await closed).toBe(4403);
    await expect(acceptedSocket(server, undefined, { cookie })).rejects.toThrow("4403");
  });

  it("[S6] is worth nothing once it is over, and stays: another tab may have refreshed it meanwhile", async () => {
    const { cookie, id } = await logIn();
    await redis.client.del(`sessions:{user:${id}}`);
    expect(await browse(ME, { cookie })).toMatchObject({ data: { me: null }, set: "" });
    const again = await browse('mutation { joinAsGuest(name: "Gus", cookie: true) { user { id } } }', { cookie });
    expect((await browse(ME, { cookie: again.cookie })).data.me).toEqual(again.data.joinAsGuest.user);
    for (const forged of ["palaver-session=", "palaver-session=1.x", "palaver-session=%ff%", `palaver-session=1.${"A".repeat(43)}`, "=;;="])
      expect((await browse(ME, { cookie: forged })).data).toEqual({ me: null });
  });

  it("[S6] is set once in an answer, by the last that sets it", async () => {
    const join = (alias: string) => `${alias}: joinAsGuest(name: "Gus", cookie: true) { user { id } }`;
    const { set, cookie, data } = await browse(`mutation { ${join("first")} ${join("second")} }`);
    expect(set.match(/palaver-session=/g)).toHaveLength(1);
    expect((await browse(ME, { cookie })).data.me).toEqual(data.second.user);
  });

  it("[S6] tells who has it how it stands, and others that there is none", async () => {
    const { set, cookie, data } = await browse('mutation { joinAsGuest(name: "Gus", cookie: true) { id expiresAt } }');
    expect(set).not.toBe("");
    expect((await browse("{ session { id expiresAt current } }", { cookie })).data.session).toEqual({ ...data.joinAsGuest, current: true });
    expect((await browse("{ session { id } }")).data).toEqual({ session: null });
  });

  it("[S6] is refreshed in its cookie: its token never comes where a script could read it", async () => {
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

  it("[S6] cannot be set over a socket, and a bearer token goes before it", async () => {
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
  it("[SEC1] are refused over HTTP as over WebSockets, with a cookie or without, unless they are allowed", async () => {
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
