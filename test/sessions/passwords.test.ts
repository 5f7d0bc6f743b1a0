import bcrypt from "bcrypt";
import { describe, expect, it } from "vitest";
import { missingCosts, Passwords } from "../../src/sessions/password.js";
import { TestClient } from "../helpers/client.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const server = await ownServer(redis.url);
const dearer = await ownServer(redis.url, { bcryptCost: 6 });
const anonymous = new TestClient(server.url);

const REGISTER =
  "mutation ($u: String!, $p: String!, $n: String, $e: String) { register(username: $u, password: $p, name: $n, email: $e) { token user { id } } }";
const LOGIN = "mutation ($u: String!, $p: String!) { login(username: $u, password: $p) { token user { id } } }";
const CHANGE = "mutation ($c: String!, $n: String!) { changePassword(current: $c, new: $n) }";
const ME = "{ me { id } }";

let names = 0;
const newName = () => `someone-${++names}`;
const hashOf = (id: string) => redis.client.hget(`user:${id}`, "password");

async function account(p: string, u = newName()) {
  const { token, user } = (await anonymous.ask(REGISTER, { u, p })).register;
  return new TestClient(server.url, token, user.id, u);
}

describe("new passwords", () => {
  const easy: [what: string, password: string, owner?: Record<string, string>][] = [
    ["a very common password", "password"],
    ["another common password", "iloveyou1"],
    ["a common password with capitals", "PassWord123"],
    ["a common password in full width", "ｑｗｅｒｔｙｕｉｏｐ"],
    ["a single repeated character", "ññññññññññ"],
    ["a short pattern", "xyz!xyz!xyz!"],
    ["ascending digits", "0123456789"],
    ["descending letters", "zyxwvutsrq"],
    ["the username", "Ada-Lovelace", { u: "ada-lovelace" }],
    ["the username and digits", "ada-lovelace1815!", { u: "ada-lovelace" }],
    ["the name", "Ada of Ockham", { n: "Ada of Ockham" }],
    ["the e-mail address", "ada@ockham.example", { e: "ada@ockham.example" }],
    ["the beginning of the e-mail address", "countess2024", { e: "countess@ockham.example" }],
    ["the name of the service", "Palaver2024"],
  ];
  it.each(easy)("[PASS1] are refused as too easy to guess, at sign-up and later: %s", async (_what, p, owner = {}) => {
    const u = owner.u ?? newName();
    const error = await anonymous.refused(REGISTER, { u, p, ...owner });
    expect(error.extensions).toEqual({ code: "BAD_USER_INPUT", retryable: false, argument: "password" });
    expect(error.message).toContain("too easy to guess");
    expect(error.message.replace(/^password: |common password/g, "")).not.toContain(p);
    const good = "Thirty pale violins";
    const named = { ...owner, u: owner.u ? `${owner.u}${++names}` : u };
    const { token } = (await anonymous.ask(REGISTER, { ...named, p: good })).register;
    expect((await new TestClient(server.url, token).refused(CHANGE, { c: good, n: p })).extensions).toMatchObject({ argument: "new" });
  });

  it("[PASS1] are accepted otherwise, with any characters", async () => {
    for (const p of [
      "correct horse",
      "        a",
      "päßwörter sind schön",
      "六四天安門事件的記憶",
      "🐎🐎🔋📎🐎🐎🔋🔋",
      "ada-lovelace and her engine",
    ]) {
      const ada = await account(p);
      expect((await anonymous.ask(LOGIN, { u: ada.username, p })).login.user.id).toBe(ada.id);
    }
  });
});

describe("one password in several Unicode forms", () => {
  const forms = ["crème brûlée à 9", "crème brûlée à 9".normalize("NFD")];

  it("[PASS2] is one password, whichever form was set", async () => {
    for (const set of forms) {
      const ann = await account(set);
      for (const p of forms) expect((await anonymous.ask(LOGIN, { u: ann.username, p })).login.user.id).toBe(ann.id);
      for (const p of ["creme brulee a 9", "CRÈME BRÛLÉE À 9"])
        expect((await anonymous.refused(LOGIN, { u: ann.username, p })).extensions.code).toBe("INVALID_CREDENTIALS");
      expect((await ann.refused(CHANGE, { c: forms[0], n: forms[1] })).extensions).toMatchObject({ argument: "new" });
    }
  });

  it("[PASS2] stays valid if a demo app or older version hashed it as typed, also at a higher cost", async () => {
    for (const set of forms) {
      const ann = await account("a good password");
      await redis.client.hset(`user:${ann.id}`, "password", await bcrypt.hash(set, 4));
      for (const at of [server, dearer, dearer]) {
        for (const p of forms) expect((await anonymous.on(at).ask(LOGIN, { u: ann.username, p })).login.user.id).toBe(ann.id);
      }
      expect(await bcrypt.compare(set, String(await hashOf(ann.id)))).toBe(true); // demo apps still accept it
    }
  });
});

describe("a higher BCRYPT_COST", () => {
  it("[PASS3] renews the hash at the next log-in, and changes nothing else", async () => {
    const ann = await account("a good password");
    const before = await redis.client.hgetall(`user:${ann.id}`);
    expect(before.password).toMatch(/^\$2b\$04\$/);
    await anonymous.on(dearer).refused(LOGIN, { u: ann.username, p: "another password" });
    expect(await hashOf(ann.id)).toBe(before.password);
    await anonymous.on(dearer).ask(LOGIN, { u: ann.username, p: "a good password" });
    const after = await redis.client.hgetall(`user:${ann.id}`);
    expect(after).toEqual({ ...before, password: expect.stringMatching(/^\$2b\$06\$/) });
    expect((await ann.ask(ME)).me).toEqual({ id: ann.id });
    await anonymous.ask(LOGIN, { u: ann.username, p: "a good password" }); // a server with a lower cost keeps the hash
    expect(await hashOf(ann.id)).toBe(after.password);
  });

  it("[PASS3] lets concurrent log-ins succeed, and never undoes a change of the password", async () => {
    for (let round = 0; round < 5; round++) {
      const ann = await account("a good password");
      const [changed, ...logins] = await Promise.all([
        ann.request(CHANGE, { c: "a good password", n: "another password" }),
        ...Array.from({ length: 8 }, (_, n) =>
          anonymous.on(n % 2 ? server : dearer).request(LOGIN, { u: ann.username, p: "a good password" }),
        ),
      ]);
      expect(changed.data).toEqual({ changePassword: true });
      for (const { errors } of logins) if (errors) expect(errors[0]?.extensions.code).toBe("INVALID_CREDENTIALS");
      expect(await bcrypt.compare("another password", String(await hashOf(ann.id)))).toBe(true);
    }
    const ben = await account("a good password");
    const all = await Promise.all(
      Array.from({ length: 8 }, () => anonymous.on(dearer).request(LOGIN, { u: ben.username, p: "a good password" })),
    );
    expect(all.flatMap(({ errors }) => errors ?? [])).toEqual([]);
  });

  it("[PASS3] keeps a demo app's account whose password is over 72 bytes", async () => {
    const long = `${"long ".repeat(15)} and more than that`;
    const id = String(await redis.client.incr("total_users"));
    await redis.client.set("username:wordy", `user:${id}`);
    await redis.client.hset(`user:${id}`, { username: "wordy", password: await bcrypt.hash(long, 4) });
    for (const at of [dearer, dearer, server]) expect((await anonymous.on(at).ask(LOGIN, { u: "wordy", p: long })).login.user.id).toBe(id);
    expect(await hashOf(id)).toMatch(/^\$2b\$06\$/);
  });

  it("[PASS3] spends as much work on a wrong password with a cheap hash as on an unknown name", async () => {
    for (const [cost, wanted] of [
      [4, 12],
      [10, 12],
      [11, 12],
    ] as const) {
      const work = [cost, ...missingCosts(cost, wanted)].reduce((sum, one) => sum + 2 ** one, 0);
      expect(work).toBe(2 ** wanted);
    }
    expect(missingCosts(12, 12)).toEqual([]);
    expect(missingCosts(13, 12)).toEqual([]);

    const passwords = new Passwords(8);
    const cheap = { passwordHash: await bcrypt.hash("right password", 4), cutAt72: false };
    expect(await passwords.match("right password", cheap)).toBe("right password");
    for (const wrong of [cheap, undefined, { passwordHash: "no hash", cutAt72: false }])
      expect(await passwords.matches("wrong", wrong)).toBe(false);
  });
});

describe("the absolute end of a session", () => {
  const details = (id: string) => `session-details:{user:${id}}`;
  const DAYS_90 = 7_776_000_000; // ms

  /** Backdates the client's only session. */
  async function begunEarlier({ id }: TestClient, ms: number): Promise<void> {
    for (const [hash, text] of Object.entries(await redis.client.hgetall(details(id)))) {
      const [session, kind, created, seen] = text.split(" ");
      await redis.client.hset(details(id), hash, `${session} ${kind} ${Number(created) - ms} ${Number(seen) - 3_600_000}`);
    }
  }

  it("[SESS1] is 90 days after the log-in; neither use nor refreshing moves it", async () => {
    const ann = await account("a good password");
    await begunEarlier(ann, DAYS_90 - 7_200_000);
    const { session } = await ann.ask("{ session { createdAt expiresAt } }");
    expect(Date.parse(session.expiresAt) - Date.parse(session.createdAt)).toBe(DAYS_90);
    const { refreshSession } = await ann.ask("mutation { refreshSession { token expiresAt } }");
    expect(refreshSession.expiresAt).toBe(session.expiresAt);
    const refreshed = new TestClient(server.url, refreshSession.token, ann.id);
    expect((await refreshed.ask("{ session { createdAt } }")).session.createdAt).toBe(session.createdAt);
    await begunEarlier(refreshed, 7_200_000);
    expect((await refreshed.refused(ME)).extensions.code).toBe("UNAUTHENTICATED");
    expect((await refreshed.refused("mutation { refreshSession { token } }")).extensions.code).toBe("UNAUTHENTICATED");
    expect((await anonymous.ask(LOGIN, { u: ann.username, p: "a good password" })).login.token).not.toBe("");
  });

  it("[SESS1] moves when a guest becomes an account, because that is a sign-in", async () => {
    const { token, user } = (await anonymous.ask('mutation { joinAsGuest(name: "Gus") { token user { id } } }')).joinAsGuest;
    const guest = new TestClient(server.url, token, user.id);
    await begunEarlier(guest, DAYS_90 - 1_000_000);
    const { register } = await guest.ask('mutation ($u: String!) { register(username: $u, password: "a good password") { expiresAt } }', {
      u: newName(),
    });
    expect(Date.parse(register.expiresAt)).toBeGreaterThan(Date.now() + 80_000_000);
  });

  it("[SESS1] closes a socket even if it is in use", async () => {
    const short = await ownServer(redis.url, { sessionTtl: 5, sessionLifetime: 8 });
    const ann = await TestClient.register(short, "ann");
    const followed = ann.follow();
    await expect(followed.next()).rejects.toMatchObject({ code: 4403 });
  });
});

describe("a session that only has subscriptions", () => {
  const GUEST = 'mutation { joinAsGuest(name: "Gus") { token user { id } } }';
  const expiry = async (id: string) => Number((await redis.client.zrevrange(`sessions:{user:${id}}`, 0, 0, "WITHSCORES"))[1]);

  it("[SESS2] outlasts SESSION_TTL and GUEST_TTL, with and without events", async () => {
    const short = await ownServer(redis.url, { sessionTtl: 5, guestTtl: 5 });
    const ben = await TestClient.register(server, "ben");
    const guest = async () => {
      const { token, user } = (await anonymous.on(short).ask(GUEST)).joinAsGuest;
      return new TestClient(short.url, token, user.id);
    };
    const reads = async (reader: TestClient) => {
      const stream = reader.follow({ roomId: "0", after: [await reader.position()] });
      const first = await expiry(reader.id);
      await expect.poll(() => expiry(reader.id), { timeout: 60_000 }).toBeGreaterThan(first + 6_000);
      await ben.send(`still there, ${reader.id}?`);
      for (let text = ""; text !== `still there, ${reader.id}?`; ) [text = ""] = await stream.texts(1);
    };
    await Promise.all([reads(await TestClient.register(short, "ann")), reads(await guest())]);
  });

  it("[SESS2] also lasts if the subscription has its own token, as in GraphiQL's tabs", async () => {
    const short = await ownServer(redis.url, { sessionTtl: 5 });
    const ben = await TestClient.register(server, "ben");
    const ann = await TestClient.register(short, "ann");
    const extensions = { headers: { Authorization: `Bearer ${ann.token}` } };
    const first = await expiry(ann.id);
    const frames: unknown[] = [];
    ben
      .on(short)
      .socket()
      .subscribe(
        { query: "subscription { messageAdded { text } }", extensions },
        { next: (frame) => frames.push(frame), error() {}, complete() {} },
      );
    await expect.poll(() => expiry(ann.id), { timeout: 60_000 }).toBeGreaterThan(first + 6_000);
    expect(frames).toEqual([]);
  });

  it("[SESS2] is renewed in Redis at most once a minute, or once per tenth of SESSION_TTL", async () => {
    const watched = await ownServer(redis.url, { sessionTtl: 10 });
    const ann = await TestClient.register(watched, "ann");
    const writes: number[] = [];
    ann.follow();
    let last = await expiry(ann.id);
    while (writes.length < 3) {
      await expect.poll(() => expiry(ann.id), { interval: 50, timeout: 60_000 }).not.toBe(last);
      last = await expiry(ann.id);
      writes.push(last);
    }
    const [first = 0, second = 0, third = 0] = writes;
    expect(Math.min(second - first, third - second)).toBeGreaterThanOrEqual(999); // ms, by Redis's clock
  });

  it("[SESS2] expires some time after its last subscription ends", async () => {
    const short = await ownServer(redis.url, { sessionTtl: 5 });
    const ann = await TestClient.register(short, "ann");
    const closed = new Promise<{ code?: number }>((resolve) => ann.socket().on("closed", (event) => resolve(event as { code?: number })));
    const stream = ann.follow();
    const first = await expiry(ann.id);
    await expect.poll(() => expiry(ann.id), { timeout: 60_000 }).toBeGreaterThan(first + 1_000);
    stream.stop();
    expect((await closed).code).toBe(4403);
  });
});
