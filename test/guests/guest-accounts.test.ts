import { describe, expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { proxyTo } from "../helpers/proxy.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";
import { acceptedSocket } from "../helpers/socket.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);
const nobody = new TestClient(one.url);

const REGISTER =
  'mutation ($u: String!, $name: String, $email: String) { register(username: $u, password: "a good password", name: $name, email: $email) { id token expiresAt user { id username name guest } } }';
const LOGIN = 'mutation ($u: String!) { login(username: $u, password: "a good password") { user { id username guest } } }';
const ME = "{ me { id username name email guest } }";

let names = 0;
const newName = () => `once-a-guest-${++names}`;

async function join(name = "Gus"): Promise<TestClient> {
  const query = "mutation ($name: String!) { joinAsGuest(name: $name) { token user { id username } } }";
  const { token, user } = (await nobody.ask(query, { name })).joinAsGuest;
  return new TestClient(one.url, token, user.id, user.username);
}

describe("a guest who registers", () => {
  it("[S9] keeps id, rooms, history and session, and is then a regular account", async () => {
    const [ann, guest] = [await TestClient.register(one, "ann"), await join("Gus Grissom")];
    const { openPrivateRoom: room } = await guest.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ann.id });
    await guest.send("in private", room.id);
    await guest.send("to all");
    const [{ id: sessionId }] = (await guest.ask("{ sessions { id } }")).sessions;
    const { totalCount } = (await ann.ask("{ users { totalCount } }")).users;
    const other = await acceptedSocket(two, guest.token);

    const u = newName();
    const { register } = await guest.ask(REGISTER, { u, email: "gus@example.com" });
    expect(register).toMatchObject({ id: sessionId, user: { id: guest.id, username: u, name: "Gus Grissom", guest: false } });
    expect(Math.abs(Date.parse(register.expiresAt) - Date.now() - 86_400_000)).toBeLessThan(60_000);
    expect(await other.closed).toBe(4403); // the socket of the old token
    expect((await guest.refused(ME)).extensions.code).toBe("UNAUTHENTICATED");

    const gus = new TestClient(two.url, register.token, guest.id, u);
    expect((await gus.ask(ME)).me).toEqual({ id: guest.id, username: u, name: "Gus Grissom", email: "gus@example.com", guest: false });
    expect(await gus.history(room.id, { size: 10 })).toEqual(["in private"]);
    expect((await gus.ask("{ sessions { id current } }")).sessions).toEqual([{ id: sessionId, current: true }]);
    expect((await nobody.ask(LOGIN, { u })).login.user).toEqual({ id: guest.id, username: u, guest: false });
    await gus.ask('mutation { createRoom(name: "Mine") { id } }');
    await gus.ask('mutation { changePassword(current: "a good password", new: "another password") }');

    const { users, found } = await ann.ask(
      "query ($u: String!) { users(last: 100) { totalCount nodes { id } } found: users(search: $u) { nodes { id } } }",
      { u },
    );
    expect(users.totalCount).toBe(totalCount + 1);
    expect(users.nodes).toContainEqual({ id: guest.id });
    expect(found.nodes).toEqual([{ id: guest.id }]);
    const hash = await redis.client.hgetall(`user:${guest.id}`);
    expect(Object.keys(hash).sort()).toEqual(["createdAt", "email", "name", "password", "passwordSince", "username"]);
    expect(await redis.client.get(`username:${u}`)).toBe(`user:${guest.id}`);
    expect(await redis.client.zscore("guests:{total_users}", guest.id)).toBeNull();
  });

  it("[S9] over a socket keeps that socket and its subscriptions", async () => {
    const guest = await join();
    const { say, next, closed } = await acceptedSocket(one, guest.token);
    const after = await guest.position();
    await say({
      id: "1",
      type: "subscribe",
      payload: { query: "subscription ($a: [String!]) { messageAdded(after: $a) { text } }", variables: { a: [after] } },
    });
    await guest.send("a guest");
    expect(await next()).toMatchObject({ id: "1", payload: { data: { messageAdded: { text: "a guest" } } } });
    await say({ id: "2", type: "subscribe", payload: { query: REGISTER, variables: { u: newName() } } });
    const { payload } = (await next()) as { payload: { data: { register: { token: string } } } };
    expect(await next()).toEqual({ id: "2", type: "complete" });
    const account = new TestClient(two.url, payload.data.register.token, guest.id);
    await account.send("an account");
    expect(await next()).toMatchObject({ id: "1", payload: { data: { messageAdded: { text: "an account" } } } });
    await say({ id: "3", type: "subscribe", payload: { query: 'mutation { createRoom(name: "Ours") { name } }' } });
    expect(await next()).toMatchObject({ id: "3", payload: { data: { createRoom: { name: "Ours" } } } });
    await account.ask("mutation { logout }");
    expect(await closed).toBe(4403);
  });

  it("[S9] receives the new token in a cookie if the old one was in a cookie", async () => {
    const post = async (query: string, cookie = "") => {
      const headers = { "content-type": "application/json", ...(cookie && { cookie }) };
      const response = await fetch(`${one.url}/graphql`, { method: "POST", headers, body: JSON.stringify({ query }) });
      const [given = ""] = /^palaver-session=[^;]+/.exec(response.headers.get("set-cookie") ?? "") ?? [];
      return { cookie: given, body: (await response.json()) as { data: Record<string, { token: string; user: { guest: boolean } }> } };
    };
    const joined = await post('mutation { joinAsGuest(name: "Gus", cookie: true) { token } }');
    const registered = await post(
      `mutation { register(username: "${newName()}", password: "a good password") { token user { guest } } }`,
      joined.cookie,
    );
    expect(registered.body.data.register).toEqual({ token: "", user: { guest: false } });
    expect(registered.cookie).not.toBe(joined.cookie);
    expect((await post("{ me { guest } }", registered.cookie)).body.data.me).toEqual({ guest: false });
    expect((await post("{ me { guest } }", joined.cookie)).body.data.me).toBeNull();
  });

  it("[S9] stays a guest if the username is taken or the input is refused", async () => {
    const [ann, guest] = [await TestClient.register(one, "ann"), await join()];
    const before = await redis.client.hgetall(`user:${guest.id}`);
    expect((await guest.refused(REGISTER, { u: ann.username })).extensions.code).toBe("USERNAME_TAKEN");
    expect((await guest.refused(REGISTER, { u: "with spaces" })).extensions.code).toBe("BAD_USER_INPUT");
    expect(await redis.client.hgetall(`user:${guest.id}`)).toEqual(before);
    expect((await guest.ask(ME)).me).toMatchObject({ guest: true, username: guest.username });
  });

  it("[S9] becomes one account when calls race, and only one of several guests gets a name", async () => {
    for (let round = 0; round < 5; round++) {
      const guest = await join();
      const wanted = Array.from({ length: 6 }, newName);
      const answers = await Promise.all(wanted.map((u, n) => guest.on(n % 2 ? one : two).request(REGISTER, { u })));
      const won = answers.flatMap(({ data }) => data?.register ?? []);
      expect(won).toHaveLength(1);
      for (const { errors } of answers) if (errors) expect(errors[0]?.extensions.code).toBe("UNAUTHENTICATED");
      for (const u of wanted) expect(await redis.client.get(`username:${u}`)).toBe(u === won[0].user.username ? `user:${guest.id}` : null);
      expect((await new TestClient(one.url, won[0].token).ask(ME)).me.username).toBe(won[0].user.username);
    }
    const guests = await Promise.all(Array.from({ length: 6 }, () => join()));
    const u = newName();
    const answers = await Promise.all(guests.map((guest, n) => guest.on(n % 2 ? one : two).request(REGISTER, { u })));
    expect(answers.filter(({ data }) => data?.register)).toHaveLength(1);
    const codes = answers.flatMap(({ errors }) => errors?.map(({ extensions }) => extensions.code) ?? []);
    expect(codes).toEqual(Array(5).fill("USERNAME_TAKEN"));
    for (const [n, guest] of guests.entries()) if (answers[n]?.errors) expect((await guest.ask(ME)).me).toMatchObject({ guest: true });
    for (const [n, guest] of guests.entries())
      expect(await redis.client.hexists(`user:${guest.id}`, "password")).toBe(answers[n]?.errors ? 0 : 1);
  });

  it("[S9] remains a guest or becomes an account, which a login completes, when cut off", async () => {
    const outcomes = new Set<string>();
    // At 4,600 bytes the account is complete, unless the server sent much else in the meantime.
    for (let bytes = 100; bytes < 4_600 || !outcomes.has("an account"); bytes += 150) {
      const guest = await join();
      const u = newName();
      const proxy = await proxyTo(redis.url);
      const doomed = await ownServer(proxy.url, { rateLimits: false });
      await guest.on(doomed).ask(ME);
      proxy.goAwayAfter(bytes);
      await guest.on(doomed).request(REGISTER, { u });
      await proxy.stop();
      await doomed.stop();

      const { claim = "{}" } = await redis.client.hgetall(`user:${guest.id}`);
      const named = (await redis.client.get(`username:${u}`)) === `user:${guest.id}`;
      const isAccount = (await redis.client.hexists(`user:${guest.id}`, "guest")) === 0;
      outcomes.add(isAccount ? "an account" : named ? "named" : claim === "{}" ? "a guest" : "begun");
      if (named) {
        expect((await nobody.ask(LOGIN, { u })).login.user).toEqual({ id: guest.id, username: u, guest: false });
        continue;
      }
      expect((await nobody.refused(LOGIN, { u })).extensions.code).toBe("INVALID_CREDENTIALS");
      expect((await guest.ask(ME)).me.guest).toBe(true);
      if (claim === "{}") continue;
      // After its lease expires, another attempt with another name takes over.
      await redis.client.hset(`user:${guest.id}`, "claim", JSON.stringify({ ...JSON.parse(claim), deadline: 1 }));
      const other = newName();
      expect((await guest.ask(REGISTER, { u: other })).register.user).toMatchObject({ id: guest.id, username: other });
    }
    expect([...outcomes]).toEqual(expect.arrayContaining(["a guest", "an account"]));
  });

  it("[S9] can retry after a cut-off call that claimed a name, with that name or another", async () => {
    for (const same of [true, false]) {
      const guest = await join();
      const [u, other] = [newName(), newName()];
      const cutOff = { username: u, attempt: "x", deadline: 1 };
      const { password } = await redis.client.hgetall(`user:${(await TestClient.register(one)).id}`);
      await redis.client.hset(`user:${guest.id}`, { claim: JSON.stringify(cutOff), password });
      await redis.client.set(`username:${u}`, `user:${guest.id}`);
      const { register } = await guest.ask(REGISTER, { u: same ? u : other });
      expect(register.user).toMatchObject({ id: guest.id, username: same ? u : other });
      expect(await redis.client.get(`username:${u}`)).toBe(same ? `user:${guest.id}` : null);
    }
  });

  it("[S9] differs from an account's session, which creates a new account", async () => {
    const ann = await TestClient.register(one, "ann");
    const { register } = await ann.ask(REGISTER, { u: newName() });
    expect(register.user.id).not.toBe(ann.id);
    expect((await ann.ask(ME)).me.id).toBe(ann.id);
  });
});
