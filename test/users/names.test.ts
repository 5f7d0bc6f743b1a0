import bcrypt from "bcrypt";
import type { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { ownCluster } from "../helpers/cluster.js";
import { eventually } from "../helpers/eventually.js";
import { proxyTo } from "../helpers/proxy.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);
const anonymous = new TestClient(one.url);

const PASSWORD = "a good password";
const REGISTER =
  "mutation ($u: String!, $p: String!, $n: String) { register(username: $u, password: $p, name: $n) { token user { id username name } } }";
const LOGIN = "mutation ($u: String!, $p: String!) { login(username: $u, password: $p) { token user { id username } } }";
const LOOKS = "looks:{total_users}";

const register = (u: string, n?: string, client = anonymous) => client.request(REGISTER, { u, p: PASSWORD, n });
const logIn = (u: string, p = PASSWORD, client = anonymous) => client.request(LOGIN, { u, p });
const codeOf = ({ errors }: Awaited<ReturnType<typeof register>>) => errors?.[0]?.extensions.code;

const hash = await bcrypt.hash(PASSWORD, 4);

/** Creates an account as the Node app's login does for an unknown name. */
async function demoAccount({ client }: { client: Redis }, username: string): Promise<string> {
  const id = String(await client.incr("total_users"));
  await client.set(`username:${username}`, `user:${id}`);
  await client.hset(`user:${id}`, { username, password: hash });
  await client.sadd(`user:${id}:rooms`, "0");
  return id;
}

/** Creates an account as an older version of Palaver did. */
async function olderAccount({ client }: { client: Redis }, username: string): Promise<string> {
  const id = await demoAccount({ client }, username);
  await client.hset(`user:${id}`, { createdAt: new Date().toISOString() });
  return id;
}

describe("usernames", () => {
  const pairs: [what: string, name: string, likeness: string][] = [
    ["letter case", "ada", "ADA"],
    ["the case of a letter without a capital", "Strasse", "straße"],
    ["a Cyrillic letter", "grace", "grаce"],
    ["a Greek capital whose lowercase looks different", "Nick", "Νick"],
    ["full width", "joan", "ｊｏａｎ"],
    ["superscript", "mary", "ᵐᵃʳʸ"],
    ["a capital I for an l", "Pablo", "PabIo"],
    ["digits for letters", "lola", "1o1a"],
    ["letters that merge visually", "amy", "arny"],
    ["letter case in another script", "мария", "МАРИЯ"],
  ];
  it.each(pairs)("[NAME1] differ by more than %s", async (_what, name, likeness) => {
    const given = (await register(name)).data.register.user;
    expect(given.username).toBe(name);
    expect(await redis.client.get(`username:${name}`)).toBe(`user:${given.id}`);
    const guest = new TestClient(two.url, (await anonymous.ask('mutation { joinAsGuest(name: "Gus") { token } }')).joinAsGuest.token);
    expect(codeOf(await register(likeness))).toBe("USERNAME_TAKEN");
    expect(codeOf(await register(likeness, undefined, guest))).toBe("USERNAME_TAKEN");
    expect(await redis.client.exists(`username:${likeness}`)).toBe(0);
    expect((await guest.ask("{ me { guest } }")).me).toEqual({ guest: true });
  });

  it.each(["k\u034fim", "kim\ufe0f", "k\u{e0100}im", "ki\u200dm"])("[NAME1] cannot contain invisible characters: %j", async (name) => {
    expect((await register(name)).errors?.[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: "username" });
  });

  it("[NAME1] are blocked by look-alikes in either order of registration", async () => {
    for (const [_what, name, likeness] of pairs.slice(0, 9)) {
      expect((await register(`x${likeness}`)).data?.register.user.username).toBe(`x${likeness}`);
      expect(codeOf(await register(`x${name}`))).toBe("USERNAME_TAKEN");
    }
  });

  it("[NAME1] are free if they share only a prefix or differ by an accent or a number", async () => {
    for (const name of ["zoe", "zoë", "zoe2", "zoe3", "zoey", "z.oe"])
      expect((await register(name)).data?.register.user.username).toBe(name);
  });

  it("[NAME1] go to exactly one of 50 sign-ups for look-alikes on two servers", async () => {
    for (let round = 0; round < 3; round++) {
      const own = await ownRedis();
      const servers = [await ownServer(own.url), await ownServer(own.url)];
      const letters = { w: ["w", "W"], a: ["a", "A", "а", "ａ"], n: ["n", "N"], t: ["t", "T"], e: ["e", "E", "е"], d: ["d", "D"] };
      const variants = Array.from({ length: 50 }, (_, n) =>
        Object.values(letters)
          .map((choices, at) => choices[(n >> at) % choices.length])
          .join(""),
      );
      const attempts = await Promise.all(variants.map((u, n) => register(u, undefined, anonymous.on(servers[n % 2] as { url: string }))));
      const won = attempts.flatMap(({ data }) => data?.register?.user ?? []);
      expect(won).toHaveLength(1);
      expect(attempts.flatMap((attempt) => codeOf(attempt) ?? [])).toEqual(Array(49).fill("USERNAME_TAKEN"));
      expect(await own.client.keys("username:*")).toEqual([`username:${won[0].username}`]);
      expect((await own.client.keys("user:*")).sort()).toEqual([`user:${won[0].id}`, `user:${won[0].id}:rooms`]);
    }
  });

  it("[NAME1] go to exactly one of several look-alikes on a Redis Cluster", async () => {
    const { urls } = await ownCluster();
    const servers = [await ownServer(urls.join(",")), await ownServer(urls.join(","))];
    const names = ["Ada", "ada", "ADA", "аda", "ａｄａ", "adа", "aDa", "ᵃᵈᵃ"];
    const attempts = await Promise.all(names.map((u, n) => register(u, undefined, anonymous.on(servers[n % 2] as { url: string }))));
    const won = attempts.flatMap(({ data }) => data?.register?.user ?? []);
    expect(won).toHaveLength(1);
    expect((await logIn(won[0].username.toUpperCase(), PASSWORD, anonymous.on(servers[0] as { url: string }))).data.login.user).toEqual({
      id: won[0].id,
      username: won[0].username,
    });
  });

  it("[NAME1] belong to a complete account or stay free, wherever a sign-up is interrupted", async () => {
    const outcomes = new Set<string>();
    for (let bytes = 100, count = 0; bytes < 6_000; bytes += 200, count++) {
      const [name, likeness] = [`cut-off-${count}`, `CUT-OFF-${count}`];
      const proxy = await proxyTo(redis.url);
      const doomed = await ownServer(proxy.url);
      proxy.goAwayAfter(bytes);
      await register(name, undefined, anonymous.on(doomed));
      await proxy.stop();
      await doomed.stop();

      const isNamed = (await redis.client.exists(`username:${name}`)) === 1;
      for (const [look, held] of Object.entries(await redis.client.hgetall(LOOKS))) {
        const [id, deadline] = held.split(" ");
        if (deadline !== undefined) await redis.client.hset(LOOKS, look, `${id} 1`); // makes the claim expire
      }
      outcomes.add(isNamed ? "an account" : "nothing");
      if (isNamed) {
        expect((await logIn(likeness)).data.login.user.username).toBe(name);
        expect(codeOf(await register(likeness))).toBe("USERNAME_TAKEN");
      } else expect((await register(likeness)).data?.register.user.username).toBe(likeness);
    }
    expect([...outcomes].sort()).toEqual(["an account", "nothing"]);
  });

  it("[NAME1] are taken while a claim lasts, and free after it expires or the account is deleted", async () => {
    await redis.client.hset(LOOKS, "busy", `999 ${Math.floor(Date.now() / 1_000) + 3_600}`);
    expect(codeOf(await register("Busy"))).toBe("USERNAME_TAKEN");
    await redis.client.hset(LOOKS, "busy", "999 1");
    expect((await register("Busy")).data.register.user.username).toBe("Busy");
    const { id } = (await register("leaver")).data.register.user;
    await redis.client.del("username:leaver", `user:${id}`, `user:${id}:rooms`);
    expect((await register("Leaver")).data.register.user.username).toBe("Leaver");
  });
});

describe("names of accounts that other programs created", () => {
  it("[NAME1] stay, work for log-in in their exact form, and block look-alikes", async () => {
    const own = await ownRedis();
    const names = ["Ada", "ada", "аda", "", " "];
    const ids = new Map<string, string>();
    for (const name of names) ids.set(name, await (name === "ada" ? olderAccount(own, name) : demoAccount(own, name)));
    const server = await ownServer(own.url);
    const there = anonymous.on(server);
    for (const name of names) expect((await logIn(name, PASSWORD, there)).data.login.user).toEqual({ id: ids.get(name), username: name });
    expect(codeOf(await register("ADA", undefined, there))).toBe("USERNAME_TAKEN");
    expect((await logIn("ADA", PASSWORD, there)).data.login.user.id).toBe(ids.get("Ada")); // the oldest account

    const late = await demoAccount(own, "Late");
    expect(codeOf(await register("late", undefined, there))).toBe("USERNAME_TAKEN");
    expect((await logIn("LATE", PASSWORD, there)).data.login.user.id).toBe(late);
    const later = await demoAccount(own, "Later");
    await logIn("Later", PASSWORD, there);
    expect((await logIn("later", PASSWORD, there)).data.login.user.id).toBe(later);
  });

  it("[NAME1] are indexed in batches, however many, before the first sign-up", async () => {
    const own = await ownRedis();
    const total = 5_000;
    const pipeline = own.client.pipeline().set("total_users", total);
    for (let id = 1; id <= total; id++) {
      if (id === 4_990) continue; // a demo app is about to write it
      pipeline.set(`username:Person-${id}`, `user:${id}`).hset(`user:${id}`, { username: `Person-${id}`, password: hash });
    }
    await pipeline.exec();
    const servers = [await ownServer(own.url), await ownServer(own.url)];
    for (const [n, u] of ["PERSON-1", "person-2500", "person-5OOO"].entries()) {
      const client = anonymous.on(servers[n % 2] as { url: string });
      expect(
        codeOf(
          await eventually(async () => {
            const attempt = await register(u, undefined, client);
            expect(codeOf(attempt)).not.toBe("RATE_LIMITED");
            return attempt;
          }),
        ),
      ).toBe("USERNAME_TAKEN");
    }
    await own.client.set("username:Person-4990", "user:4990");
    await own.client.hset("user:4990", { username: "Person-4990", password: hash });
    expect(codeOf(await register("person-4990", undefined, anonymous.on(servers[0] as { url: string })))).toBe("USERNAME_TAKEN");
    expect(Number(await own.client.hget("named:{total_users}", "up_to"))).toBeGreaterThanOrEqual(total);
  });
});

describe("reserved names", () => {
  it.each(["assistant", "system", "admin", "everyone", "here"])("[NAME2] include %s and its look-alikes", async (name) => {
    const capital = `${name[0]?.toUpperCase()}${name.slice(1)}`;
    for (const u of [name, capital, name.toUpperCase(), name.replace("e", "е").replace("a", "а"), name.replace("s", "ѕ")])
      expect(codeOf(await register(u))).toBe("USERNAME_TAKEN");
    expect((await register(`${name}-2`)).data.register.user.username).toBe(`${name}-2`);
  });

  it("[NAME2] include the assistant's username and display name, whatever its username", async () => {
    const own = await ownRedis();
    const server = await ownServer(own.url, { assistant: true, assistantUsername: "helper" });
    const there = anonymous.on(server);
    expect(codeOf(await register("Helper", undefined, there))).toBe("USERNAME_TAKEN");
    const join = "mutation ($n: String!) { joinAsGuest(name: $n) { token } }";
    for (const n of ["Assistant", "assistant", "ASSISTANT", "Аssistant", "Assistаnt", "Assis\u034ftant", "Helper"]) {
      expect((await register("somebody", n, there)).errors?.[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: "name" });
      expect((await there.refused(join, { n })).extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: "name" });
    }
    const somebody = (await register("somebody", "The Assistants’ friend", there)).data.register;
    const { user } = await new TestClient(server.url, somebody.token).ask('{ user(username: "helper") { name isAssistant } }');
    expect(user).toEqual({ name: "Assistant", isAssistant: true });
  });
});

describe("log-in", () => {
  it("[NAME3] accepts the username in any letter case and Unicode form", async () => {
    const { id } = (await register("Zoé-Straße")).data.register.user;
    for (const u of ["zoé-straße", "ZOÉ-STRASSE", "Zoe\u0301-Straße", "Ｚｏé-Straße", "zoé-stra\u00adße"])
      expect((await logIn(u)).data?.login.user).toEqual({ id, username: "Zoé-Straße" });
    for (const u of ["Zoe-Straße", "Zоé-Straße", "", " "]) expect(codeOf(await logIn(u))).toBe("INVALID_CREDENTIALS");
  });

  it("[NAME3] [S7] counts wrong passwords for all forms of a name together", async () => {
    const strict = await ownServer(redis.url, { rateLimits: true });
    await register("guessed");
    const forms = ["guessed", "Guessed", "GUESSED", "ｇuessed", "gueSSed"];
    for (let n = 0; n < 10; n++)
      expect(codeOf(await logIn(forms[n % 5] as string, "not it", anonymous.on(strict)))).toBe("INVALID_CREDENTIALS");
    expect(codeOf(await logIn("guesseD", "not it", anonymous.on(strict)))).toBe("RATE_LIMITED");
  });

  it("[NAME3] completes an interrupted registration, by any form of the name", async () => {
    const { token, user } = (await anonymous.ask('mutation { joinAsGuest(name: "Gus") { token user { id } } }')).joinAsGuest;
    const cutOff = JSON.stringify({ username: "Once-Gus", attempt: "x", deadline: 1 });
    await redis.client.hset(`user:${user.id}`, { claim: cutOff, password: hash });
    await redis.client.hset(LOOKS, "once-gus", `${user.id} 1`);
    await redis.client.set("username:Once-Gus", `user:${user.id}`);
    expect(codeOf(await register("ONCE-GUS"))).toBe("USERNAME_TAKEN");
    expect((await logIn("once-gus")).data.login.user).toEqual({ id: user.id, username: "Once-Gus" });
    expect((await new TestClient(one.url, token).ask("{ me { guest } }")).me).toEqual({ guest: false });
  });
});
