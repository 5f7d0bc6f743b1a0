import { createHash } from "node:crypto";
import bcrypt from "bcrypt";
import { describe, expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);
const anonymous = new TestClient(one.url);

const register =
  "mutation ($username: String!, $password: String!, $name: String, $email: String) { register(username: $username, password: $password, name: $name, email: $email) { token expiresAt user { id username name } } }";
const login = "mutation ($username: String!, $password: String!) { login(username: $username, password: $password) { token user { id } } }";
const password = "a good password";

describe("accounts", () => {
  it("[S1] lets exactly one of 50 concurrent sign-ups on two servers take a username", async () => {
    const attempts = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        anonymous.on(n % 2 ? one : two).request(register, { username: "wanted", password: `${password} ${n}` }),
      ),
    );
    const won = attempts.filter(({ data }) => data?.register);
    expect(won).toHaveLength(1);
    const codes = attempts.flatMap(({ errors }) => errors?.map(({ extensions }) => extensions.code) ?? []);
    expect(codes).toEqual(Array(49).fill("USERNAME_TAKEN"));

    const [{ data }] = won as [(typeof won)[number]];
    const { id } = data.register.user;
    expect(await redis.client.get("username:wanted")).toBe(`user:${id}`);
    expect((await redis.client.keys("user:*")).sort()).toEqual([`user:${id}`, `user:${id}:rooms`]); // the failed sign-ups left nothing
    const number = attempts.findIndex(({ data }) => data?.register);
    expect((await anonymous.ask(login, { username: "wanted", password: `${password} ${number}` })).login.user.id).toBe(id);
  });

  it("[S1] refuses a taken username", async () => {
    await anonymous.ask(register, { username: "Casey", password });
    const error = await anonymous.refused(register, { username: "Casey", password });
    expect(error.extensions).toEqual({ code: "USERNAME_TAKEN", retryable: false });
  });

  it("[S1] ignores a sign-up cut off before it set its name; a login completes one cut off later", async () => {
    const { user } = (await anonymous.ask(register, { username: "halfway", password })).register;
    const ada = new TestClient(one.url, (await anonymous.ask(login, { username: "halfway", password })).login.token);
    await redis.client.setbit("vacant:{total_users}", Number(user.id), 1); // the state before the last step
    const listed = async () => (await ada.ask("{ users(first: 100) { nodes { id } } }")).users.nodes.map(({ id }: { id: string }) => id);
    expect(await listed()).not.toContain(user.id);
    await anonymous.ask(login, { username: "halfway", password });
    expect(await listed()).toContain(user.id);
    await redis.client.del("username:halfway");
    expect((await anonymous.refused(login, { username: "halfway", password })).extensions.code).toBe("INVALID_CREDENTIALS");
  });

  it("[S2] stores passwords as bcrypt hashes that demo apps can read, and never returns them", async () => {
    const { user } = (await anonymous.ask(register, { username: "hashed", password: "Tr0ub4dor&3 ☂" })).register;
    const stored = await redis.client.hgetall(`user:${user.id}`);
    expect(stored.password).toMatch(/^\$2b\$04\$/);
    expect(Object.keys(stored).sort()).toEqual(["createdAt", "password", "username"]);
    expect(await redis.client.smembers(`user:${user.id}:rooms`)).toEqual(["0"]);
    const wrong = await anonymous.request(register, { username: "hashed", password: ["Tr0ub4dor&3 ☂"] });
    const short = await anonymous.request(register, { username: "hashed2", password: "Tr0ub4d" });
    expect(JSON.stringify([short])).not.toContain("Tr0ub4d");
    expect(wrong.errors ?? [wrong.data]).toHaveLength(1);
  });

  it("[S2] refuses a password over 72 bytes at sign-up, and does not truncate it at login", async () => {
    const longest = "éèêëçàâïî".repeat(4);
    await anonymous.ask(register, { username: "longest", password: longest });
    expect((await anonymous.refused(register, { username: "longer", password: `${longest}x` })).extensions).toMatchObject({
      code: "BAD_USER_INPUT",
      argument: "password",
    });
    expect((await anonymous.refused(login, { username: "longest", password: `${longest}x` })).extensions.code).toBe("INVALID_CREDENTIALS");
    await anonymous.ask(login, { username: "longest", password: longest });
  });

  it("[S2] returns the same error for an unknown name and a wrong password", async () => {
    await anonymous.ask(register, { username: "known", password });
    const answers = [];
    for (const [username, secret] of [
      ["known", "not the password"],
      ["unknown", password],
      ["known", ""],
      ["", ""],
      ["known\r\nx", password],
    ]) {
      answers.push(await anonymous.refused(login, { username, password: secret }));
    }
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]?.extensions.code).toBe("INVALID_CREDENTIALS");
  });

  const bad: [what: string, argument: string, fields: Record<string, string>][] = [
    ["a name with a space", "username", { username: "two words" }],
    ["a one-letter name", "username", { username: "x" }],
    ["a name that is too long", "username", { username: "x".repeat(33) }],
    ["a name with a control character", "username", { username: "tab\tbed" }],
    ["a name with a colon", "username", { username: "user:1" }],
    ["a name with an invisible character", "username", { username: "in\u200bvisible" }],
    ["a name that is not normalised", "username", { username: "e\u0301cole" }],
    ["a short password", "password", { password: "1234567" }],
    ["a password with NUL", "password", { password: "1234\u00005678" }],
    ["an empty display name", "name", { name: " " }],
    ["a display name with a line break", "name", { name: "a\nb" }],
    ["a display name with a bidirectional override", "name", { name: "a\u202eb" }],
    ["a long display name", "name", { name: "x".repeat(65) }],
    ["an invalid email", "email", { email: "nobody" }],
    ["an email with a line break", "email", { email: "a@b.c\nBcc: d@e.f" }],
  ];
  it.each(bad)("[O1] refuses %s with BAD_USER_INPUT and names the argument `%s`", async (_what, argument, fields) => {
    const { message, extensions } = await anonymous.refused(register, { username: "somebody", password, ...fields });
    expect(extensions).toEqual({ code: "BAD_USER_INPUT", retryable: false, argument });
    expect(message).toMatch(new RegExp(`^${argument}: .*\\.$`));
    expect(await redis.client.exists("username:somebody")).toBe(0);
  });

  it("[S1] accepts names in any script", async () => {
    for (const username of ["Zoë", "мария", "さくら", "user.name-1_2"]) {
      const { user } = (await anonymous.ask(register, { username, password, name: `${username} the first` })).register;
      expect(user).toMatchObject({ username, name: `${username} the first` });
    }
  });
});

describe("accounts of demo apps", () => {
  const change = "mutation ($c: String!, $n: String!) { changePassword(current: $c, new: $n) }";

  /** Creates an account as the Node app's login does for an unknown name. */
  async function demoAccount(username: string, secret: string): Promise<string> {
    const id = String(await redis.client.incr("total_users"));
    await redis.client.set(`username:${username}`, `user:${id}`);
    await redis.client.hset(`user:${id}`, { username, password: await bcrypt.hash(secret, 4) });
    await redis.client.sadd(`user:${id}:rooms`, "0");
    return id;
  }

  it.each(["", " ", "\u200b", ": ::", "{x}"])(
    "[I1] the account %j logs in, writes, is listed, and changes its password",
    async (username) => {
      const id = await demoAccount(username, password);
      const given = (await anonymous.ask(login, { username, password })).login;
      expect(given.user.id).toBe(id);
      const odd = new TestClient(two.url, given.token, id, username);
      await odd.send("here I am");
      const { user, users, messages } = await odd.ask(
        'query ($u: String!) { user(username: $u) { id username name } users(last: 100) { nodes { id } } messages(roomId: "0", last: 1) { nodes { from { id } } } }',
        { u: username },
      );
      expect(user).toEqual({ id, username, name: ["", " ", "\u200b"].includes(username) ? `user-${id}` : username });
      expect(users.nodes).toContainEqual({ id });
      expect(messages.nodes).toEqual([{ from: { id } }]);
      await odd.ask(change, { c: password, n: "another password" });
      await anonymous.ask(login, { username, password: "another password" });
    },
  );

  it("[I1] accepts a demo app's password over 72 bytes until the user changes it in Palaver", async () => {
    const long = `${"long ".repeat(14)}é and more than that`;
    const next = `${"eight of".repeat(8)}seventy!`;
    const id = await demoAccount("wordy", long);
    const given = (await anonymous.ask(login, { username: "wordy", password: long })).login;
    expect((await anonymous.refused(login, { username: "wordy", password: `no ${long}` })).extensions.code).toBe("INVALID_CREDENTIALS");
    const wordy = new TestClient(one.url, given.token, id);
    expect((await wordy.refused(change, { c: long, n: `${long} too` })).extensions).toMatchObject({ argument: "new" });
    await wordy.ask(change, { c: long, n: next });
    await anonymous.ask(login, { username: "wordy", password: next });
    expect((await anonymous.refused(login, { username: "wordy", password: `${next}y` })).extensions.code).toBe("INVALID_CREDENTIALS");
  });
});

describe("sessions", () => {
  it("[S3] issues random tokens, stores only their SHA-256 in Redis, and ends them at `expiresAt`", async () => {
    const { token, expiresAt, user } = (await anonymous.ask(register, { username: "holder", password })).register;
    expect(token).toMatch(new RegExp(`^${user.id}\\.[A-Za-z0-9_-]{43}$`));
    const key = `sessions:{user:${user.id}}`;
    const [hash, expiry] = await redis.client.zrevrange(key, 0, -1, "WITHSCORES");
    expect(hash).toBe(createHash("sha256").update(token).digest("hex"));
    expect(Number(expiry)).toBe(Date.parse(expiresAt));
    expect(await redis.client.pexpiretime(key)).toBe(Number(expiry));
    expect(Math.abs(Date.parse(expiresAt) - Date.now() - 86_400_000)).toBeLessThan(60_000);
    for (const found of await redis.client.keys("*")) {
      const dump = await redis.client.dumpBuffer(found);
      expect(dump?.includes(token.split(".")[1])).toBe(false);
    }

    const holder = new TestClient(two.url, token);
    expect((await holder.ask("{ me { id } }")).me.id).toBe(user.id);
    await redis.client.zadd(key, Date.now() - 1, hash as string);
    expect((await holder.refused("{ me { id } }")).extensions.code).toBe("UNAUTHENTICATED");
    expect((await holder.refused("{ rooms { nodes { id } } }")).extensions.code).toBe("UNAUTHENTICATED");
  });

  it("[S3] refuses forged and malformed tokens, and another user's", async () => {
    const { token, user } = (await anonymous.ask(register, { username: "target", password })).register;
    const secret = token.split(".")[1];
    for (const forged of [
      "x",
      `${user.id}.`,
      `${user.id}.${"A".repeat(43)}`,
      `${Number(user.id) + 1}.${secret}`,
      `${token}x`,
      `*.${secret}`,
      `0${token}`,
    ]) {
      expect((await new TestClient(one.url, forged).refused("{ me { id } }")).extensions.code).toBe("UNAUTHENTICATED");
    }
  });

  it("[S3] ends one session or all of them at logout, on every server", async () => {
    await anonymous.ask(register, { username: "leaver", password });
    const logIn = async () => new TestClient(one.url, (await anonymous.ask(login, { username: "leaver", password })).login.token);
    const [first, second, third] = [await logIn(), await logIn(), await logIn()];
    const areIn = () => Promise.all([first, second, third].map(async (client) => !(await client.on(two).request("{ me { id } }")).errors));
    expect((await first.ask("mutation { logout }")).logout).toBe(true);
    expect(await areIn()).toEqual([false, true, true]);
    await second.ask("mutation { logout(everywhere: true) }");
    expect(await areIn()).toEqual([false, false, false]);
  });

  it("[S3] keeps at most 100 sessions per user, and drops the one that expires first", async () => {
    const { token, user } = (await anonymous.ask(register, { username: "busy", password })).register;
    const key = `sessions:{user:${user.id}}`;
    const later = Date.now() + 90_000_000;
    await redis.client.zadd(key, ...Array.from({ length: 99 }, (_, n) => [later + n, `hash ${n}`]).flat());
    expect((await new TestClient(one.url, token).ask("{ me { id } }")).me).not.toBeNull();
    await redis.client.zadd(key, later + 100, "one more");
    await anonymous.ask(login, { username: "busy", password });
    expect(await redis.client.zcard(key)).toBe(100);
    expect((await new TestClient(one.url, token).refused("{ me { id } }")).extensions.code).toBe("UNAUTHENTICATED");
  });
});
