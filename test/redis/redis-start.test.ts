import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startServer } from "../../src/program/server.js";
import { readConfig } from "../../src/program/settings.js";
import { RedisUnusable } from "../../src/redis/connect.js";
import { ownWorker } from "../helpers/assistant.js";
import { cleanUp } from "../helpers/cleanup.js";
import { TestClient } from "../helpers/client.js";
import { ownCluster } from "../helpers/cluster.js";
import { eventually } from "../helpers/eventually.js";
import { recordedLog } from "../helpers/log.js";
import { proxyTo } from "../helpers/proxy.js";
import { ownFolder, ownRedis, silent } from "../helpers/redis.js";
import { ScriptedModel } from "../helpers/scripted-model.js";
import { ownServer } from "../helpers/server.js";

const NO_WAIT = { redisWait: 0 };

/** Returns the sentence with which the server refuses to start. */
async function refusal(url: string, settings = {}): Promise<string> {
  const error = await ownServer(url, { ...NO_WAIT, ...settings }).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(RedisUnusable);
  return (error as RedisUnusable).message;
}

const withLogin = (url: string, login: string) => url.replace("redis://", `redis://${login}@`);

describe("a Redis that cannot be used at the start", () => {
  it("[RUN6] is reported in one sentence that says what is wrong and what to do", async () => {
    const { url, client } = await ownRedis();
    expect(await refusal(withLogin(url, "somebody:wrong"))).toMatch(/refuses the user name or password\. Correct REDIS_URL/);
    await client.call("ACL", "SETUSER", "mute", "on", ">secret", "allkeys", "+@all", "resetchannels");
    expect(await refusal(withLogin(url, "mute:secret"))).toMatch(/may not use Palaver's channels.*allchannels/);
    await client.call("ACL", "SETUSER", "reader", "on", ">secret", "allkeys", "allchannels", "+@read", "+info", "+@connection");
    expect(await refusal(withLogin(url, "reader:secret"))).toMatch(/too few rights/);
    expect(await refusal(`${url}/99`)).toMatch(/no database with this number/);
    await client.config("SET", "requirepass", "secret");
    expect(await refusal(url)).toMatch(/requires a password/);
    await client.config("SET", "requirepass", "");

    await client.config("SET", "maxmemory", 1);
    expect(await refusal(url)).toMatch(/is full \(maxmemory\)/);
    await client.config("SET", "maxmemory", 0);
    await client.replicaof("127.0.0.1", 1);
    expect(await refusal(url)).toMatch(/read-only replica. Give the address of its primary/);
    await client.replicaof("NO", "ONE");
    expect(await refusal("redis://127.0.0.1:1")).toMatch(/ECONNREFUSED.*\nIs it running/s);
    expect(await refusal(`${url},redis://127.0.0.1:1`)).toMatch(/not a node of a cluster\. Give one address only/);
  });

  it("[RUN6] does not include one whose user may not run INFO", async () => {
    const { url, client } = await ownRedis();
    await client.call("ACL", "SETUSER", "plain", "on", ">secret", "allkeys", "allchannels", "+@all", "-@dangerous");
    const server = await ownServer(withLogin(url, "plain:secret"));
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  it("[RUN6] ends the start in time if it accepts connections but stays silent", async () => {
    const hole: Server = createServer(() => {}).listen(0, "127.0.0.1");
    cleanUp(() => hole.close());
    await once(hole, "listening");
    const { port } = hole.address() as { port: number };
    expect(await refusal(`redis://127.0.0.1:${port}`)).toMatch(/does not answer/);
  });

  it("[R2] delays the start until it is available, with one log line", async () => {
    const { url } = await ownRedis();
    const proxy = await proxyTo(url);
    cleanUp(proxy.stop);
    proxy.goAway();
    const { log, warnings } = recordedLog();
    const starting = ownServer(proxy.url, { redisWait: 60 }, log);
    await eventually(() => expect(warnings()).toEqual([expect.stringMatching(/Cannot use Redis.*Trying again for 60 s/)]));
    proxy.comeBack();
    const server = await starting;
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    expect(warnings()).toHaveLength(1);
  });

  it("[R2] ends the start at once if the password is wrong, even with a long REDIS_WAIT", async () => {
    const { url } = await ownRedis();
    expect(await refusal(withLogin(url, "somebody:wrong"), { redisWait: 3_600 })).toMatch(/refuses the user name/);
  });
});

it("[RUN9] connects to a cluster with the address of one node", async () => {
  const { urls } = await ownCluster();
  const server = await ownServer(urls[1] as string);
  const other = await ownServer(urls[2] as string);
  const alice = await TestClient.register(server, "alice");
  const followed = alice.on(other).follow({ roomId: "0", after: [await alice.position()] });
  await alice.send("through one address");
  expect(await followed.texts(1)).toEqual(["through one address"]);
});

it("[RUN6] waits for a cluster that is down, and reports a user without rights to its channels", async () => {
  const { urls, nodeOf, freeze } = await ownCluster({ nodeTimeout: 1_500 });
  const [first] = urls as [string];
  const nodes = ["0", "1", "2", "3", "4", "5"].map((key) => nodeOf(key)); // covers all three nodes
  for (const node of nodes) await node.call("ACL", "SETUSER", "mute", "on", ">secret", "allkeys", "+@all", "resetchannels");
  expect(await refusal(withLogin(first, "mute:secret"))).toMatch(/may not use Palaver's channels.*allchannels/);

  const goOn = await freeze("room:0");
  const others = nodes.filter((node) => node !== nodeOf("room:0"));
  for (const node of others) await eventually(async () => expect(await node.call("CLUSTER", "INFO")).toMatch(/cluster_state:fail/));
  const other = urls.find((url) => url.endsWith(`:${others[0]?.options.port}`)) as string;
  expect(await refusal(other)).toMatch(/cluster is down.*redis-cli --cluster check/);
  const { log, warnings } = recordedLog();
  const starting = ownServer(other, { redisWait: 60 }, log);
  await eventually(() => expect(warnings()).toEqual([expect.stringMatching(/cluster is down.*Trying again for 60 s/)]));
  goOn();
  expect((await fetch(`${(await starting).url}/readyz`)).status).toBe(200);
});

it("[RUN9] combines a user name in the URL with a separate password, also for a cluster", async () => {
  const single = await ownRedis();
  const { urls, nodeOf } = await ownCluster();
  const [first] = urls as [string];
  const clients = [single.client, ...["0", "1", "2", "3", "4", "5"].map((key) => nodeOf(key))]; // covers all three nodes
  for (const client of clients) await client.call("ACL", "SETUSER", "app", "on", ">secret", "allkeys", "allchannels", "+@all");
  for (const url of [single.url, first]) {
    for (const login of ["app", "app:an-old-one"]) {
      const server = await ownServer(withLogin(url, login), { redisPassword: "secret" });
      await TestClient.register(server, "alice");
    }
    expect(await refusal(withLogin(url, "app:secret"), { redisPassword: "another" })).toMatch(/refuses the user name or password/);
  }
});

it("[RUN9] connects to a Unix domain socket", async () => {
  const { url } = await ownRedis();
  const path = join(await ownFolder(), "redis.sock");
  const bridge = createServer((near) => {
    const far = connect(Number(new URL(url).port), "127.0.0.1");
    near.pipe(far).pipe(near);
    for (const end of [near, far]) end.on("error", () => {});
  }).listen(path);
  cleanUp(() => bridge.close());
  await once(bridge, "listening");
  const [one, two] = [await ownServer(`unix:${path}`), await ownServer(url)];
  const alice = await TestClient.register(one, "alice");
  const followed = alice.on(two).follow({ roomId: "0", after: [await alice.position()] });
  await alice.send("through a socket");
  expect(await followed.texts(1)).toEqual(["through a socket"]);
  await expect(ownServer("unix:redis.sock", NO_WAIT)).rejects.toThrow("needs an absolute path");
});

describe("a Redis that may lose data", () => {
  it("[R3] is reported for its eviction policy at the start, in readiness and in the metrics", async () => {
    const { url, client } = await ownRedis();
    await client.config("SET", "maxmemory", "1gb");
    await client.config("SET", "maxmemory-policy", "allkeys-lru");
    const { log, warnings } = recordedLog();
    const server = await ownServer(url, {}, log);
    expect(warnings()).toEqual([expect.stringMatching(/evicts keys.*allkeys-lru.*noeviction/)]);
    const ready = await fetch(`${server.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, problems: [], warnings: warnings() }]);
    expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(/^palaver_redis_evicts 1$/m);
  });
});

it("[O2] stops a server and a worker in time even if Redis hangs", async () => {
  const { url, client } = await ownRedis();
  const pid = Number(/process_id:(\d+)/.exec(await client.info("server"))?.[1]);
  const config = readConfig({ redis: url, port: "0", "bcrypt-cost": "4", "assistant-patience": "1" }, {});
  const server = await startServer({ ...config, assistant: true }, silent);
  const worker = await ownWorker(url, new ScriptedModel(), { assistantPatience: 1 });
  const alice = await TestClient.register(server, "alice");
  await alice.subscribe("{ me { id } }").next();
  process.kill(pid, "SIGSTOP");
  try {
    const start = performance.now();
    await Promise.all([server.stop(), worker.stop()]);
    expect(performance.now() - start).toBeLessThan(15_000); // the documented limit is 10 s; a busy machine may take longer
  } finally {
    process.kill(pid, "SIGCONT");
  }
});
