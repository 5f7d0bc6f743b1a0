import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { Attempts } from "../../src/sessions/attempts.js";
import { Passwords } from "../../src/sessions/password.js";
import { TestClient } from "../helpers/client.js";
import { ownCluster } from "../helpers/cluster.js";
import { proxyTo } from "../helpers/proxy.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const settings = { rateLimits: true, proxies: 1 };
const one = await ownServer(redis.url, settings);
const two = await ownServer(redis.url, settings);
const unlimited = await ownServer(redis.url);

/** The error code for a client at this address, or undefined on success. */
async function codeOf(query: string, address: string, at = one, variables = {}, token?: string) {
  const response = await fetch(`${at.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-forwarded-for": address, ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const { errors } = await response.json();
  return errors?.[0].extensions.code === "RATE_LIMITED" ? errors[0].extensions : errors?.[0].extensions.code;
}

const logIn = (username: string, password: string, address: string, at = one) =>
  codeOf("mutation ($u: String!, $p: String!) { login(username: $u, password: $p) { id } }", address, at, { u: username, p: password });

const RIGHT = "a good password";
const WRONG = "a wrong password";
const LIMITED = { code: "RATE_LIMITED", retryable: true, retryAfter: expect.any(Number) };

let addresses = 0;
const newAddress = () => `10.${(++addresses >> 16) & 255}.${(addresses >> 8) & 255}.${addresses & 255}`;

describe("guessing passwords", () => {
  it("[S7] stops after ten guesses per name and address, over all servers, even with the right password", async () => {
    const { username } = await TestClient.register(unlimited, "ann");
    const address = newAddress();
    for (let n = 0; n < 10; n++) expect(await logIn(username, WRONG, address, n % 2 ? one : two)).toBe("INVALID_CREDENTIALS");
    for (const password of [WRONG, RIGHT]) expect(await logIn(username, password, address, two)).toEqual(LIMITED);
    const { retryAfter } = await logIn(username, RIGHT, address);
    expect(retryAfter).toBeGreaterThan(800);
    expect(retryAfter).toBeLessThanOrEqual(900);
    expect(await logIn(username, RIGHT, newAddress())).toBeUndefined(); // clients at other addresses are not affected
    const other = await TestClient.register(unlimited, "ben");
    expect(await logIn(other.username, RIGHT, address)).toBeUndefined();
  });

  it("[S7] gains nothing from concurrent attempts", async () => {
    const { username } = await TestClient.register(unlimited, "ann");
    const address = newAddress();
    const codes = await Promise.all(Array.from({ length: 60 }, (_, n) => logIn(username, WRONG, address, n % 2 ? one : two)));
    expect(codes.filter((code) => code === "INVALID_CREDENTIALS")).toHaveLength(10);
    expect(codes.filter((code) => code.code === "RATE_LIMITED")).toHaveLength(50);
  });

  it("[S7] gets the same answers for unknown names", async () => {
    const { username } = await TestClient.register(unlimited, "ann");
    const answers = [];
    for (const name of [username, "nobody-has-this", "", "x".repeat(10_000), "{}"]) {
      const address = newAddress();
      const codes = [];
      for (let n = 0; n < 12; n++) codes.push(await logIn(name, WRONG, address));
      answers.push(codes.map((code) => code.code ?? code));
    }
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it("[S7] stops after a hundred guesses for many names from one address", async () => {
    const address = newAddress();
    const codes = await Promise.all(Array.from({ length: 110 }, (_, n) => logIn(`name-${n}`, WRONG, address)));
    expect(codes.filter((code) => code === "INVALID_CREDENTIALS")).toHaveLength(100);
  });

  it("[S7] stops after a hundred guesses from many addresses; the owner's known addresses still work", async () => {
    const { username } = await TestClient.register(unlimited, "ann");
    const home = newAddress();
    expect(await logIn(username, RIGHT, home)).toBeUndefined();
    const codes = await Promise.all(Array.from({ length: 110 }, () => logIn(username, WRONG, newAddress())));
    expect(codes.filter((code) => code === "INVALID_CREDENTIALS")).toHaveLength(100);
    expect(await logIn(username, RIGHT, newAddress())).toEqual(LIMITED);
    expect(await logIn(username, RIGHT, home, two)).toBeUndefined();
  });

  it("[S7] through `changePassword` with a stolen session counts like a login", async () => {
    const ann = await TestClient.register(unlimited, "ann");
    const change = `mutation { changePassword(current: "${WRONG}", new: "another password") }`;
    const address = newAddress();
    for (let n = 0; n < 10; n++) expect(await codeOf(change, address, one, {}, ann.token)).toBe("INVALID_CREDENTIALS");
    expect(await codeOf(change, address, one, {}, ann.token)).toEqual(LIMITED);
    expect(await logIn(ann.username, WRONG, address)).toEqual(LIMITED);
  });

  it("[S7] does not count right passwords, which also reset the count of wrong ones", async () => {
    const { username } = await TestClient.register(unlimited, "ann");
    const address = newAddress();
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 9; n++) expect(await logIn(username, WRONG, address)).toBe("INVALID_CREDENTIALS");
      for (let n = 0; n < 3; n++) expect(await logIn(username, RIGHT, address)).toBeUndefined();
    }
  });

  it("[S7] stores its counters without names or addresses, and with an expiry", async () => {
    await logIn("someone-in-particular", WRONG, "10.99.99.99");
    const keys = await redis.client.keys("attempts:*");
    expect(keys.length).toBeGreaterThan(2);
    for (const key of keys) {
      expect(key).toMatch(/^attempts:[a-zA-Z]+:[\w-]{43}$/);
      expect(await redis.client.ttl(key)).toBeGreaterThan(0);
    }
  });

  it("[S7] is limited on a Redis Cluster too", async () => {
    const { urls } = await ownCluster();
    const server = await ownServer(urls.join(","), settings);
    const address = newAddress();
    const codes = await Promise.all(Array.from({ length: 30 }, () => logIn("nobody-has-this", WRONG, address, server)));
    expect(codes.filter((code) => code === "INVALID_CREDENTIALS")).toHaveLength(10);
    const register = 'mutation { register(username: "ada", password: "a good password") { id } }';
    expect(await codeOf(register, address, server)).toBeUndefined();
    expect(await logIn("ada", RIGHT, address, server)).toBeUndefined();
  });

  it("[O3] fails with UNAVAILABLE while Redis is away, so no attempt escapes the limit", async () => {
    const proxy = await proxyTo(redis.url);
    const far = await ownServer(proxy.url, settings);
    try {
      proxy.goAway();
      await expect.poll(() => logIn("nobody-has-this", WRONG, newAddress(), far)).toBe("UNAVAILABLE");
    } finally {
      proxy.comeBack();
      await far.stop();
      await proxy.stop();
    }
  });
});

describe("sign-ups and guests", () => {
  it.each([
    ["30 sign-ups", 30, (n: number) => `mutation { register(username: "new-${n}", password: "${RIGHT}") { id } }`],
    ["60 guests", 60, () => 'mutation { joinAsGuest(name: "Gus") { id } }'],
  ])("[S7] allows at most %s an hour from one address", async (_what, most, query) => {
    const address = newAddress();
    const codes = await Promise.all(Array.from({ length: most + 5 }, (_, n) => codeOf(query(n), address, n % 2 ? one : two)));
    expect(codes.filter((code) => code === undefined)).toHaveLength(most);
    expect(codes.filter((code) => code)).toEqual(Array(5).fill(LIMITED));
    expect(await codeOf(query(999), newAddress())).toBeUndefined();
  });

  it("[S7] limits by the address that the balancer saw, and by network for IPv6", async () => {
    const guess = (address: string) => logIn("nobody-has-this", WRONG, address);
    const seen = newAddress();
    for (let n = 0; n < 10; n++) await guess(`${newAddress()}, ${seen}`);
    expect(await guess(`${newAddress()}, ${seen}`)).toEqual(LIMITED);
    expect(await guess(`::ffff:${seen}`)).toEqual(LIMITED);
    for (let n = 0; n < 10; n++) await guess(`2001:db8::${n}`);
    expect(await guess("2001:db8:0:0:1:2:3:4")).toEqual(LIMITED);
    expect(await guess("2001:db8:0:1::4")).toBe("INVALID_CREDENTIALS");

    const direct = await ownServer(redis.url, { rateLimits: true });
    for (let n = 0; n < 10; n++) await logIn("nor-this", WRONG, newAddress(), direct);
    expect(await logIn("nor-this", WRONG, newAddress(), direct)).toEqual(LIMITED);
  });

  it("[S7] applies no limit when RATE_LIMITS is off", async () => {
    const attempts = new Attempts(redis.client, false);
    for (let n = 0; n < 200; n++) await attempts.signUp("10.0.0.1");
    const codes = await Promise.all(Array.from({ length: 50 }, () => logIn("nobody-has-this", WRONG, "10.0.0.1", unlimited)));
    expect(new Set(codes)).toEqual(new Set(["INVALID_CREDENTIALS"]));
  });
});

describe("hashing passwords", () => {
  it("[S8] runs a few hashes at a time, and refuses calls that would wait too long", async () => {
    const passwords = new Passwords(4);
    const atOnce = Math.max(1, Math.min(availableParallelism(), 4) - 1);
    const answers = await Promise.allSettled(Array.from({ length: atOnce + 250 }, () => passwords.hash(RIGHT)));
    const refused = answers.flatMap((answer) => (answer.status === "rejected" ? answer.reason.extensions : []));
    expect(refused).toEqual(Array(50).fill({ ...LIMITED, retryAfter: 1 }));
    expect(await passwords.matches(RIGHT, { passwordHash: await passwords.hash(RIGHT), cutAt72: false })).toBe(true); // there is room again
  });
});
