import { describe, expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { BUSY, eventually } from "../helpers/eventually.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";
import { acceptedSocket } from "../helpers/socket.js";

const redis = await ownRedis();
const server = await ownServer(redis.url);
const anonymous = new TestClient(server.url);

const JOIN = "mutation ($name: String!) { joinAsGuest(name: $name) { token expiresAt user { id username name guest online } } }";
const LOGIN = "mutation ($u: String!, $p: String!) { login(username: $u, password: $p) { user { id } } }";

async function join(name = "Gus", on = server) {
  const { token, expiresAt, user } = (await anonymous.on(on).ask(JOIN, { name })).joinAsGuest;
  return { guest: new TestClient(on.url, token, user.id, user.username), expiresAt, user };
}

describe("guests", () => {
  it("[S5] chat under their name, and are marked as guests", async () => {
    const ann = await TestClient.register(server, "ann");
    const { guest, user } = await join("Gus Grissom");
    expect(user).toEqual({ id: guest.id, username: `Gus Grissom (guest ${guest.id})`, name: "Gus Grissom", guest: true, online: false });
    const stream = ann.follow({ roomId: "0", after: [await ann.position()] });
    await guest.send("hello");
    expect(await stream.next()).toMatchObject({ text: "hello", from: { id: guest.id } });
    expect((await ann.ask("{ me { guest } }")).me.guest).toBe(false);
    const { openPrivateRoom } = await guest.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id name } }", { id: ann.id });
    await guest.send("in private", openPrivateRoom.id);
    const listed = (await ann.ask("{ rooms { nodes { name lastMessage { from { name guest } } } } }")).rooms.nodes;
    expect(listed).toContainEqual({ name: "Gus Grissom", lastMessage: { from: { name: "Gus Grissom", guest: true } } });
  });

  it("[S5] are found by id and come online like accounts, but are not listed with them", async () => {
    const ann = await TestClient.register(server, "ann");
    const { totalCount } = (await ann.ask("{ users { totalCount } }")).users;
    const { guest } = await join();
    await guest.subscribe("{ me { id } }").next(); // opens a socket
    const { user, users } = await ann.ask(
      "query ($id: ID!) { user(id: $id) { name online } users(last: 100) { totalCount nodes { id guest } } }",
      { id: guest.id },
    );
    expect(user).toEqual({ name: "Gus", online: true });
    expect(users.totalCount).toBe(totalCount);
    expect(users.nodes.filter(({ guest }: { guest: boolean }) => guest)).toEqual([]);
  });

  it("[S5] expire a while after their last activity: sockets close, but the name stays", async () => {
    const short = await ownServer(redis.url, { guestTtl: 1 });
    const { guest, expiresAt } = await join("Gus", short);
    const { closed } = await acceptedSocket(short, guest.token); // idle
    const end = closed.then((code) => ({ code, at: Date.now() }));
    await eventually(async () => {
      expect((await guest.ask("{ me { id } }")).me).not.toBeNull(); // prolongs the session
      expect(Date.now()).toBeGreaterThan(Date.parse(expiresAt) + 100);
    });
    await guest.send("I was here");
    const last = Date.now();
    const { code, at } = await end;
    expect(code).toBe(4403);
    expect(at - last).toBeGreaterThan(900); // the session is prolonged every 50 ms
    expect(at - last).toBeLessThan(2_000 * BUSY);
    expect((await guest.refused("{ me { id } }")).extensions.code).toBe("UNAUTHENTICATED");

    const ann = await TestClient.register(server, "ann");
    const { messages } = await ann.ask('{ messages(roomId: "0", last: 1) { nodes { text from { name username guest } } } }');
    expect(messages.nodes).toEqual([{ text: "I was here", from: { name: "Gus", username: guest.username, guest: true } }]);
    expect(await redis.client.exists(`sessions:{user:${guest.id}}`, `session-details:{user:${guest.id}}`)).toBe(0);
  });

  it("[S5] cannot set a password", async () => {
    const { guest } = await join();
    const change = 'mutation { changePassword(current: "", new: "a good password") }';
    expect((await guest.refused(change)).extensions).toEqual({ code: "FORBIDDEN", retryable: false });
    expect((await guest.ask("{ sessions { current } }")).sessions).toEqual([{ current: true }]);
    await guest.ask("mutation { logout }");
    expect((await guest.refused("{ me { id } }")).extensions.code).toBe("UNAUTHENTICATED");
  });

  it("[S5] refresh their session, which lasts as long as a new guest's", async () => {
    const { guest, expiresAt } = await join();
    const key = `sessions:{user:${guest.id}}`;
    const [hash = ""] = await redis.client.zrange(key, "0", "0");
    await redis.client.zincrby(key, -3_000_000, hash);
    const { refreshSession } = await guest.ask("mutation { refreshSession { token expiresAt user { id guest } } }");
    expect(refreshSession.user).toEqual({ id: guest.id, guest: true });
    expect(Date.parse(refreshSession.expiresAt)).toBeGreaterThanOrEqual(Date.parse(expiresAt));
    expect(Date.parse(refreshSession.expiresAt) - Date.now()).toBeLessThanOrEqual(3_600_000);
    expect((await guest.refused("{ me { id } }")).extensions.code).toBe("UNAUTHENTICATED");
    expect((await new TestClient(server.url, refreshSession.token).ask("{ me { id } }")).me).toEqual({ id: guest.id });
  });

  it("[S5] cannot log in, in Palaver or a demo app, even if a demo app registers their username", async () => {
    const { guest } = await join();
    expect(await redis.client.hkeys(`user:${guest.id}`)).toEqual(["username", "name", "guest", "createdAt", "until"]);
    expect(await redis.client.smembers(`user:${guest.id}:rooms`)).toEqual(["0"]);
    expect(await redis.client.exists(`username:${guest.username}`, "username:Gus")).toBe(0);
    const code = async (query: string, variables: object) => (await anonymous.refused(query, { ...variables })).extensions.code;
    for (const p of ["", "undefined", "null", "1"]) expect(await code(LOGIN, { u: guest.username, p })).toBe("INVALID_CREDENTIALS");
    const register = 'mutation ($u: String!) { register(username: $u, password: "a good password") { token } }';
    expect(await code(register, { u: guest.username })).toBe("BAD_USER_INPUT");

    // Creates an account as the demo apps' login does for an unknown name.
    const id = await redis.client.incr("total_users");
    const { password } = await redis.client.hgetall(`user:${(await TestClient.register(server)).id}`);
    await redis.client.hset(`user:${id}`, { username: guest.username, password });
    await redis.client.set(`username:${guest.username}`, `user:${id}`);
    expect((await anonymous.ask(LOGIN, { u: guest.username, p: "a good password" })).login.user.id).toBe(String(id));
    expect((await guest.ask("{ me { id guest } }")).me).toEqual({ id: guest.id, guest: true });
  });

  it("[I2] name the general room if they are the first users", async () => {
    const fresh = await ownRedis();
    await join("Gus", await ownServer(fresh.url));
    expect(await fresh.client.get("room:0:name")).toBe("General");
  });

  it.each(["", " ", "a\nb", "x".repeat(65), "a\u202eb"])("[O1] cannot be named %j", async (name) => {
    const before = await redis.client.get("total_users");
    expect((await anonymous.refused(JOIN, { name })).extensions).toEqual({ code: "BAD_USER_INPUT", retryable: false, argument: "name" });
    expect(await redis.client.get("total_users")).toBe(before);
  });
});
