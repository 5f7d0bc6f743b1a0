import { expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { ownCluster } from "../helpers/cluster.js";
import { BUSY, eventually } from "../helpers/eventually.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const SEND = 'mutation ($text: String!, $id: ID) { send(roomId: "0", text: $text, clientMessageId: $id) { id } }';

const readiness = async ({ url }: { url: string }) =>
  (await (await fetch(`${url}/readyz`)).json()) as { ready: boolean; problems: string[] };

it("[M6] answers a send after its replica confirms, and stores it once if it is retried later", async () => {
  const [primary, replica] = [await ownRedis(), await ownRedis()];
  const { hostname, port } = new URL(primary.url);
  await primary.client.config("SET", "repl-diskless-sync-delay", 0);
  await replica.client.replicaof(hostname, port);
  await eventually(async () => expect(await replica.client.info("replication")).toMatch(/master_link_status:up/));
  const server = await ownServer(primary.url, { ackReplicas: 1 });
  const alice = await TestClient.register(server, "alice");
  await alice.send("confirmed");
  expect(await replica.client.zcard("room:0")).toBe(1);
  expect((await readiness(server)).ready).toBe(true);

  const pid = Number(/process_id:(\d+)/.exec(await replica.client.info("server"))?.[1]);
  process.kill(pid, "SIGSTOP");
  try {
    expect((await alice.refused(SEND, { text: "alone", id: "one" })).extensions).toEqual({ code: "UNAVAILABLE", retryable: true });
    expect((await alice.refused(SEND, { text: "without an id" })).extensions).toEqual({ code: "UNAVAILABLE", retryable: false });
    const begun = performance.now();
    const crowd = Array.from({ length: 20 }, async (_, n) => (await alice.refused(SEND, { text: "alone", id: `${n}` })).extensions.code);
    expect(new Set(await Promise.all(crowd))).toEqual(new Set(["UNAVAILABLE"]));
    expect(performance.now() - begun).toBeLessThan(3_000 * BUSY); // they wait together; one after the other would take a second each
    const { ready, problems } = await readiness(server);
    expect([ready, problems]).toEqual([false, [expect.stringMatching(/replicas.*ACK_REPLICAS/)]]);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await eventually(async () => expect((await alice.request(SEND, { text: "alone", id: "one" })).errors).toBeUndefined());
  expect((await alice.history()).slice(0, 3)).toEqual(["confirmed", "alone", "without an id"]);
  // A retry returns the original result even after the message is deleted.
  const { send } = await alice.ask(SEND, { text: "alone", id: "one" });
  await alice.ask("mutation ($id: ID!) { deleteMessage(id: $id) }", { id: send.id });
  expect((await alice.ask(SEND, { text: "alone", id: "one" })).send).toEqual(send);
});

it("[M6] answers a send on a cluster after its replica confirms", async () => {
  const cluster = await ownCluster({ replicas: true });
  const server = await ownServer(cluster.urls.join(","), { ackReplicas: 1 });
  const alice = await TestClient.register(server, "alice");
  await alice.send("confirmed");
  const resume = await cluster.stopReplica("room:0");
  expect((await alice.refused(SEND, { text: "alone", id: "one" })).extensions.code).toBe("UNAVAILABLE");
  expect((await readiness(server)).ready).toBe(false);
  resume();
  await eventually(async () => expect((await alice.request(SEND, { text: "alone", id: "one" })).errors).toBeUndefined());
  expect(await alice.history()).toEqual(["confirmed", "alone"]);
});
